//! What has happened in a pool.

use std::collections::BTreeMap;
use std::time::Duration;

use super::action::Reason;

/// What has happened since the pool was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Connections that were opened.
    pub opened: u64,
    /// Attempts to connect that failed.
    pub open_failures: u64,
    /// Connections that were closed, by reason; a reason that did not occur may be absent.
    pub closed: BTreeMap<Reason, u64>,
    /// Connections that failed the check before they were checked out.
    pub checks_failed: u64,
    /// How often a connection was checked out.
    pub checkouts: u64,
    /// Checkouts and time-outs of callers that were not served at once.
    pub waits: u64,
    /// How long those waited, added up.
    pub wait_total: Duration,
    /// How long the longest of those waits was.
    pub wait_max: Duration,
    /// Waiters whose time was up.
    pub timeouts: u64,
    /// Waiters who were turned away because the line was full.
    pub refused: u64,
    /// Connections that were held for too long, or dropped.
    pub leaks: u64,
}
