//! Ranges of the keys of one field, and of several fields together.

use crate::bson::key::{Key, MAX_WHOLE};
use crate::plan::access::KeyRange;

/// How many ranges are read at most; more become one.
const MAX_RANGES: usize = 1000;

/// Keys from `lower` on, up to below `upper`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Range {
    pub(super) lower: Vec<u8>,
    pub(super) upper: Vec<u8>,
    /// The key, if it is the range of one value alone.
    pub(super) point: Option<Point>,
}

/// The one value of a range.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Point {
    pub(super) bytes: Vec<u8>,
    /// The whole key; none behind other fields.
    pub(super) key: Option<Key>,
    pub(super) is_cut: bool,
}

impl Range {
    /// All keys that begin with a key.
    pub(super) fn point(key: &Key) -> Self {
        let range = KeyRange::prefix(key.ordered());
        Self {
            lower: range.lower().to_vec(),
            upper: range.upper().to_vec(),
            point: Some(Point {
                bytes: key.as_bytes().to_vec(),
                key: Some(key.clone()),
                is_cut: key.is_cut(),
            }),
        }
    }

    /// All keys that begin with some bytes.
    pub(super) fn prefix(bytes: &[u8]) -> Self {
        Self::from(&KeyRange::prefix(bytes))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lower >= self.upper
    }

    fn intersection(&self, other: &Self) -> Self {
        let lower = self.lower.clone().max(other.lower.clone());
        let upper = self.upper.clone().min(other.upper.clone());
        let mut both = Self { lower, upper, point: None };
        for range in [self, other] {
            if both.lower == range.lower && both.upper == range.upper {
                both.point = both.point.or_else(|| range.point.clone());
            }
        }
        both
    }

    /// The range behind bytes of the fields before.
    fn behind(&self, prefix: &[u8]) -> Self {
        let joined = |bytes: &[u8]| [prefix, bytes].concat();
        let range = KeyRange::between(
            Some((&joined(&self.lower), true)),
            // The end of a range begins no key of the range.
            None,
        );
        let end = KeyRange::between(None, Some((&joined(&self.upper), false)));
        let point = self.point.as_ref().map(|point| Point {
            bytes: joined(&point.bytes),
            key: None,
            is_cut: point.is_cut || prefix.len() + point.bytes.len() > MAX_WHOLE,
        });
        Self { lower: range.lower().to_vec(), upper: end.upper().to_vec(), point }
    }
}

impl From<&KeyRange> for Range {
    fn from(range: &KeyRange) -> Self {
        Self { lower: range.lower().to_vec(), upper: range.upper().to_vec(), point: None }
    }
}

impl From<&Range> for KeyRange {
    fn from(range: &Range) -> Self {
        KeyRange::between(Some((&range.lower, true)), Some((&range.upper, false)))
    }
}

/// In order, and none overlapping another; one range instead of too many.
pub(super) fn normalized(mut ranges: Vec<Range>) -> Vec<Range> {
    ranges.retain(|range| !range.is_empty());
    ranges.sort();
    let mut merged: Vec<Range> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.lower < last.upper => {
                if last.lower == range.lower && last.upper == range.upper {
                    // Two keys that are cut may differ behind the cut.
                    if last.point != range.point {
                        last.point = None;
                    }
                    continue;
                }
                last.upper = last.upper.clone().max(range.upper);
                last.point = None;
            }
            _ => merged.push(range),
        }
    }
    if merged.len() > MAX_RANGES
        && let (Some(first), Some(last)) = (merged.first(), merged.last())
    {
        return vec![Range { lower: first.lower.clone(), upper: last.upper.clone(), point: None }];
    }
    merged
}

/// What is in both.
pub(super) fn intersection(left: &[Range], right: &[Range]) -> Vec<Range> {
    let mut both = Vec::new();
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    while let (Some(first), Some(second)) = (left.peek(), right.peek()) {
        let range = first.intersection(second);
        if !range.is_empty() {
            both.push(range);
        }
        if first.upper <= second.upper {
            left.next();
        } else {
            right.next();
        }
    }
    both
}

/// Ranges of a field behind the points of the fields before; `None` if that would be too many.
pub(super) fn behind(prefixes: &[Range], ranges: &[Range]) -> Option<Vec<Range>> {
    if prefixes.len().saturating_mul(ranges.len()) > MAX_RANGES {
        return None;
    }
    let mut joined = Vec::new();
    for prefix in prefixes {
        let point = prefix.point.as_ref().filter(|point| !point.is_cut)?;
        joined.extend(ranges.iter().map(|range| range.behind(&point.bytes)));
    }
    Some(joined)
}
