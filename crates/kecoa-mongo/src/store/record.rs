//! Records of writes that may be sent again.

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
