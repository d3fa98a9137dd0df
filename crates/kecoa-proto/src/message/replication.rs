//! The messages of a replication stream, which travel inside CopyData in both directions.
//!
//! From the chapter "Streaming Replication Protocol" of PostgreSQL's documentation. Positions in the
//! write-ahead log (LSNs) are byte offsets; times are microseconds since 2000-01-01 00:00 UTC.

use bytes::{BufMut, Bytes};

use super::read::Reader;
use crate::error::ProtocolError;

/// What a server sends in a replication stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Streamed {
    /// `w`, XLogData: a piece of the write-ahead log, or what an output plugin made of it.
    Data(StreamedData),
    /// `k`: the server is alive.
    Keepalive(Keepalive),
}

/// A piece of the write-ahead log, or what an output plugin made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamedData {
    /// Where the data begins in the log.
    pub start: u64,
    /// Where the log ended on the server when it sent this.
    pub wal_end: u64,
    /// When the server sent this.
    pub sent: i64,
    /// The data: a slice of the socket buffer.
    pub payload: Bytes,
}

/// A sign of life of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keepalive {
    /// Where the log ends on the server.
    pub wal_end: u64,
    /// When the server sent this.
    pub sent: i64,
    /// Whether the server wants a status update at once, or it ends the connection.
    pub reply: bool,
}

impl Streamed {
    /// Reads the inside of a CopyData message.
    ///
    /// # Errors
    /// Another kind of message, or one that is too short.
    pub fn decode(body: Bytes) -> Result<Streamed, ProtocolError> {
        let mut r = Reader::new("replication", body);
        match r.u8("a kind")? {
            b'w' => Ok(Streamed::Data(StreamedData {
                start: position(&mut r, "where the data begins")?,
                wal_end: position(&mut r, "where the log ends")?,
                sent: time(&mut r)?,
                payload: r.bytes(r.remaining(), "data")?,
            })),
            b'k' => Ok(Streamed::Keepalive(Keepalive {
                wal_end: position(&mut r, "where the log ends")?,
                sent: time(&mut r)?,
                reply: r.u8("whether to reply")? != 0,
            })),
            other => Err(r.malformed("w or k", format!("{:?}", char::from(other)))),
        }
    }
}

fn position(r: &mut Reader, what: &str) -> Result<u64, ProtocolError> {
    Ok(u64::from_be_bytes(r.array(what)?))
}

fn time(r: &mut Reader) -> Result<i64, ProtocolError> {
    Ok(i64::from_be_bytes(r.array("a time")?))
}

/// `r`, Standby status update: how far the client has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatusUpdate {
    /// Up to where the client has received and written.
    pub written: u64,
    /// Up to where it is safe on the client's disk: the server may forget the log before.
    pub flushed: u64,
    /// Up to where it is applied.
    pub applied: u64,
    /// When this is sent.
    pub sent: i64,
    /// Whether the server is to reply at once, with a keepalive.
    pub reply: bool,
}

impl StatusUpdate {
    /// The inside of the CopyData message.
    #[must_use]
    pub fn encode(&self) -> [u8; 34] {
        let mut body = [0; 34];
        let mut out = &mut body[..];
        out.put_u8(b'r');
        out.put_u64(self.written);
        out.put_u64(self.flushed);
        out.put_u64(self.applied);
        out.put_i64(self.sent);
        out.put_u8(u8::from(self.reply));
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(kind: u8, numbers: &[u64], rest: &[u8]) -> Bytes {
        let mut body = vec![kind];
        numbers.iter().for_each(|number| body.extend(number.to_be_bytes()));
        body.extend(rest);
        body.into()
    }

    #[test]
    fn reads_both_kinds() {
        let data = Streamed::decode(body(b'w', &[1, 1 << 40, 7], b"BEGIN")).unwrap();
        let expected =
            StreamedData { start: 1, wal_end: 1 << 40, sent: 7, payload: Bytes::from("BEGIN") };
        assert_eq!(data, Streamed::Data(expected));
        let alive = Streamed::decode(body(b'k', &[9, u64::MAX], &[1])).unwrap();
        assert_eq!(alive, Streamed::Keepalive(Keepalive { wal_end: 9, sent: -1, reply: true }));
        let empty = Streamed::decode(body(b'w', &[1, 2, 3], b"")).unwrap();
        assert!(matches!(empty, Streamed::Data(data) if data.payload.is_empty()));
    }

    #[test]
    fn refuses_what_is_none_of_them() {
        for (bytes, expected, found) in [
            (body(b'x', &[], b""), "w or k", "'x'"),
            (Bytes::new(), "a kind (1 bytes)", "0 bytes"),
            (body(b'w', &[1], b"1234567"), "where the log ends (8 bytes)", "7 bytes"),
            (body(b'w', &[1, 2], b""), "a time (8 bytes)", "0 bytes"),
            (body(b'k', &[1, 2], b""), "whether to reply (1 bytes)", "0 bytes"),
        ] {
            let error = Streamed::decode(bytes).unwrap_err().to_string();
            assert_eq!(
                error,
                format!("malformed replication message: expected {expected}, found {found}")
            );
        }
    }

    #[test]
    fn writes_a_status_update() {
        let update = StatusUpdate { written: 3, flushed: 2, applied: 1, sent: -2, reply: true };
        let expected = body(b'r', &[3, 2, 1, u64::MAX - 1], &[1]);
        assert_eq!(update.encode()[..], expected[..]);
    }
}
