//! Records of writes that may be sent again.

use std::time::{SystemTime, UNIX_EPOCH};

/// Names a write: the session, its number of the transaction, the statement in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RecordId {
    /// The session: `lsid`'s id and the hash of the user.
    pub session: Vec<u8>,
    /// `txnNumber`.
    pub transaction: i64,
    /// The statement's number; [`RecordId::COMMIT`] is the transaction's end.
    pub statement: i32,
}

/// A write that happened: its result is given again when it is sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Which one.
    pub id: RecordId,
    /// What was answered: bytes that only the caller reads.
    pub reply: Vec<u8>,
}

impl RecordId {
    /// The number of a transaction's end among statements.
    pub const COMMIT: i32 = -1;
}

pub(super) const KEEP: &str = "INSERT INTO kecoa_mongo.session (lsid, txn, stmt, reply, at) \
     VALUES ($1, $2, $3, $4, $5)";

/// Milliseconds since 1970, by this machine's clock: how old records are, and when a collection was dropped.
pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
