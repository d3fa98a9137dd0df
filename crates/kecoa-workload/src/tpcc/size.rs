//! How much data there is, and how it is drawn from.

use fastrand::Rng;

use crate::random::between;

/// Districts of a warehouse, as in the specification.
pub(super) const DISTRICTS: i64 = 10;
/// Customers of a district; 3000 in the specification.
pub(super) const CUSTOMERS: i64 = 30;
/// Orders of a district at first; 3000 in the specification.
pub(super) const ORDERS: i64 = 30;
/// How many of them are not delivered; 900 in the specification.
pub(super) const UNDELIVERED: i64 = 9;
/// Items, and of each warehouse a stock of each; 100,000 in the specification.
pub(super) const ITEMS: i64 = 1_000;
/// What a district has earned at first, in cents (clause 4.3.3.1).
pub(super) const DISTRICT_YTD: i64 = 3_000_000;
/// How many last names there are; 1000 in the specification, so that three customers of a district share one.
pub(super) const LAST_NAMES: i64 = 10;
/// What last names end with (clause 4.3.2.3).
pub(super) const SYLLABLES: [&str; 10] =
    ["BAR", "OUGHT", "ABLE", "PRI", "PRES", "ESE", "ANTI", "CALLY", "ATION", "EING"];

/// A number from 1 to `most`, some more often than others (NURand of clause 2.1.6): `spread` is scaled down as
/// the data is.
fn uneven(random: &mut Rng, spread: i64, constant: i64, most: i64) -> i64 {
    ((between(random, 0, spread) | between(random, 1, most)) + constant) % most + 1
}

pub(super) fn customer(random: &mut Rng) -> i64 {
    uneven(random, 15, 7, CUSTOMERS)
}

pub(super) fn item(random: &mut Rng) -> i64 {
    uneven(random, 127, 61, ITEMS)
}

pub(super) fn last_name(random: &mut Rng) -> String {
    let number = uneven(random, 3, 2, LAST_NAMES) - 1;
    let syllable = usize::try_from(number).ok().and_then(|number| SYLLABLES.get(number));
    format!("BARBAR{}", syllable.copied().unwrap_or_default())
}

pub(super) fn district(random: &mut Rng) -> i64 {
    between(random, 1, DISTRICTS)
}

/// Another warehouse than this one, if there is one.
pub(super) fn other_warehouse(random: &mut Rng, home: i64, warehouses: i64) -> i64 {
    if warehouses < 2 {
        return home;
    }
    let drawn = between(random, 1, warehouses - 1);
    if drawn >= home { drawn + 1 } else { drawn }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::of_worker;

    #[test]
    fn all_that_is_drawn_is_there() {
        let mut random = of_worker(3, 0);
        for _ in 0..5_000 {
            assert!((1..=CUSTOMERS).contains(&customer(&mut random)));
            assert!((1..=ITEMS).contains(&item(&mut random)));
            assert!((1..=DISTRICTS).contains(&district(&mut random)));
            let other = other_warehouse(&mut random, 2, 3);
            assert!(other == 1 || other == 3);
            let name = last_name(&mut random);
            assert!(SYLLABLES.iter().any(|syllable| name == format!("BARBAR{syllable}")));
        }
        assert_eq!(other_warehouse(&mut random, 1, 1), 1);
    }
}
