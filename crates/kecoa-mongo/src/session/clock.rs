//! The cluster's clock: seconds and a counter, which never go back.

use std::sync::Mutex;
use std::sync::PoisonError;

use ::bson::Timestamp;

/// The time that replies carry as `$clusterTime` and `operationTime`.
#[derive(Debug, Default)]
pub struct ClusterClock(Mutex<(u32, u32)>);

impl ClusterClock {
    /// A time after all that were given out: that of a write.
    pub fn tick(&self, now_seconds: u32) -> Timestamp {
        self.change(|latest| {
            *latest = if now_seconds > latest.0 {
                (now_seconds, 1)
            } else {
                match latest.1.checked_add(1) {
                    Some(increment) => (latest.0, increment),
                    None => (latest.0.saturating_add(1), 1),
                }
            };
        })
    }

    /// The latest time, at least that of the wall clock: that of a read.
    pub fn read(&self, now_seconds: u32) -> Timestamp {
        self.change(|latest| *latest = (*latest).max((now_seconds, 1)))
    }

    /// Moves the clock to a time that another has seen, if that is later.
    pub fn advance(&self, seen: Timestamp) {
        self.change(|latest| *latest = (*latest).max((seen.time, seen.increment)));
    }

    fn change(&self, change: impl FnOnce(&mut (u32, u32))) -> Timestamp {
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut latest);
        Timestamp { time: latest.0, increment: latest.1 }
    }
}
