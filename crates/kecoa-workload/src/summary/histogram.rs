//! Times in intervals that widen with the times, as a logarithmic axis has them.

use super::document::HistogramBar;

/// Where intervals begin within a power of ten, in tenths of it.
const STEPS: [u64; 6] = [10, 15, 20, 30, 50, 70];

/// Times in microseconds and their counts, the shortest first, put into intervals.
pub(super) fn bars(times: impl Iterator<Item = (u64, u64)>) -> Vec<HistogramBar> {
    let mut bars: Vec<HistogramBar> = Vec::new();
    let mut bounds = bounds();
    for (time, count) in times {
        loop {
            match bars.last_mut() {
                Some(bar) if time < bar.to_us => {
                    bar.count += count;
                    break;
                }
                _ => {}
            }
            let Some((from_us, to_us)) = bounds.next() else { break };
            if time < to_us || !bars.is_empty() {
                bars.push(HistogramBar { from_us, to_us, count: 0 });
            }
        }
    }
    bars
}

/// The intervals: 0 to 1 µs, 1 to 2, … 1 to 1.5 ms, 1.5 to 2 ms, …
fn bounds() -> impl Iterator<Item = (u64, u64)> {
    let powers = (0..18).map(|power| 10_u64.pow(power));
    let mut starts: Vec<u64> =
        powers.flat_map(|power| STEPS.map(|step| power * step / 10)).chain([u64::MAX]).collect();
    starts.dedup();
    let ends = starts.clone();
    [0].into_iter().chain(starts).zip(ends)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::bars;

    #[test]
    fn the_first_interval_and_the_last_have_times() {
        let bars = bars([(0, 1), (1_000, 2), (1_999, 3), (2_000, 4)].into_iter());
        let shown: Vec<_> = bars.iter().map(|bar| (bar.from_us, bar.to_us, bar.count)).collect();
        assert_eq!(shown[..3], [(0, 1, 1), (1, 2, 0), (2, 3, 0)]);
        assert_eq!(
            shown[shown.len() - 3..],
            [(1_000, 1_500, 2), (1_500, 2_000, 3), (2_000, 3_000, 4)]
        );
    }

    proptest! {
        #[test]
        fn every_time_is_within_its_interval(mut times in prop::collection::vec(any::<u64>(), 0..50)) {
            times.iter_mut().enumerate().for_each(|(at, time)| *time >>= at % 64);
            times.retain(|time| *time < u64::MAX);
            times.sort_unstable();
            let bars = bars(times.iter().map(|time| (*time, 1)));
            prop_assert!(bars.windows(2).all(|pair| pair[0].to_us == pair[1].from_us));
            for bar in bars {
                let within = times.iter().filter(|time| (bar.from_us..bar.to_us).contains(*time));
                prop_assert_eq!(within.count() as u64, bar.count);
            }
        }
    }
}
