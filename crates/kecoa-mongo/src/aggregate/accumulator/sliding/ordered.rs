//! What depends on the order of a window's values: extremes, sets, selections, percentiles.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use ::bson::raw::RawArrayBuf;
use ::bson::{RawBson, RawBsonRef};

use crate::aggregate::accumulator::slide::Sliding;
use crate::aggregate::number::to_double;
use crate::bson::key::{Direction, KeyBuilder};
use crate::bson::number::Number;
use crate::collation::Collator;
use crate::error::Error;
use crate::query::SortKey;

/// `$min` and `$max`: the places of values that may still become the extreme, the extreme first.
pub(super) struct Extreme<'v> {
    values: &'v [Option<RawBson>],
    greatest: bool,
    collator: &'v Collator,
    places: VecDeque<usize>,
}

/// `$addToSet`: the places of each value.
pub(super) struct Set<'v> {
    values: &'v [Option<RawBson>],
    keys: Vec<Option<SortKey>>,
    places: BTreeMap<SortKey, VecDeque<usize>>,
}

/// `$minN`, `$maxN`, `$top`, `$topN` and so on: the places by what they are ordered by.
pub(super) struct Ranked<'v> {
    values: &'v [Option<RawBson>],
    /// None where the value does not count.
    keys: Vec<Option<SortKey>>,
    places: BTreeSet<(SortKey, usize)>,
    count: usize,
    shown: Shown,
    is_array: bool,
}

#[derive(Clone, Copy)]
enum Shown {
    /// The first, in order.
    First,
    /// The last, in order.
    Last,
    /// The last, the very last first.
    LastReversed,
}

/// `$percentile` and `$median`: how many numbers of the window are at each place of all numbers in order.
pub(super) struct Ranks<'v> {
    points: &'v Arc<[f64]>,
    single: bool,
    /// All numbers in order.
    sorted: Vec<f64>,
    /// The place in this order of the number at a place.
    ranks: Vec<Option<usize>>,
    /// Sums over parts of the order (a Fenwick tree).
    counts: Vec<usize>,
    count: usize,
}

fn key_of(collator: &Collator, value: RawBsonRef<'_>) -> SortKey {
    let mut builder = KeyBuilder::default();
    collator.push_key(&mut builder, Some(value), Direction::Ascending);
    SortKey::from(builder)
}

fn at(values: &[Option<RawBson>], place: usize) -> Option<RawBsonRef<'_>> {
    values.get(place)?.as_ref().map(RawBson::as_raw_bson_ref)
}

fn counts(value: RawBsonRef<'_>) -> bool {
    !matches!(value, RawBsonRef::Null | RawBsonRef::Undefined)
}

impl<'v> Extreme<'v> {
    pub(super) fn new(
        values: &'v [Option<RawBson>],
        greatest: bool,
        collator: &'v Collator,
    ) -> Self {
        Self { values, greatest, collator, places: VecDeque::new() }
    }
}

impl Sliding for Extreme<'_> {
    fn add(&mut self, place: usize) -> Result<(), Error> {
        let Some(value) = at(self.values, place).filter(|value| counts(*value)) else {
            return Ok(());
        };
        while let Some(last) = self.places.back().and_then(|last| at(self.values, *last)) {
            let order = self.collator.compare(value, last);
            // Of equal ones, the first is the least and the last the greatest.
            if if self.greatest { order.is_lt() } else { order.is_ge() } {
                break;
            }
            self.places.pop_back();
        }
        self.places.push_back(place);
        Ok(())
    }

    fn remove(&mut self, place: usize) -> Result<(), Error> {
        if self.places.front() == Some(&place) {
            self.places.pop_front();
        }
        Ok(())
    }

    fn value(&self, _: Range<usize>) -> RawBson {
        let extreme = self.places.front().and_then(|place| at(self.values, *place));
        extreme.map_or(RawBson::Null, RawBson::from)
    }
}

impl<'v> Set<'v> {
    pub(super) fn new(values: &'v [Option<RawBson>], collator: &Collator) -> Self {
        let keys = (0..values.len())
            .map(|place| at(values, place).map(|value| key_of(collator, value)))
            .collect();
        Self { values, keys, places: BTreeMap::new() }
    }
}

impl Sliding for Set<'_> {
    fn add(&mut self, place: usize) -> Result<(), Error> {
        if let Some(Some(key)) = self.keys.get(place) {
            match self.places.get_mut(key) {
                Some(places) => places.push_back(place),
                None => {
                    self.places.insert(key.clone(), VecDeque::from([place]));
                }
            }
        }
        Ok(())
    }

    fn remove(&mut self, place: usize) -> Result<(), Error> {
        if let Some(Some(key)) = self.keys.get(place)
            && let Some(places) = self.places.get_mut(key)
        {
            places.pop_front();
            if places.is_empty() {
                self.places.remove(key);
            }
        }
        Ok(())
    }

    fn value(&self, _: Range<usize>) -> RawBson {
        let firsts = self.places.values().filter_map(|places| at(self.values, *places.front()?));
        RawBson::Array(firsts.collect())
    }
}

impl<'v> Ranked<'v> {
    pub(super) fn least(values: &'v [Option<RawBson>], count: usize, collator: &Collator) -> Self {
        Self::by_value(values, count, collator, Shown::First)
    }

    pub(super) fn greatest(
        values: &'v [Option<RawBson>],
        count: usize,
        collator: &Collator,
    ) -> Self {
        Self::by_value(values, count, collator, Shown::LastReversed)
    }

    fn by_value(
        values: &'v [Option<RawBson>],
        count: usize,
        collator: &Collator,
        shown: Shown,
    ) -> Self {
        let keys = (0..values.len())
            .map(|place| {
                let value = at(values, place).filter(|value| counts(*value));
                value.map(|value| key_of(collator, value))
            })
            .collect();
        Self { values, keys, places: BTreeSet::new(), count, shown, is_array: true }
    }

    pub(super) fn sorted(
        values: &'v [Option<RawBson>],
        keys: Vec<SortKey>,
        count: usize,
        is_top: bool,
        is_array: bool,
    ) -> Self {
        let keys = keys.into_iter().map(Some).collect();
        let shown = if is_top { Shown::First } else { Shown::Last };
        Self { values, keys, places: BTreeSet::new(), count, shown, is_array }
    }
}

impl Sliding for Ranked<'_> {
    fn add(&mut self, place: usize) -> Result<(), Error> {
        if let Some(Some(key)) = self.keys.get(place) {
            self.places.insert((key.clone(), place));
        }
        Ok(())
    }

    fn remove(&mut self, place: usize) -> Result<(), Error> {
        if let Some(Some(key)) = self.keys.get(place) {
            self.places.remove(&(key.clone(), place));
        }
        Ok(())
    }

    fn value(&self, _: Range<usize>) -> RawBson {
        let value = |place: &(SortKey, usize)| {
            at(self.values, place.1).map_or(RawBson::Null, RawBson::from)
        };
        let places = self.places.iter();
        let mut found: Vec<RawBson> = match self.shown {
            Shown::First => places.take(self.count).map(value).collect(),
            Shown::Last | Shown::LastReversed => places.rev().take(self.count).map(value).collect(),
        };
        if matches!(self.shown, Shown::Last) {
            found.reverse();
        }
        if self.is_array {
            return RawBson::Array(found.into_iter().collect::<RawArrayBuf>());
        }
        found.into_iter().next().unwrap_or(RawBson::Null)
    }
}

impl<'v> Ranks<'v> {
    pub(super) fn new(values: &'v [Option<RawBson>], points: &'v Arc<[f64]>, single: bool) -> Self {
        let mut numbers: Vec<(f64, usize)> = (0..values.len())
            .filter_map(|place| Some((to_double(Number::from_bson(at(values, place)?)?), place)))
            .filter(|(number, _)| !number.is_nan())
            .collect();
        numbers.sort_by(|left, right| left.0.total_cmp(&right.0));
        let mut ranks = vec![None; values.len()];
        for (rank, (_, place)) in numbers.iter().enumerate() {
            if let Some(of_place) = ranks.get_mut(*place) {
                *of_place = Some(rank);
            }
        }
        let sorted: Vec<f64> = numbers.into_iter().map(|(number, _)| number).collect();
        let counts = vec![0; sorted.len() + 1];
        Self { points, single, sorted, ranks, counts, count: 0 }
    }

    /// Change how many numbers of the window have a rank, by one.
    fn change(&mut self, place: usize, grows: bool) {
        let Some(Some(rank)) = self.ranks.get(place) else { return };
        let mut node = rank + 1;
        while let Some(count) = self.counts.get_mut(node) {
            *count = if grows { *count + 1 } else { count.saturating_sub(1) };
            node += node & node.wrapping_neg();
        }
        self.count = if grows { self.count + 1 } else { self.count.saturating_sub(1) };
    }

    /// The number before which there are `before` others of the window.
    fn number(&self, before: usize) -> Option<f64> {
        let (mut node, mut left) = (0, before);
        let mut step = self.counts.len().next_power_of_two();
        while step > 0 {
            if let Some(count) = self.counts.get(node + step)
                && *count <= left
            {
                node += step;
                left -= count;
            }
            step /= 2;
        }
        self.sorted.get(node).copied()
    }

    fn at_point(&self, point: f64) -> RawBson {
        let Some(last) = self.count.checked_sub(1) else { return RawBson::Null };
        let rank = (self.count as f64 * point).ceil();
        // From zero to the number of values.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let before = (rank as usize).saturating_sub(1).min(last);
        self.number(before).map_or(RawBson::Null, RawBson::Double)
    }
}

impl Sliding for Ranks<'_> {
    fn add(&mut self, place: usize) -> Result<(), Error> {
        self.change(place, true);
        Ok(())
    }

    fn remove(&mut self, place: usize) -> Result<(), Error> {
        self.change(place, false);
        Ok(())
    }

    fn value(&self, _: Range<usize>) -> RawBson {
        let mut results = self.points.iter().map(|point| self.at_point(*point));
        if self.single {
            return results.next().unwrap_or(RawBson::Null);
        }
        RawBson::Array(results.collect::<RawArrayBuf>())
    }
}
