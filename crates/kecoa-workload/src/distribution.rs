//! Which of a number of items a transaction is about.

use std::fmt;
use std::str::FromStr;

use fastrand::Rng;

use crate::random::mix;

/// How often each of a number of items is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Distribution {
    /// All the same.
    Uniform,
    /// The k-th most popular one in proportion to `1 / k^theta`. Which those are is scattered over all items,
    /// so that popular ones are not neighbours.
    Zipf {
        /// The exponent, above 0 and below 1.
        theta: f64,
    },
    /// As `Zipf`, but the newest item is the most popular one, and so on backwards.
    Latest {
        /// The exponent, above 0 and below 1.
        theta: f64,
    },
    /// A share of the draws goes to the first few items, the rest to all others.
    Hot {
        /// How many items are hot.
        items: u64,
        /// Which share of the draws they get, from 0 to 1.
        share: f64,
    },
}

/// YCSB's exponent.
const THETA: f64 = 0.99;

impl FromStr for Distribution {
    type Err = String;

    fn from_str(text: &str) -> Result<Distribution, String> {
        let refused = || {
            format!(
                "expected uniform, zipf, zipf:THETA, latest, latest:THETA or hot:ITEMS:SHARE (with THETA above 0 \
                 and below 1, SHARE from 0 to 1), found {text:?}"
            )
        };
        let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
        let theta = |text: &str| number(text).filter(|theta| *theta > 0.0 && *theta < 1.0);
        let parts: Vec<&str> = text.split(':').collect();
        let found = match parts.as_slice() {
            ["uniform"] => Some(Distribution::Uniform),
            ["zipf"] => Some(Distribution::Zipf { theta: THETA }),
            ["latest"] => Some(Distribution::Latest { theta: THETA }),
            ["zipf", given] => theta(given).map(|theta| Distribution::Zipf { theta }),
            ["latest", given] => theta(given).map(|theta| Distribution::Latest { theta }),
            ["hot", items, share] => {
                let items = items.parse().ok().filter(|items| *items > 0);
                let share = number(share).filter(|share| (0.0..=1.0).contains(share));
                items.zip(share).map(|(items, share)| Distribution::Hot { items, share })
            }
            _ => None,
        };
        found.ok_or_else(refused)
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Distribution::Uniform => f.write_str("uniform"),
            Distribution::Zipf { theta } => write!(f, "zipf:{theta}"),
            Distribution::Latest { theta } => write!(f, "latest:{theta}"),
            Distribution::Hot { items, share } => write!(f, "hot:{items}:{share}"),
        }
    }
}

/// Draws from items that are numbered from 0.
#[derive(Debug, Clone)]
pub(crate) struct Drawing {
    distribution: Distribution,
    ranks: Option<Ranks>,
}

impl Drawing {
    /// Prepares to draw from about so many items.
    pub(crate) fn new(distribution: Distribution, items: u64) -> Drawing {
        let ranks = match distribution {
            Distribution::Zipf { theta } | Distribution::Latest { theta } => {
                Some(Ranks::new(items.max(1), theta))
            }
            Distribution::Uniform | Distribution::Hot { .. } => None,
        };
        Drawing { distribution, ranks }
    }

    /// An item of the `items` that there are now, which may be more than when this was prepared. 0 when there
    /// are none.
    pub(crate) fn draw(&self, random: &mut Rng, items: u64) -> u64 {
        let items = items.max(1);
        match (self.distribution, &self.ranks) {
            (Distribution::Zipf { .. }, Some(ranks)) => mix(ranks.draw(random)) % items,
            (Distribution::Latest { .. }, Some(ranks)) => {
                (items - 1).saturating_sub(ranks.draw(random))
            }
            (Distribution::Hot { items: hot, share }, _) if hot < items => {
                match random.f64() < share {
                    true => random.u64(..hot),
                    false => random.u64(hot..items),
                }
            }
            _ => random.u64(..items),
        }
    }
}

/// Ranks from 0 with the frequencies of Zipf's law, in constant time: the method of Gray, Sundaresan, Englert,
/// Baclawski and Weinberger, "Quickly generating billion-record synthetic databases" (SIGMOD 1994).
#[derive(Debug, Clone)]
struct Ranks {
    items: u64,
    theta: f64,
    alpha: f64,
    zeta: f64,
    eta: f64,
}

impl Ranks {
    fn new(items: u64, theta: f64) -> Ranks {
        let zeta = zeta(items, theta);
        let alpha = 1.0 / (1.0 - theta);
        let eta =
            (1.0 - (2.0 / float(items)).powf(1.0 - theta)) / (1.0 - zeta_of_two(theta) / zeta);
        Ranks { items, theta, alpha, zeta, eta }
    }

    fn draw(&self, random: &mut Rng) -> u64 {
        let u = random.f64();
        let uz = u * self.zeta;
        if uz < 1.0 || self.items == 1 {
            return 0;
        }
        if uz < zeta_of_two(self.theta) || self.items == 2 {
            return 1;
        }
        let rank = float(self.items) * (self.eta * (u - 1.0) + 1.0).powf(self.alpha);
        whole(rank).min(self.items - 1)
    }
}

fn zeta_of_two(theta: f64) -> f64 {
    1.0 + 0.5_f64.powf(theta)
}

/// The sum of `1 / k^theta` for k from 1 to `items`. Beyond a million terms the rest is its integral, which is
/// less than a millionth of the sum away from it.
fn zeta(items: u64, theta: f64) -> f64 {
    const EXACT: u64 = 1_000_000;
    let exact = items.min(EXACT);
    let sum: f64 = (1..=exact).map(|k| float(k).powf(-theta)).sum();
    if items <= EXACT {
        return sum;
    }
    let integral = |x: f64| x.powf(1.0 - theta) / (1.0 - theta);
    sum + integral(float(items) + 0.5) - integral(float(exact) + 0.5)
}

#[expect(clippy::cast_precision_loss, reason = "a probability needs no more digits")]
fn float(number: u64) -> f64 {
    number as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates; the fraction is not wanted"
)]
fn whole(number: f64) -> u64 {
    number as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::random::of_worker;

    fn counts(distribution: Distribution, items: u64, draws: usize, seed: u64) -> Vec<f64> {
        let drawing = Drawing::new(distribution, items);
        let mut random = of_worker(seed, 0);
        let mut counts = vec![0.0; usize::try_from(items).unwrap()];
        for _ in 0..draws {
            let item = usize::try_from(drawing.draw(&mut random, items)).unwrap();
            *counts.get_mut(item).unwrap() += 1.0;
        }
        counts
    }

    #[test]
    fn texts_are_read_and_written() {
        for text in ["uniform", "zipf:0.5", "latest:0.99", "hot:3:0.9"] {
            assert_eq!(text.parse::<Distribution>().unwrap().to_string(), text);
        }
        assert_eq!("zipf".parse(), Ok(Distribution::Zipf { theta: 0.99 }));
        for wrong in [
            "",
            "zipf:1",
            "zipf:0",
            "zipf:x",
            "hot",
            "hot:0:0.5",
            "hot:1:1.5",
            "uniform:1",
            "zipf:NaN",
        ] {
            assert!(
                wrong.parse::<Distribution>().unwrap_err().contains("expected uniform"),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_sum_that_is_not_added_up_to_its_end_is_as_good() {
        let added: f64 = (1..=3_000_000_u64).map(|k| float(k).powf(-0.99)).sum();
        assert!((zeta(3_000_000, 0.99) - added).abs() / added < 1e-6);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn every_draw_is_an_item(
            seed: u64, items in 1_u64..5_000, more in 0_u64..100, kind in 0_u8..4, theta in 0.01_f64..0.999,
        ) {
            let distribution = match kind {
                0 => Distribution::Uniform,
                1 => Distribution::Zipf { theta },
                2 => Distribution::Latest { theta },
                _ => Distribution::Hot { items: 3, share: theta },
            };
            let drawing = Drawing::new(distribution, items);
            let mut random = of_worker(seed, 0);
            for _ in 0..200 {
                prop_assert!(drawing.draw(&mut random, items + more) < items + more);
            }
        }

        #[test]
        fn uniform_draws_are_about_equally_many(seed: u64) {
            // Chi-squared with 9 degrees of freedom: beyond 45 once in a million.
            let counts = counts(Distribution::Uniform, 10, 10_000, seed);
            let chi: f64 = counts.iter().map(|count| (count - 1_000.0).powi(2) / 1_000.0).sum();
            prop_assert!(chi < 45.0, "{counts:?}");
        }

        #[test]
        fn popular_items_are_as_popular_as_zipf_has_it(seed: u64, theta in 0.3_f64..0.99) {
            let (items, draws) = (100, 20_000);
            let mut counts = counts(Distribution::Latest { theta }, items, draws, seed);
            counts.reverse();
            // The first two ranks are exact in the method, the others approximations of a few percent.
            let expected = |rank: f64| 20_000.0 * rank.powf(-theta) / zeta(items, theta);
            for (rank, count) in [1.0, 2.0].into_iter().zip(&counts) {
                let deviation = (count - expected(rank)).abs() / expected(rank).sqrt();
                prop_assert!(deviation < 6.0, "rank {rank}: {count} of {}", expected(rank));
            }
            let (upper, lower) = counts.split_at(50);
            prop_assert!(upper.iter().sum::<f64>() > lower.iter().sum::<f64>());
        }

        #[test]
        fn zipf_is_latest_scattered(seed: u64) {
            let mut zipf = counts(Distribution::Zipf { theta: 0.9 }, 1_000, 5_000, seed);
            // Two ranks may share an item, so that the most popular one has at least the first rank's draws.
            zipf.sort_by(f64::total_cmp);
            let expected = 5_000.0 / zeta(1_000, 0.9);
            prop_assert!(*zipf.last().unwrap() > expected - 6.0 * expected.sqrt());
        }

        #[test]
        fn hot_items_get_their_share(seed: u64, share in 0.1_f64..0.9) {
            let counts = counts(Distribution::Hot { items: 2, share }, 50, 10_000, seed);
            let hot: f64 = counts.iter().take(2).sum();
            prop_assert!((hot / 10_000.0 - share).abs() < 0.035, "{hot}");
        }
    }
}
