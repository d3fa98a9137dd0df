//! psycopg2's replication objects, over `kecoa`'s streams. What needs no wire is Python:
//! `kecoa/_replication.py`.

mod connection;
mod cursor;
mod message;

pub(crate) use connection::ReplicationConnection;
pub(crate) use cursor::ReplicationCursor;
pub(crate) use message::ReplicationMessage;

/// `REPLICATION_PHYSICAL`: the write-ahead log as it is.
pub(crate) const PHYSICAL: i64 = 12_345_678;
/// `REPLICATION_LOGICAL`: what an output plugin makes of it.
pub(crate) const LOGICAL: i64 = 87_654_321;
