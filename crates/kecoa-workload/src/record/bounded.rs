//! Containers that never hold more than they were made for, in whatever order things come.

use std::collections::BTreeMap;

/// The items with the smallest keys, at most `capacity` of them.
#[derive(Debug)]
pub(crate) struct Smallest<K, V> {
    capacity: usize,
    items: BTreeMap<K, V>,
}

impl<K: Ord, V> Smallest<K, V> {
    pub(crate) fn new(capacity: usize) -> Smallest<K, V> {
        Smallest { capacity, items: BTreeMap::new() }
    }

    /// Takes an item if its key is small enough; `make` is only called then.
    pub(crate) fn offer(&mut self, key: K, make: impl FnOnce() -> V) {
        if self.items.len() >= self.capacity {
            match self.items.last_key_value() {
                Some((largest, _)) if key < *largest => {}
                _ => return,
            }
            self.items.pop_last();
        }
        self.items.insert(key, make());
    }

    /// The items, that with the smallest key first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.items.iter()
    }
}

/// A tally a name, at most `capacity` names; what comes under further names is tallied together.
#[derive(Debug)]
pub(crate) struct Tallies<K, V> {
    capacity: usize,
    named: BTreeMap<K, V>,
    other: Option<V>,
}

impl<K: Ord, V: Default> Tallies<K, V> {
    pub(crate) fn new(capacity: usize) -> Tallies<K, V> {
        Tallies { capacity, named: BTreeMap::new(), other: None }
    }

    /// The tally of a name.
    pub(crate) fn of(&mut self, key: K) -> &mut V {
        if self.named.len() >= self.capacity && !self.named.contains_key(&key) {
            return self.other.get_or_insert_default();
        }
        self.named.entry(key).or_default()
    }

    /// The tallies by name.
    pub(crate) fn named(&self) -> impl Iterator<Item = (&K, &V)> {
        self.named.iter()
    }

    /// The tally of all that found no place under its own name.
    pub(crate) fn other(&self) -> Option<&V> {
        self.other.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::{Smallest, Tallies};

    #[test]
    fn the_smallest_stay_whatever_the_order() {
        for order in [[3, 1, 2, 5, 4], [5, 4, 3, 2, 1], [1, 2, 3, 4, 5]] {
            let mut smallest = Smallest::new(2);
            for number in order {
                smallest.offer(number, || number * 10);
            }
            assert_eq!(smallest.iter().collect::<Vec<_>>(), [(&1, &10), (&2, &20)]);
        }
    }

    #[test]
    fn names_beyond_the_capacity_are_tallied_together() {
        let mut tallies = Tallies::<u32, u64>::new(2);
        for name in [1, 2, 3, 1, 4, 2] {
            *tallies.of(name) += 1;
        }
        assert_eq!(tallies.named().collect::<Vec<_>>(), [(&1, &2), (&2, &2)]);
        assert_eq!(tallies.other(), Some(&2));
    }
}
