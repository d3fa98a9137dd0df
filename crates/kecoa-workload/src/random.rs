//! Random numbers of a run: the same seed, worker and number of a draw give the same number.

use fastrand::Rng;

/// The generator of a worker. A worker's draws do not depend on those of others.
pub(crate) fn of_worker(seed: u64, worker: u32) -> Rng {
    Rng::with_seed(mix(seed ^ mix(u64::from(worker) + 1)))
}

/// A number whose bits all depend on all of those of `number`: the finalizer of SplitMix64
/// (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
pub(crate) fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A number from `least` to `most`, both included.
pub(crate) fn between(random: &mut Rng, least: i64, most: i64) -> i64 {
    if least >= most { least } else { random.i64(least..=most) }
}

/// Letters and digits.
pub(crate) fn text(random: &mut Rng, length: usize) -> String {
    std::iter::repeat_with(|| random.alphanumeric()).take(length).collect()
}

/// Whether something happens that has this probability, from 0 to 1.
pub(crate) fn happens(random: &mut Rng, probability: f64) -> bool {
    random.f64() < probability
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_and_a_worker_give_the_same_draws() {
        let draws = |seed, worker| -> Vec<u64> {
            let mut random = of_worker(seed, worker);
            (0..20).map(|_| random.u64(..)).collect()
        };
        assert_eq!(draws(7, 3), draws(7, 3));
        assert_ne!(draws(7, 3), draws(7, 4));
        assert_ne!(draws(7, 3), draws(8, 3));
        // Seeds and workers are not simply added up.
        assert_ne!(draws(7, 4), draws(8, 3));
    }

    #[test]
    fn bounds_are_included() {
        let mut random = of_worker(1, 0);
        let drawn: Vec<i64> = (0..200).map(|_| between(&mut random, 3, 5)).collect();
        assert!((3..=5).all(|number| drawn.contains(&number)));
        assert!(drawn.iter().all(|number| (3..=5).contains(number)));
        assert_eq!(between(&mut random, 5, 5), 5);
    }
}
