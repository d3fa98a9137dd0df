//! Until when a connection must have been made.

use std::time::{Duration, Instant};

/// A moment after which nobody waits any more, and the option that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Deadline {
    pub(super) at: Instant,
    pub(super) option: &'static str,
    /// What the option allows in all.
    pub(super) allows: Duration,
}

impl Deadline {
    /// The deadline of something that begins now; nothing when it is too far away to be told.
    pub(super) fn begin(option: &'static str, allows: Duration) -> Option<Deadline> {
        Some(Deadline { at: Instant::now().checked_add(allows)?, option, allows })
    }
}

/// The time limits of a search for a host.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    /// `connect_timeout`, for each address.
    pub(super) each: Option<Duration>,
    /// `connect_total_timeout`, for everything.
    pub(super) total: Option<Deadline>,
}

impl Clock {
    /// The option for each address, and the option for all, which begins now.
    pub(super) fn start(each: Option<Duration>, total: Option<Duration>) -> Clock {
        let total = total.and_then(|total| Deadline::begin(TOTAL, total));
        Clock { each, total }
    }

    /// The deadline of an address that is tried from now on.
    pub(super) fn deadline(&self) -> Option<Deadline> {
        let each = self.each.and_then(|each| Deadline::begin(EACH, each));
        match (each, self.total) {
            (Some(each), Some(total)) if total.at < each.at => Some(total),
            (each, total) => each.or(total),
        }
    }

    /// The limit for everything, if it has passed.
    pub(super) fn passed(&self) -> Option<Deadline> {
        self.total.filter(|total| total.at <= Instant::now())
    }
}

const EACH: &str = "connect_timeout";
pub(super) const TOTAL: &str = "connect_total_timeout";
