//! Axes: round numbers that cover a range.

/// Values from 0 to at least `largest`, at round steps, about `wanted` of them.
pub(super) fn round_steps(largest: f64, wanted: f64) -> Vec<f64> {
    if largest <= 0.0 || !largest.is_finite() {
        return vec![0.0, 1.0];
    }
    let raw = largest / wanted;
    let power = 10_f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|factor| factor * power)
        .into_iter()
        .find(|step| *step >= raw * 0.999)
        .unwrap_or(raw);
    let steps = (largest / step - 1e-9).ceil();
    (0_u32..100).map(f64::from).take_while(|at| *at <= steps).map(|at| at * step).collect()
}

/// Microseconds from 0 to at least `largest`, at steps that are round as seconds, minutes or hours.
pub(super) fn round_times(largest: u64, wanted: u64) -> Vec<u64> {
    const STEPS: [u64; 16] =
        [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 86_400];
    let seconds = (largest / 1_000_000).max(1);
    let raw = seconds.div_ceil(wanted);
    let step = STEPS.into_iter().find(|step| *step >= raw).unwrap_or(raw);
    (0..=seconds / step).map(|at| at.saturating_mul(step).saturating_mul(1_000_000)).collect()
}

/// Powers of ten in microseconds that cover a range, and at least two of them.
pub(super) fn powers(smallest: u64, largest: u64) -> (u32, u32) {
    let from = smallest.max(1).ilog10();
    let to = largest.max(1).saturating_sub(1).max(1).ilog10() + 1;
    (from, to.max(from + 1))
}

#[cfg(test)]
mod tests {
    use super::{powers, round_steps, round_times};

    #[test]
    fn steps_are_round_and_cover_the_range() {
        assert_eq!(round_steps(950.0, 4.0), [0.0, 500.0, 1_000.0]);
        assert_eq!(round_steps(1.0, 4.0), [0.0, 0.5, 1.0]);
        assert_eq!(round_steps(0.0, 4.0), [0.0, 1.0]);
        assert_eq!(round_steps(f64::NAN, 4.0), [0.0, 1.0]);
        for largest in [0.001, 3.7, 12.0, 99.9, 123_456.0, 1e300] {
            let steps = round_steps(largest, 4.0);
            assert!(steps.len() <= 7 && steps[steps.len() - 1] >= largest * 0.999, "{steps:?}");
        }
    }

    #[test]
    fn times_are_round() {
        assert_eq!(round_times(3_500_000, 6), [0, 1_000_000, 2_000_000, 3_000_000]);
        assert_eq!(round_times(300_000_000, 6).len(), 6);
        assert!(round_times(u64::MAX, 6).len() <= 8);
        assert_eq!(round_times(0, 6), [0, 1_000_000]);
    }

    #[test]
    fn powers_cover_the_range() {
        assert_eq!(powers(1_000, 40_000), (3, 5));
        assert_eq!(powers(1_000, 1_000), (3, 4));
        assert_eq!(powers(0, 0), (0, 1));
        assert_eq!(powers(1_500, 10_000), (3, 4));
    }
}
