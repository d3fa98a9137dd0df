//! Decisions that depend on nothing but the seed and the place they are made for.
//!
//! No generator is advanced: each decision hashes its own coordinates. So what happens on one
//! connection never depends on what other connections do meanwhile, on the time, or on how TCP
//! cut the bytes.

use crate::plan::{Direction, Probability};

/// The dice of one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dice {
    /// The seed of the run.
    pub seed: u64,
    /// Which connection of that seed, from 1.
    pub connection: u64,
}

/// What a decision is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spin {
    /// Which way the message goes.
    pub direction: Direction,
    /// The number of the message in that direction, from 1.
    pub message: u64,
    /// Which fault of the plan, from 0.
    pub fault: u64,
    /// Which statement of the message, from 0.
    pub statement: u64,
}

impl Dice {
    /// Whether something of this probability happens.
    pub fn happens(self, probability: Probability, spin: Spin) -> bool {
        let drawn = self.draw(spin, 1) % u64::from(Probability::WHOLE);
        drawn < u64::from(probability.millionths())
    }

    /// A number from 0 to `bound`, `bound` excluded; 0 when there is nothing to choose.
    pub fn below(self, bound: u64, spin: Spin) -> u64 {
        self.draw(spin, 2).checked_rem(bound).unwrap_or(0)
    }

    fn draw(self, spin: Spin, question: u64) -> u64 {
        let direction = match spin.direction {
            Direction::Client => 1,
            Direction::Server => 2,
        };
        [self.connection, direction, spin.message, spin.fault, spin.statement, question]
            .into_iter()
            .fold(mix(self.seed), |state, part| mix(state ^ part))
    }
}

/// The finalizer of splitmix64, which changes half of the bits for any one changed bit.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spin(message: u64) -> Spin {
        Spin { direction: Direction::Client, message, fault: 0, statement: 0 }
    }

    #[test]
    fn the_same_place_gets_the_same_answer() {
        let dice = Dice { seed: 7, connection: 1 };
        // Written down: seeds that were reported must replay in later versions too.
        assert_eq!(dice.below(1_000_000, spin(1)), FIRST);
        assert_eq!(dice.below(1_000_000, spin(1)), dice.below(1_000_000, spin(1)));
        assert_eq!(dice.below(0, spin(1)), 0);
    }

    const FIRST: u64 = 846_448;

    #[test]
    fn each_coordinate_matters() {
        let base = Dice { seed: 7, connection: 1 };
        let first = base.draw(spin(1), 1);
        assert_ne!(first, Dice { seed: 8, ..base }.draw(spin(1), 1));
        assert_ne!(first, Dice { connection: 2, ..base }.draw(spin(1), 1));
        assert_ne!(first, base.draw(spin(2), 1));
        assert_ne!(first, base.draw(spin(1), 2));
        assert_ne!(first, base.draw(Spin { direction: Direction::Server, ..spin(1) }, 1));
        assert_ne!(first, base.draw(Spin { fault: 1, ..spin(1) }, 1));
        assert_ne!(first, base.draw(Spin { statement: 1, ..spin(1) }, 1));
    }

    #[test]
    fn chances_are_what_they_say() {
        let tenth = Probability::from_millionths(100_000).unwrap();
        let mut hits = 0_u32;
        for seed in 0..1_000 {
            let dice = Dice { seed, connection: 1 };
            hits += (1..=10).map(|at| u32::from(dice.happens(tenth, spin(at)))).sum::<u32>();
            assert!(dice.happens(Probability::ALWAYS, spin(1)));
            assert!(!dice.happens(Probability(0), spin(1)));
        }
        assert!((900..1_100).contains(&hits), "{hits}");
    }
}
