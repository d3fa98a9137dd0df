//! How a collection is read for a filter and a sort.

use ::bson::{RawBsonRef, RawDocument};

use crate::bson::key::Key;
use crate::collation::Collator;
use crate::error::{Code, Error};
use crate::plan::access::{Access, Order};
use crate::query::{Filter, Sort};
use crate::store::Collection;

/// What is to be read.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// Which documents.
    pub filter: &'a Filter,
    /// The same as it was given.
    pub filter_document: &'a RawDocument,
    /// In which order.
    pub sort: Option<&'a Sort>,
    /// By which index.
    pub hint: Option<RawBsonRef<'a>>,
    /// How strings compare.
    pub collator: &'a Collator,
}

/// How it is read.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What is read.
    pub access: Access,
    /// Whether it comes in the order of the sort.
    pub is_sorted: bool,
}

/// Choose how to read.
///
/// # Errors
///
/// 2 for a hint that no index goes by.
pub fn plan(collection: &Collection, wish: &Wish<'_>) -> Result<Plan, Error> {
    let natural = check_hint(collection, wish.hint)?;
    if let Some(order) = natural {
        return Ok(Plan { access: Access::All { order }, is_sorted: wish.sort.is_none() });
    }
    if wish.filter.is_empty() {
        let access = Access::All { order: Order::Forward };
        return Ok(Plan { access, is_sorted: wish.sort.is_none() });
    }
    if let Some(key) = id_equality(wish) {
        let access = Access::Ids { keys: vec![key], order: Order::Forward };
        return Ok(Plan { access, is_sorted: true });
    }
    Ok(Plan { access: Access::All { order: Order::Forward }, is_sorted: wish.sort.is_none() })
}

/// The order of a hint for natural order; none for any other hint that is good.
///
/// # Errors
///
/// 2 for a hint that no index goes by.
pub fn check_hint(
    collection: &Collection,
    hint: Option<RawBsonRef<'_>>,
) -> Result<Option<Order>, Error> {
    let unknown = || {
        Error::new(
            Code::BAD_VALUE,
            "error processing query: planner returned error :: caused by :: hint provided does not correspond to an existing index",
        )
    };
    match hint {
        None => Ok(None),
        Some(RawBsonRef::String(name)) => {
            let known = collection.indexes().iter().any(|index| index.name() == name);
            if known { Ok(None) } else { Err(unknown()) }
        }
        Some(RawBsonRef::Document(keys)) => {
            if let Ok(Some(direction)) = keys.get("$natural") {
                let backward =
                    crate::bson::compare::compare(direction, RawBsonRef::Int32(0)).is_lt();
                return Ok(Some(if backward { Order::Backward } else { Order::Forward }));
            }
            let known = keys.is_empty()
                || collection.indexes().iter().any(|index| {
                    crate::bson::compare::compare_documents(index.key_pattern(), keys).is_eq()
                });
            if known { Ok(None) } else { Err(unknown()) }
        }
        Some(_) => Err(Error::new(Code::FAILED_TO_PARSE, "hint must be a string or an object")),
    }
}

/// The key of the one `_id` that a filter wants.
fn id_equality(wish: &Wish<'_>) -> Option<Key> {
    let value = wish.filter_document.get("_id").ok().flatten()?;
    let is_simple = wish.collator.is_simple();
    match value {
        RawBsonRef::String(_) | RawBsonRef::Symbol(_) if !is_simple => None,
        RawBsonRef::Document(document) => {
            let operator = document
                .iter_elements()
                .next()
                .and_then(Result::ok)
                .is_some_and(|first| first.key().as_str().starts_with('$'));
            (!operator && is_simple).then(|| Key::of(value))
        }
        RawBsonRef::Array(_)
        | RawBsonRef::RegularExpression(_)
        | RawBsonRef::Null
        | RawBsonRef::Undefined => None,
        value => Some(Key::of(value)),
    }
}
