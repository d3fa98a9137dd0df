//! From a filter, a sort and a hint to the ranges that are read.
//!
//! Bounds are supersets: the whole filter is asked of every document that is read. An index is used for the longest
//! run of its first fields that the filter gives values for, then for one range. Which index is best is told by
//! counting fields, not by statistics.

pub mod access;
mod bounds;
mod candidate;
mod field_ranges;
mod hint;
mod implication;
pub mod intervals;
mod key_field;
mod order;
mod predicates;
mod regex_prefix;
mod request;

use crate::error::Error;
use crate::query::Sort;
pub use request::{Plan, Request};

use access::{Access, Order};
use candidate::Candidate;
use hint::Hint;

/// Choose how to read.
///
/// # Errors
///
/// 2 for a hint that no index goes by, 9 for one that is neither a name nor a key pattern.
pub fn plan(request: &Request<'_>) -> Result<Plan, Error> {
    let hint = Hint::resolve(request.hint, request.indexes)?;
    let natural = request.sort.and_then(Sort::natural).map(order::of_natural);
    match hint {
        Hint::Natural(order) => return Ok(whole(request, natural.unwrap_or(order))),
        Hint::Index(index) => {
            let candidate = Candidate::of_index(request, &index, true)?;
            return Ok(
                candidate.map_or_else(|| whole(request, Order::Forward), Candidate::into_plan)
            );
        }
        Hint::None => {}
    }
    if let Some(order) = natural {
        return Ok(whole(request, order));
    }
    let mut best: Option<Candidate> = Candidate::of_id(request)?;
    for index in request.indexes {
        if index.is_id() || index.is_hidden() || index.is_building() {
            continue;
        }
        let Some(candidate) = Candidate::of_index(request, index, false)? else { continue };
        if best.as_ref().is_none_or(|best| candidate.is_better_than(best)) {
            best = Some(candidate);
        }
    }
    Ok(best.map_or_else(|| whole(request, Order::Forward), Candidate::into_plan))
}

/// The whole collection. The order of `_id`'s keys is no order that a sort may ask for, but by name.
fn whole(request: &Request<'_>, order: Order) -> Plan {
    let sort_is_served =
        request.sort.is_none_or(|sort| sort.is_empty() || sort.natural().is_some());
    Plan { access: Access::All { order }, sort_is_served, index: None }
}
