//! One way to read, and what speaks for it.

use super::bounds::{implies_presence, ranges};
use super::field_ranges::{Range, behind, intersection, normalized};
use super::implication::implies;
use super::key_field::KeyField;
use super::order::{first_name, serving};
use super::predicates::{Predicate, Predicates};
use super::request::{Plan, Request};
use crate::bson::key::Key;
use crate::error::Error;
use crate::expression::Scope;
use crate::index::Index;
use crate::plan::access::{Access, KeyRange, Order};
use crate::query::{Filter, Node};

/// How deep `$or` within `$or` is followed.
const MAX_NESTING: usize = 4;
/// How many alternatives are looked at, times the tests that are beside them.
const MAX_ALTERNATIVES: usize = 20_000;

/// The `$elemMatch` that a test is in, and the first name of its path there.
type Element<'p> = Option<(usize, &'p str)>;

/// One way to read.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    plan: Plan,
    score: Score,
}

/// What speaks for a way to read, the most important first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Score {
    /// At most one document can be met.
    one_document: bool,
    /// Fields that have a value or a few.
    equal: usize,
    /// Fields that have a range.
    ranged: usize,
    sort_is_served: bool,
    /// Fewer fields make shorter keys.
    fields_left: std::cmp::Reverse<usize>,
}

/// The ranges of an index for a filter.
#[derive(Clone, Debug)]
struct Bounds {
    ranges: Vec<Range>,
    /// The first fields that have points only.
    equal: usize,
    /// The first fields that have one point each.
    fixed: usize,
    /// The first fields that are bounded.
    bounded: usize,
}

impl Candidate {
    /// By `_id`: documents lie in its order. `None` if neither the filter nor the sort is helped.
    pub(super) fn of_id(request: &Request<'_>) -> Result<Option<Self>, Error> {
        let fields = [KeyField::id()];
        let predicates = Predicates::of(request.filter.root());
        // `_id` is never an array.
        let bounds = bounds(&predicates, &fields, request.filter, false, 0);
        let order = request.sort.and_then(|sort| match &bounds {
            Some(bounds) => serving(sort, &fields, bounds.fixed, bounds.bounded, false),
            None => serving(sort, &fields, 0, 0, false),
        });
        let wants_sort = request.sort.is_some_and(|sort| !sort.is_empty());
        let sort_is_served = !wants_sort || order.is_some();
        let order = order.unwrap_or_default();
        let index = Some("_id_".to_owned());
        let Some(bounds) = bounds else {
            if !wants_sort || !sort_is_served {
                return Ok(None);
            }
            let plan = Plan { access: Access::All { order }, sort_is_served, index };
            return Ok(Some(Self { plan, score: Score::new(None, sort_is_served, false, 1) }));
        };
        let keys = id_keys(&bounds);
        // One document is in every order.
        let one = keys.as_ref().is_some_and(|keys| keys.len() <= 1);
        let score = Score::new(Some(&bounds), sort_is_served || one, one, 1);
        let access = match keys {
            Some(keys) => Access::Ids { keys, order },
            None => Access::IdRanges { ranges: key_ranges(&bounds.ranges), order },
        };
        let plan = Plan { access, sort_is_served: sort_is_served || one, index };
        Ok(Some(Self { plan, score }))
    }

    /// By an index. `None` if it is of no use, or has no entry of documents that are wanted; a hint takes both.
    pub(super) fn of_index(
        request: &Request<'_>,
        index: &Index,
        hinted: bool,
    ) -> Result<Option<Self>, Error> {
        if index.is_id() {
            return match Self::of_id(request)? {
                Some(candidate) => Ok(Some(candidate)),
                None => Ok(hinted.then(|| Self::whole_id(request))),
            };
        }
        let fields: Vec<_> =
            index.fields().iter().map(|field| KeyField::of(index, field)).collect();
        let predicates = Predicates::of(request.filter.root());
        if !hinted && !has_all_entries(request.filter, &predicates, index)? {
            return Ok(None);
        }
        let multikey = index.is_multikey();
        let bounds = bounds(&predicates, &fields, request.filter, multikey, 0);
        let (fixed, bounded) = bounds.as_ref().map_or((0, 0), |it| (it.fixed, it.bounded));
        let wanted = request.sort.filter(|sort| !sort.is_empty());
        let order = wanted.and_then(|sort| serving(sort, &fields, fixed, bounded, multikey));
        let sort_is_served = wanted.is_none() || order.is_some();
        if bounds.is_none() && !hinted && order.is_none() {
            return Ok(None);
        }
        let one = index.is_unique()
            && !multikey
            && fixed == fields.len()
            && bounds.as_ref().is_some_and(|bounds| bounds.ranges.len() <= 1);
        let score = Score::new(bounds.as_ref(), order.is_some(), one, fields.len());
        let ranges = match &bounds {
            Some(bounds) => key_ranges(&bounds.ranges),
            None => vec![KeyRange::all()],
        };
        let order = order.unwrap_or_default();
        let plan = Plan {
            access: Access::Index { index: index.number(), ranges, order },
            sort_is_served,
            index: Some(index.name().to_owned()),
        };
        Ok(Some(Self { plan, score }))
    }

    pub(super) fn is_better_than(&self, other: &Self) -> bool {
        self.score > other.score
    }

    pub(super) fn into_plan(self) -> Plan {
        self.plan
    }

    fn whole_id(request: &Request<'_>) -> Self {
        let sort_is_served = request.sort.is_none_or(crate::query::Sort::is_empty);
        let access = Access::All { order: Order::Forward };
        let plan = Plan { access, sort_is_served, index: Some("_id_".to_owned()) };
        Self { plan, score: Score::new(None, sort_is_served, false, 1) }
    }
}

impl Score {
    fn new(
        bounds: Option<&Bounds>,
        sort_is_served: bool,
        one_document: bool,
        fields: usize,
    ) -> Self {
        let (equal, bounded) = bounds.map_or((0, 0), |bounds| (bounds.equal, bounds.bounded));
        Self {
            one_document,
            equal,
            ranged: bounded.saturating_sub(equal),
            sort_is_served,
            fields_left: std::cmp::Reverse(fields),
        }
    }
}

/// The keys of `_id`s, if the bounds are points.
fn id_keys(bounds: &Bounds) -> Option<Vec<Key>> {
    bounds.ranges.iter().map(|range| range.point.as_ref()?.key.clone()).collect()
}

fn key_ranges(ranges: &[Range]) -> Vec<KeyRange> {
    ranges.iter().map(KeyRange::from).collect()
}

/// Whether every document that the filter matches has an entry.
fn has_all_entries(
    filter: &Filter,
    predicates: &Predicates<'_>,
    index: &Index,
) -> Result<bool, Error> {
    if index.is_sparse() {
        let present = index.fields().iter().any(|field| {
            predicates.on(field.name()).any(|predicate| implies_presence(predicate.test))
        });
        if !present {
            return Ok(false);
        }
    }
    let Some(partial) = index.partial_filter() else { return Ok(true) };
    if filter.collator() != index.collator() {
        return Ok(false);
    }
    let scope = Scope::new().with_collator(index.collator().clone());
    let partial = Filter::parse(partial, &scope)?;
    Ok(implies(predicates, partial.root(), filter.collator()))
}

/// The ranges of keys of all documents that pass; `None` if that is the whole index.
fn bounds(
    predicates: &Predicates<'_>,
    fields: &[KeyField<'_>],
    filter: &Filter,
    multikey: bool,
    depth: usize,
) -> Option<Bounds> {
    if let Some(bounds) = bounds_of_tests(predicates, fields, filter, multikey) {
        return Some(bounds);
    }
    if depth >= MAX_NESTING {
        return None;
    }
    predicates
        .alternatives
        .iter()
        .find_map(|alternatives| united(predicates, alternatives, fields, filter, multikey, depth))
}

/// The ranges of all alternatives together.
fn united<'f>(
    predicates: &Predicates<'f>,
    alternatives: &'f [Node],
    fields: &[KeyField<'_>],
    filter: &Filter,
    multikey: bool,
    depth: usize,
) -> Option<Bounds> {
    if alternatives.len().saturating_mul(predicates.tests.len() + 1) > MAX_ALTERNATIVES {
        return None;
    }
    let mut all: Option<Bounds> = None;
    for alternative in alternatives {
        let with = predicates.with(alternative);
        let next = bounds(&with, fields, filter, multikey, depth + 1)?;
        all = Some(match all {
            None => next,
            Some(mut before) => {
                before.ranges.extend(next.ranges);
                before.equal = before.equal.min(next.equal);
                before.bounded = before.bounded.max(next.bounded);
                // Each alternative may have other values.
                before.fixed = 0;
                before
            }
        });
    }
    let mut all = all?;
    all.ranges = normalized(all.ranges);
    Some(all)
}

fn bounds_of_tests(
    predicates: &Predicates<'_>,
    fields: &[KeyField<'_>],
    filter: &Filter,
    multikey: bool,
) -> Option<Bounds> {
    let mut found: Option<Bounds> = None;
    // What bounded the fields so far.
    let mut used: Vec<(&str, Element<'_>)> = Vec::new();
    for field in fields {
        let Some((ranges, by)) = of_field(predicates, field, filter, multikey, &used) else {
            break;
        };
        let points = ranges.iter().all(|range| range.point.is_some());
        let one = ranges.len() <= 1 && points;
        found = Some(match found {
            None => {
                Bounds { equal: usize::from(points), fixed: usize::from(one), bounded: 1, ranges }
            }
            Some(before) => {
                let Some(joined) = behind(&before.ranges, &ranges) else { return Some(before) };
                Bounds {
                    ranges: joined,
                    equal: before.equal + usize::from(points),
                    fixed: before.fixed + usize::from(one && before.fixed == before.bounded),
                    bounded: before.bounded + 1,
                }
            }
        });
        used.push((field.name, by));
        if !points {
            break;
        }
    }
    let mut found = found?;
    found.ranges = normalized(found.ranges);
    Some(found)
}

/// The ranges of one field, and the `$elemMatch` that they are from.
fn of_field<'p>(
    predicates: &'p Predicates<'_>,
    field: &KeyField<'_>,
    filter: &Filter,
    multikey: bool,
    used: &[(&str, Element<'_>)],
) -> Option<(Vec<Range>, Element<'p>)> {
    let mut chosen: Option<(Vec<Range>, Element<'p>)> = None;
    for predicate in predicates.on(field.name) {
        if multikey && !used.iter().all(|(name, by)| may_join(predicate, name, *by)) {
            continue;
        }
        let Some(ranges) = ranges(predicate.test, field, filter.collator()) else { continue };
        chosen = Some(match chosen {
            None => (ranges, predicate.element),
            // Different elements of an array may pass the tests.
            Some(before) if multikey => {
                if narrowness(&ranges) > narrowness(&before.0) {
                    (ranges, predicate.element)
                } else {
                    before
                }
            }
            Some((before, by)) => (intersection(&before, &ranges), by),
        });
    }
    chosen
}

/// Whether the bounds of two fields of an index with arrays hold for one entry: they are not within one array, or
/// the same element passes both.
fn may_join(predicate: &Predicate<'_>, name: &str, by: Element<'_>) -> bool {
    if first_name(&predicate.path) != first_name(name) {
        return true;
    }
    match (predicate.element, by) {
        (Some((this, first)), Some((other, other_first))) => this == other && first != other_first,
        _ => false,
    }
}

/// Points before ranges, few before many, ranges with two ends before those with one.
fn narrowness(ranges: &[Range]) -> (bool, std::cmp::Reverse<usize>, usize) {
    let points = ranges.iter().all(|range| range.point.is_some());
    let bytes = ranges.iter().map(|range| range.lower.len().min(range.upper.len())).min();
    (points, std::cmp::Reverse(ranges.len()), bytes.unwrap_or(0))
}
