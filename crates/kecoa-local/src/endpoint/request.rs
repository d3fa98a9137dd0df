//! What the request at hand would need to be run again.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::{Buf, Bytes, BytesMut};

use super::messages::{Client, put};
use super::replies::string;
use crate::dialect::plan::{Analysis, Class, Control, OnError, Piece};
use crate::dialect::transaction::{Phase, Planned, Transaction, forces_retry};

/// What is known of the request at hand.
#[derive(Debug, Default)]
pub(super) struct Rerun {
    /// Its answer is held back, and it may be run again.
    pub(super) holding: bool,
    /// It failed with a retry error.
    pub(super) failed: bool,
    /// Something of it was executed.
    pub(super) executed: bool,
    /// Something of it uses a statement prepared before.
    pub(super) bound: bool,
    /// It has ended its transaction: what follows begins another.
    pub(super) ended: bool,
    /// How often it was run again.
    pub(super) attempts: u32,
    /// The state before it.
    pub(super) before: Transaction,
    /// The client's messages.
    pub(super) log: BytesMut,
    /// The named statements that PostgreSQL has prepared for it.
    pub(super) made: Vec<Bytes>,
    /// The messages are being said again.
    pub(super) repeating: bool,
}

impl Rerun {
    /// Whether the client's output is held back.
    pub(super) fn holds(&self) -> bool {
        self.holding
    }

    /// Takes note of a statement that PostgreSQL has prepared for the client.
    pub(super) fn prepared(&mut self, name: Option<&Bytes>) {
        if self.holding {
            self.made.extend(name.filter(|name| !name.is_empty()).cloned());
        }
    }

    /// Whether the request may still be run again once this statement is a part of it.
    pub(super) fn allows(
        &mut self,
        analysis: &Analysis,
        plan: Option<&Planned>,
        phase: Phase,
    ) -> bool {
        let first = !std::mem::replace(&mut self.executed, true);
        let pieces = plan.map_or(&analysis.pieces, |plan| &plan.pieces);
        let once = plan.is_some_and(|plan| plan.detached || plan.commits_first)
            || self.ended
            || forces_retry(pieces)
            || pieces.iter().any(|piece| piece.on_error == OnError::Injected);
        if once {
            return false;
        }
        match &analysis.control {
            Some(Control::Begin(..)) => first && phase == Phase::Idle,
            Some(Control::Commit) => {
                self.ended = true;
                true
            }
            Some(
                Control::Savepoint(_)
                | Control::SetTransaction(_)
                | Control::Status
                | Control::Savepoints
                | Control::Set(_)
                | Control::SetAny,
            ) => true,
            Some(_) => false,
            None => match analysis.class {
                Class::Session | Class::Constant | Class::Work => true,
                Class::Definition => phase == Phase::Idle && !pieces.iter().any(is_concurrent),
                Class::Control | Class::Schema => false,
            },
        }
    }
}

/// `CREATE INDEX CONCURRENTLY` leaves something behind when it fails.
fn is_concurrent(piece: &Piece) -> bool {
    piece.sql.text.windows(12).any(|word| word.eq_ignore_ascii_case(b"concurrently"))
}

/// Waits for the client, and writes to it unless its output is held back.
pub(super) async fn pass(client: &mut Client, read: bool, holds: bool) -> std::io::Result<()> {
    match (read, holds) {
        (_, false) => client.pass(read).await,
        (true, true) => client.read().await,
        (false, true) => std::future::pending().await,
    }
}

/// How long to wait before the next attempt: longer with each, and never as long as the others.
pub(super) fn pause(attempts: u32) -> Duration {
    let most = 500_u64 << attempts.min(7);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
    Duration::from_micros(u64::from(now / 7) % most)
}

/// Whether a request's messages say all that they use: every portal, which ends with its transaction,
/// and the unnamed statement, unless it is still there.
pub(super) fn stands_alone(log: &BytesMut, keeps_unnamed: bool) -> bool {
    let mut log = log.clone();
    let mut portals = Vec::new();
    let (mut parsed, mut uses_unnamed) = (false, false);
    while let Some((&[tag, a, b, c, d], _)) = log.split_first_chunk::<5>() {
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        let Some(end) = length.checked_add(1).filter(|end| *end <= log.len()) else { return false };
        let mut body = log.split_to(end).freeze();
        body.advance(5.min(end));
        let kind = if tag == b'D' && !body.is_empty() { body.split_to(1) } else { Bytes::new() };
        let Some((name, rest)) = string(&body) else { return false };
        match (tag, kind.as_ref()) {
            (b'P', _) => parsed |= name.is_empty(),
            (b'B', _) => {
                let unnamed = string(&rest).is_some_and(|(statement, _)| statement.is_empty());
                uses_unnamed |= unnamed && !parsed;
                portals.push(name);
            }
            (b'D', b"S") => uses_unnamed |= name.is_empty() && !parsed,
            (b'D' | b'E', _) if !portals.contains(&name) => return false,
            _ => {}
        }
    }
    !uses_unnamed || keeps_unnamed && !parsed
}

/// Drops an answer, but for what PostgreSQL says once only: parameters and notifications.
pub(super) fn keep_reports(output: &mut BytesMut) {
    let mut answer = output.split();
    while let Some((&[tag, a, b, c, d], _)) = answer.split_first_chunk::<5>() {
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        let Some(body) = length.checked_add(1).and_then(|end| answer.get(5..end)) else { break };
        if matches!(tag, b'S' | b'A') {
            put(output, tag, body);
        }
        answer.advance(length + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_once_is_kept() {
        let mut output = BytesMut::new();
        put(&mut output, b'T', b"columns");
        put(&mut output, b'S', b"a\0b\0");
        put(&mut output, b'D', b"row");
        put(&mut output, b'A', b"note");
        put(&mut output, b'E', b"error");
        keep_reports(&mut output);
        let mut kept = BytesMut::new();
        put(&mut kept, b'S', b"a\0b\0");
        put(&mut kept, b'A', b"note");
        assert_eq!(output, kept);
    }

    #[test]
    fn a_request_that_uses_what_is_gone() {
        let log = |messages: &[(u8, &[u8])]| {
            let mut log = BytesMut::new();
            for (tag, body) in messages {
                put(&mut log, *tag, body);
            }
            log
        };
        let (parse, bind, run) = ((b'P', &b"\0x\0"[..]), (b'B', &b"\0\0"[..]), (b'E', &b"\0"[..]));
        let named = (b'B', &b"p\0s\0"[..]);
        assert!(stands_alone(&log(&[parse, bind, run]), false));
        assert!(stands_alone(&log(&[named, (b'D', b"Pp\0"), (b'E', b"p\0")]), false));
        assert!(!stands_alone(&log(&[named, run]), true));
        assert!(!stands_alone(&log(&[(b'D', b"P\0")]), true));
        assert!(stands_alone(&log(&[bind, run]), true));
        assert!(!stands_alone(&log(&[bind, run]), false));
        assert!(!stands_alone(&log(&[(b'D', b"S\0"), bind]), false));
        assert!(!stands_alone(&log(&[bind, run, parse]), true));
    }

    #[test]
    fn pauses_grow_up_to_a_bound() {
        assert!((0..1000).all(|attempt| pause(attempt) < Duration::from_millis(64)));
    }
}
