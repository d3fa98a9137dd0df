//! What the request at hand would need to be run again.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::{Buf, BytesMut};

use super::messages::{Client, put};
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
    /// The messages are being said again.
    pub(super) repeating: bool,
}

impl Rerun {
    /// Whether the client's output is held back.
    pub(super) fn holds(&self) -> bool {
        self.holding
    }

    /// Whether a statement that the client prepared in this request may be there already.
    pub(super) fn repeats(&self) -> bool {
        self.repeating
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
        let once = plan.is_some_and(|plan| plan.detached)
            || self.ended
            || forces_retry(pieces)
            || pieces.iter().any(|piece| piece.on_error == OnError::Injected);
        if once {
            return false;
        }
        match &analysis.control {
            Some(Control::Begin(_)) => first && phase == Phase::Idle,
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
    fn pauses_grow_up_to_a_bound() {
        assert!((0..1000).all(|attempt| pause(attempt) < Duration::from_millis(64)));
    }
}
