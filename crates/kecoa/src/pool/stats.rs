//! What can be seen of a pool from outside.

use std::collections::BTreeMap;
use std::time::Duration;

use super::core::{Core, Reason};
use super::settings::Settings;

/// The figures of a pool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// How many connections are kept open.
    pub min_size: usize,
    /// How many connections there are at most.
    pub max_size: usize,
    /// How many there are, without those that are being opened.
    pub size: usize,
    /// How many wait to be checked out.
    pub idle: usize,
    /// How many are checked out.
    pub in_use: usize,
    /// How many are being opened.
    pub opening: usize,
    /// How many callers wait.
    pub waiting: usize,
    /// Connections that were opened.
    pub opened: u64,
    /// Attempts to connect that failed.
    pub open_failures: u64,
    /// Connections that were closed, by reason.
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
    /// Callers whose time was up.
    pub timeouts: u64,
    /// Callers who were turned away because the line was full.
    pub refused: u64,
    /// Connections that were held for too long.
    pub leaks: u64,
}

impl Stats {
    pub(crate) fn of(core: &Core) -> Stats {
        let Settings { min_size, max_size, .. } = *core.settings();
        let counters = core.counters();
        let (size, idle) = (core.size(), core.idle());
        Stats {
            min_size,
            max_size,
            size,
            idle,
            in_use: size.saturating_sub(idle),
            opening: core.opening(),
            waiting: core.waiting(),
            opened: counters.opened,
            open_failures: counters.open_failures,
            closed: counters.closed.clone(),
            checks_failed: counters.checks_failed,
            checkouts: counters.checkouts,
            waits: counters.waits,
            wait_total: counters.wait_total,
            wait_max: counters.wait_max,
            timeouts: counters.timeouts,
            refused: counters.refused,
            leaks: counters.leaks,
        }
    }
}
