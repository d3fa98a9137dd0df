//! What is read of a collection: ranges of keys, by `_id` or in an index.

use crate::bson::key::{Key, MAX_WHOLE};

/// The end of the range of all keys: no key begins with this byte, ascending or descending.
const ABOVE_ALL: u8 = 0xff;

/// What is read of a collection, in which order. It may hold more documents than the filter wants, never fewer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// The whole collection, in the order of `_id`'s keys.
    All {
        /// Which end comes first.
        order: Order,
    },
    /// The documents of these `_id`s, in the order of their keys.
    Ids {
        /// Keys of `_id`s ([`Key::of`]), in any order, each once.
        keys: Vec<Key>,
        /// Which end comes first.
        order: Order,
    },
    /// The documents whose `_id`s are in these ranges.
    IdRanges {
        /// Ranges of keys of `_id`, in ascending order, none overlapping another.
        ranges: Vec<KeyRange>,
        /// Which end comes first.
        order: Order,
    },
    /// The documents with an entry of an index in these ranges, in the order of the index. A document with several
    /// entries in the ranges comes once, where the first of them lies.
    Index {
        /// The index's number in its collection: [`Index::number`](crate::index::Index::number).
        index: i32,
        /// Ranges of the index's keys, in ascending order of their bytes, none overlapping another.
        ranges: Vec<KeyRange>,
        /// Which end comes first.
        order: Order,
    },
}

/// Which end of a range comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Order {
    /// From low keys to high ones.
    #[default]
    Forward,
    /// From high keys to low ones.
    Backward,
}

/// A range of keys: from `lower` on, up to below `upper`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyRange {
    lower: Vec<u8>,
    upper: Vec<u8>,
}

impl Access {
    /// Which end comes first.
    #[must_use]
    pub fn order(&self) -> Order {
        match self {
            Self::All { order }
            | Self::Ids { order, .. }
            | Self::IdRanges { order, .. }
            | Self::Index { order, .. } => *order,
        }
    }
}

impl Order {
    /// The other one.
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Self::Forward => Self::Backward,
            Self::Backward => Self::Forward,
        }
    }
}

impl KeyRange {
    /// Every key.
    #[must_use]
    pub fn all() -> Self {
        Self { lower: Vec::new(), upper: vec![ABOVE_ALL] }
    }

    /// The keys that begin with these bytes: a whole key, or the first fields of one. Of bytes beyond
    /// [`MAX_WHOLE`] nothing is known but that they are there, so the range is that of the bytes before.
    #[must_use]
    pub fn prefix(bytes: &[u8]) -> Self {
        let bytes = ordered(bytes);
        Self { lower: bytes.to_vec(), upper: successor(bytes) }
    }

    /// The keys from `lower` to `upper`. Each bound stands for all keys that begin with it; `included` says whether
    /// they are in the range. Without a bound, the range goes on to the end.
    ///
    /// A bound beyond [`MAX_WHOLE`] is cut, and is in the range then: a superset.
    #[must_use]
    pub fn between(lower: Option<(&[u8], bool)>, upper: Option<(&[u8], bool)>) -> Self {
        let included = |bytes: &[u8], included| included || bytes.len() > MAX_WHOLE;
        let lower = match lower {
            None => Vec::new(),
            Some((bytes, is_in)) if included(bytes, is_in) => ordered(bytes).to_vec(),
            Some((bytes, _)) => successor(bytes),
        };
        let upper = match upper {
            None => vec![ABOVE_ALL],
            Some((bytes, is_in)) if included(bytes, is_in) => successor(ordered(bytes)),
            Some((bytes, _)) => bytes.to_vec(),
        };
        Self { lower, upper }
    }

    /// The lowest bytes in the range.
    #[must_use]
    pub fn lower(&self) -> &[u8] {
        &self.lower
    }

    /// The lowest bytes above the range.
    #[must_use]
    pub fn upper(&self) -> &[u8] {
        &self.upper
    }

    /// Whether no key is in the range.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lower >= self.upper
    }

    /// Whether a key is in the range.
    #[must_use]
    pub fn contains(&self, key: &[u8]) -> bool {
        *self.lower <= *key && *key < *self.upper
    }
}

fn ordered(bytes: &[u8]) -> &[u8] {
    bytes.get(..MAX_WHOLE).unwrap_or(bytes)
}

/// The lowest bytes above all those that begin with `bytes`.
fn successor(bytes: &[u8]) -> Vec<u8> {
    let mut next = bytes.to_vec();
    while let Some(last) = next.pop() {
        if last < 0xff {
            next.push(last + 1);
            return next;
        }
    }
    vec![ABOVE_ALL]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_holds_the_keys_that_begin_with_it() {
        let range = KeyRange::prefix(&[1, 0xff]);
        for (key, inside) in [
            (&[1, 0xfe, 9][..], false),
            (&[1, 0xff], true),
            (&[1, 0xff, 0xff, 0xff], true),
            (&[2], false),
        ] {
            assert_eq!(range.contains(key), inside, "{key:?}");
        }
        assert_eq!(KeyRange::prefix(&[]), KeyRange::all());
        assert_eq!(KeyRange::prefix(&[0xff]).upper(), &[ABOVE_ALL]);
    }

    #[test]
    fn bounds_stand_for_all_keys_that_begin_with_them() {
        let five = &[5][..];
        let nine = &[9][..];
        let between = |lower, upper| KeyRange::between(Some((five, lower)), Some((nine, upper)));
        let keys: [&[u8]; 4] = [&[5, 1], &[7], &[9], &[9, 3]];
        for (range, expected) in [
            (between(true, true), [true, true, true, true]),
            (between(false, true), [false, true, true, true]),
            (between(true, false), [true, true, false, false]),
            (KeyRange::between(None, Some((nine, false))), [true, true, false, false]),
            (KeyRange::between(Some((nine, false)), None), [false; 4]),
        ] {
            assert_eq!(keys.map(|key| range.contains(key)), expected, "{range:?}");
        }
        assert!(KeyRange::between(Some((nine, true)), Some((five, true))).is_empty());
    }

    #[test]
    fn a_bound_that_is_cut_is_in_the_range() {
        let long = vec![7; MAX_WHOLE + 32];
        let range = KeyRange::between(Some((&long, false)), Some((&long, false)));
        assert!(range.contains(&long));
        let mut other = long.clone();
        other[MAX_WHOLE + 3] = 9;
        assert!(range.contains(&other));
        assert!(KeyRange::prefix(&long).contains(&other));
    }
}
