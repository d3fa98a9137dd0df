//! Distributions of times, in HDR histograms: a bounded error, and a memory that does not grow with what is recorded.

use std::time::Duration;

use hdrhistogram::{Counter, Histogram};

/// Times above an hour count as an hour.
const LONGEST: u64 = 3_600_000_000;

/// A distribution of times in microseconds.
///
/// [`Exact`] keeps three significant digits, [`Coarse`] two, which is enough for a line in a chart and
/// a hundredth of the memory.
#[derive(Clone, Debug)]
pub(crate) struct Latencies<C: Counter> {
    histogram: Histogram<C>,
    /// The longest time as it was, because the histogram rounds.
    longest: u64,
}

/// Three significant digits: at most 200 KB.
pub(crate) type Exact = Latencies<u64>;
/// Two significant digits: at most 13 KB.
pub(crate) type Coarse = Latencies<u32>;

impl Exact {
    pub(crate) fn exact() -> Exact {
        Latencies::with_digits(3)
    }
}

impl Coarse {
    pub(crate) fn coarse() -> Coarse {
        Latencies::with_digits(2)
    }
}

impl<C: Counter> Latencies<C> {
    fn with_digits(digits: u8) -> Latencies<C> {
        let Ok(mut histogram) = Histogram::new_with_bounds(1, 4_000, digits) else {
            unreachable!(
                "a histogram from 1 µs to 4 ms with {digits} digits is one that can be made"
            )
        };
        histogram.auto(true);
        Latencies { histogram, longest: 0 }
    }

    pub(crate) fn record(&mut self, time: Duration) {
        let us = microseconds(time);
        self.longest = self.longest.max(us);
        // Within the bounds that the histogram may grow to, so nothing is lost.
        let _ = self.histogram.record(us.clamp(1, LONGEST));
    }

    /// Takes in what `other` has recorded.
    pub(crate) fn add(&mut self, other: &Latencies<C>) {
        self.longest = self.longest.max(other.longest);
        // It grows where the other reaches further.
        let _ = self.histogram.add(&other.histogram);
    }

    /// How many times were recorded.
    pub(crate) fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// Their mean, in microseconds; 0 without any.
    pub(crate) fn mean(&self) -> Duration {
        Duration::try_from_secs_f64(self.histogram.mean() / 1e6).unwrap_or_default()
    }

    /// The time, in microseconds, that `percent` of a hundred do not exceed; 0 without any.
    pub(crate) fn percentile(&self, percent: f64) -> u64 {
        // The histogram gives the end of the range that it rounds to, which may be above the longest.
        self.histogram.value_at_percentile(percent).min(self.longest)
    }

    /// The shortest time, in microseconds; 0 without any.
    pub(crate) fn shortest(&self) -> u64 {
        self.histogram.min()
    }

    /// The longest time, in microseconds, as it was recorded; 0 without any.
    pub(crate) fn longest(&self) -> u64 {
        self.longest
    }

    /// The times in microseconds and how often each was recorded, the shortest first.
    pub(crate) fn recorded(&self) -> impl Iterator<Item = (u64, u64)> {
        self.histogram.iter_recorded().map(|value| {
            let time = self.histogram.lowest_equivalent(value.value_iterated_to());
            (time, value.count_since_last_iteration())
        })
    }
}

/// Whole microseconds; a longer time than fits is the longest.
pub(crate) fn microseconds(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::{Coarse, Exact};

    proptest! {
        #[test]
        fn percentiles_are_within_the_histograms_error(
            mut times in prop::collection::vec(1_u64..3_600_000_000, 1..200), permille in 1_u32..=1_000
        ) {
            let (mut exact, mut coarse) = (Exact::exact(), Coarse::coarse());
            for us in &times {
                exact.record(Duration::from_micros(*us));
                coarse.record(Duration::from_micros(*us));
            }
            times.sort_unstable();
            let rank = (permille as usize * times.len()).div_ceil(1_000);
            // A product that should be whole may be a little more: then the next one is as right.
            let truths = &times[rank.max(1) - 1..(rank + 1).min(times.len())];
            let near = |found: u64, error: f64| {
                let is_near = |truth: &u64| found.abs_diff(*truth) as f64 <= *truth as f64 * error + 1.0;
                truths.iter().any(is_near)
            };
            let percent = f64::from(permille) / 10.0;
            prop_assert!(near(exact.percentile(percent), 0.001), "{} {truths:?}", exact.percentile(percent));
            prop_assert!(near(coarse.percentile(percent), 0.01), "{} {truths:?}", coarse.percentile(percent));
            prop_assert_eq!(exact.longest(), times[times.len() - 1]);
            prop_assert_eq!(exact.recorded().map(|(_, count)| count).sum::<u64>(), times.len() as u64);
        }
    }

    #[test]
    fn times_beyond_all_bounds_count() {
        let mut times = Exact::exact();
        times.record(Duration::ZERO);
        times.record(Duration::MAX);
        assert_eq!((times.count(), times.longest()), (2, u64::MAX));
        assert!(times.percentile(100.0) >= 3_600_000_000);
    }

    #[test]
    fn what_two_recorded_is_what_one_would_have() {
        let (mut one, mut other) = (Coarse::coarse(), Coarse::coarse());
        one.record(Duration::from_micros(10));
        other.record(Duration::from_secs(100));
        one.add(&other);
        assert_eq!((one.count(), one.longest()), (2, 100_000_000));
    }
}
