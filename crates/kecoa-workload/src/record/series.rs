//! What happened when: intervals of equal width, which widen as the run goes on so that their number stays bounded.

use std::collections::BTreeMap;
use std::time::Duration;

use super::latency::{Coarse, microseconds};

/// There are never more intervals than this.
pub(crate) const MOST_INTERVALS: u64 = 300;
/// The width that a run begins with, in microseconds.
const FIRST_WIDTH: u64 = 1_000_000;

/// Counts and latencies by time.
#[derive(Debug)]
pub(crate) struct Series {
    width: u64,
    intervals: BTreeMap<u64, Interval>,
}

/// What happened in one interval.
#[derive(Debug, Default)]
pub(crate) struct Interval {
    /// Transactions that committed.
    pub(crate) committed: u64,
    /// Transactions that ended otherwise.
    pub(crate) not_committed: u64,
    /// Attempts that were followed by another one.
    pub(crate) retries: u64,
    /// Faults that were injected.
    pub(crate) faults: u64,
    /// How long those took that committed; none yet costs no memory.
    pub(crate) latencies: Option<Box<Coarse>>,
}

impl Interval {
    pub(crate) fn record_latency(&mut self, took: Duration) {
        self.latencies.get_or_insert_with(|| Box::new(Coarse::coarse())).record(took);
    }

    fn add(&mut self, other: Interval) {
        self.committed += other.committed;
        self.not_committed += other.not_committed;
        self.retries += other.retries;
        self.faults += other.faults;
        match (&mut self.latencies, other.latencies) {
            (Some(mine), Some(others)) => mine.add(&others),
            (mine @ None, others) => *mine = others,
            (Some(_), None) => {}
        }
    }
}

impl Series {
    pub(crate) fn new() -> Series {
        Series { width: FIRST_WIDTH, intervals: BTreeMap::new() }
    }

    /// The interval of a time since the run's start.
    pub(crate) fn at(&mut self, time: Duration) -> &mut Interval {
        let us = microseconds(time);
        while us / self.width >= MOST_INTERVALS {
            self.widen();
        }
        self.intervals.entry(us / self.width).or_default()
    }

    /// The width of an interval, in microseconds.
    pub(crate) fn width(&self) -> u64 {
        self.width
    }

    /// The intervals in which something happened, each by its start in microseconds, the first first.
    pub(crate) fn intervals(&self) -> impl Iterator<Item = (u64, &Interval)> {
        self.intervals.iter().map(|(index, interval)| (index * self.width, interval))
    }

    fn widen(&mut self) {
        self.width = self.width.saturating_mul(2);
        for (index, interval) in std::mem::take(&mut self.intervals) {
            self.intervals.entry(index / 2).or_default().add(interval);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{MOST_INTERVALS, Series};

    #[test]
    fn intervals_widen_and_nothing_is_lost() {
        let mut series = Series::new();
        for second in 0..10 * MOST_INTERVALS {
            let interval = series.at(Duration::from_secs(second));
            interval.committed += 1;
            interval.record_latency(Duration::from_millis(second + 1));
        }
        assert_eq!(series.width(), 16_000_000);
        assert!(series.intervals().count() as u64 <= MOST_INTERVALS);
        assert_eq!(series.intervals().map(|(_, i)| i.committed).sum::<u64>(), 10 * MOST_INTERVALS);
        let latencies = |i: &super::Interval| i.latencies.as_ref().map_or(0, |l| l.count());
        assert_eq!(series.intervals().map(|(_, i)| latencies(i)).sum::<u64>(), 10 * MOST_INTERVALS);
        let (start, second) = series.intervals().nth(1).unwrap();
        assert_eq!((start, second.committed), (16_000_000, 16));
    }

    #[test]
    fn the_longest_time_there_is_has_an_interval() {
        let mut series = Series::new();
        series.at(Duration::ZERO).retries += 1;
        series.at(Duration::MAX).retries += 1;
        assert_eq!(series.intervals().map(|(_, i)| i.retries).sum::<u64>(), 2);
    }
}
