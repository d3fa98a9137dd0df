//! Types of PostgreSQL's own: places in its log and in its tables, transactions.

/// A `pg_lsn`: a place in the write-ahead log, bytes from its beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PgLsn(pub u64);

/// A `tid`: a row's place in its table, as in the column `ctid`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tid {
    /// The block.
    pub block: u32,
    /// The row within it.
    pub offset: u16,
}

/// An `xid8`: a transaction's number, which never comes round again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Xid8(pub u64);
