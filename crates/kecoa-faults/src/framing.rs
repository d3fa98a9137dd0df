//! Where messages begin and end in a stream that is only looked at.

use crate::plan::Direction;

/// So much of a message is looked at; statements longer than that are matched by their beginning.
const HEAD: u64 = 64 * 1024;
/// The unit of a stream that cannot be looked into.
const BLOCK: u64 = 256;
/// PostgreSQL's limit for the message that opens a session.
const STARTUP_LIMIT: u64 = 10_000;
/// PostgreSQL's limit for any other.
const MESSAGE_LIMIT: u64 = 1 << 30;

/// The first byte of a TLS connection that asks for no leave (a handshake record).
const TLS_RECORD: u8 = 0x16;

/// What a stream is made of at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Messages of a client without a tag: a length and a code.
    Startup,
    /// One byte of a server: whether there will be TLS.
    Reply,
    /// Messages with a tag and a length.
    Messages,
    /// Anything: TLS, or another protocol.
    Bytes,
}

/// The next message, or what stands for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unit {
    /// What it is; [`Phase::Bytes`] also for what turned out to be no message.
    pub(super) phase: Phase,
    /// Its tag; 0 where there is none.
    pub(super) tag: u8,
    /// How long it is, header included. A block may end early, with the stream.
    pub(super) length: u64,
}

/// Finds the message at the head of `input`; `None` when more of it has to arrive first.
pub(super) fn next(phase: Phase, direction: Direction, input: &[u8]) -> Option<Unit> {
    let block = Unit { phase: Phase::Bytes, tag: 0, length: BLOCK };
    let &first = input.first()?;
    match phase {
        Phase::Bytes => Some(block),
        Phase::Reply if first == b'E' => next(Phase::Messages, direction, input),
        Phase::Reply => Some(Unit { phase, tag: first, length: 1 }),
        Phase::Startup if first == TLS_RECORD => Some(block),
        Phase::Startup => {
            let length = u64::from(u32::from_be_bytes(*input.first_chunk::<4>()?));
            if !(8..=STARTUP_LIMIT).contains(&length) {
                return Some(block);
            }
            arrived(input, length).then_some(Unit { phase, tag: 0, length })
        }
        Phase::Messages => {
            let &[tag, a, b, c, d] = input.first_chunk::<5>()?;
            let length = u64::from(u32::from_be_bytes([a, b, c, d])) + 1;
            if !(5..=MESSAGE_LIMIT).contains(&length) {
                return Some(block);
            }
            let looked_at = match (direction, tag) {
                (Direction::Client, b'Q' | b'P' | b'B' | b'C')
                | (Direction::Server, b'C' | b'E') => length.min(HEAD),
                _ => 5,
            };
            arrived(input, looked_at).then_some(Unit { phase, tag, length })
        }
    }
}

fn arrived(input: &[u8], length: u64) -> bool {
    usize::try_from(length).is_ok_and(|length| input.len() >= length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_found_and_what_is_none_is_bytes() {
        let (client, server) = (Direction::Client, Direction::Server);
        let unit = |phase, tag, length| Some(Unit { phase, tag, length });
        let block = unit(Phase::Bytes, 0, BLOCK);
        assert_eq!(next(Phase::Startup, client, b""), None);
        assert_eq!(next(Phase::Startup, client, b"\0\0\0\x08\x04\xd2\x16"), None);
        let tls = b"\0\0\0\x08\x04\xd2\x16\x2f";
        assert_eq!(next(Phase::Startup, client, tls), unit(Phase::Startup, 0, 8));
        assert_eq!(next(Phase::Startup, client, b"\x16\x03\x01"), block);
        assert_eq!(next(Phase::Startup, client, b"GET / HTTP/1.1"), block);
        assert_eq!(next(Phase::Startup, client, b"\0\0\0\x07rest"), block);
        assert_eq!(next(Phase::Reply, server, b"N"), unit(Phase::Reply, b'N', 1));
        assert_eq!(next(Phase::Reply, server, b"E\0\0"), None);
        assert_eq!(next(Phase::Messages, client, b"Q\0\0\0\x05"), None);
        assert_eq!(next(Phase::Messages, client, b"Q\0\0\0\x05\0"), unit(Phase::Messages, b'Q', 6));
        // Nothing of a row is looked at: its header will do.
        assert_eq!(
            next(Phase::Messages, server, b"D\0\x10\0\0"),
            unit(Phase::Messages, b'D', (1 << 20) + 1)
        );
        assert_eq!(next(Phase::Messages, server, b"D\0\0\0\x03"), block);
        assert_eq!(next(Phase::Messages, server, b"D\xff\xff\xff\xff"), block);
        assert_eq!(next(Phase::Bytes, server, b"x"), block);
    }
}
