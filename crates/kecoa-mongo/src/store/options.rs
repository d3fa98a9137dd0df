//! What a store is opened with, and what its server can do.

use std::time::Duration;

/// How a store works.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many connections there are at most; 16.
    pub connections: usize,
    /// How many transactions may be open at once, below `connections`; 12.
    pub transactions: usize,
    /// How long a statement waits for a connection, and a transaction for another one to end; 10 seconds.
    pub wait: Duration,
    /// How long a statement in a transaction waits for a lock that somebody else holds; 5 ms, as MongoDB.
    pub lock_wait: Duration,
    /// How long records of writes are kept; 30 minutes.
    pub record_life: Duration,
    /// How long changes are kept for streams, and written down after a stream was last read; a day.
    pub change_life: Duration,
}

impl Options {
    /// The defaults with so many connections. Three in four of them may hold a transaction: the others are for all that
    /// runs outside of one, and for what ends those.
    #[must_use]
    pub fn with_connections(connections: usize) -> Self {
        let connections = connections.max(2);
        let transactions = connections - connections.div_ceil(4);
        Self { connections, transactions, ..Self::default() }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connections: 16,
            transactions: 12,
            wait: Duration::from_secs(10),
            lock_wait: Duration::from_millis(5),
            record_life: Duration::from_secs(30 * 60),
            change_life: Duration::from_secs(24 * 60 * 60),
        }
    }
}

/// What the server can do: asked once, when the store is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// `PARTITION BY HASH`.
    pub hash_partitions: bool,
    /// A statement may name the part that its collection lies in.
    pub parts: bool,
    /// A statement may write one table twice, by `WITH`.
    pub one_table_twice: bool,
    /// `plan_cache_mode`.
    pub generic_plans: bool,
    /// `REPEATABLE READ` is a snapshot; else transactions are `SERIALIZABLE`.
    pub snapshot_isolation: bool,
    /// `pg_stat_activity` tells the oldest snapshot (`backend_xmin`).
    pub snapshots_shown: bool,
    /// `pg_current_snapshot()` names what a transaction sees.
    pub snapshots_named: bool,
    /// `lock_timeout`.
    pub lock_timeout: bool,
    /// Advisory locks keep transactions from committing at the same time.
    pub commit_lock: bool,
    /// `LISTEN` and `NOTIFY`.
    pub notices: bool,
}
