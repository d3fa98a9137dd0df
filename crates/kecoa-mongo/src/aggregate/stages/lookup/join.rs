//! Which documents of another collection belong to which of several that are looked up for at once.

use std::collections::HashMap;
use std::ops::ControlFlow;

use ::bson::{RawBsonRef, RawDocument};

use super::equality::{Equality, equality_filter};
use crate::collation::Collator;
use crate::error::Error;
use crate::expression::{Scope, Variables};
use crate::query::Filter;

/// The documents of a batch, by the values that they look for.
pub(super) struct Join<'a> {
    equality: &'a Equality,
    collator: &'a Collator,
    wanted: Vec<Wanted>,
    /// Who looks for a value.
    by_value: HashMap<Vec<u8>, Vec<usize>>,
    /// Who looks for a value to which others are equal than itself alone: `null`.
    special: Vec<usize>,
}

/// Values that are looked for, and the places of the documents that have them.
struct Wanted {
    filter: Filter,
    places: Vec<usize>,
}

impl<'a> Join<'a> {
    /// For these local values, a list a document.
    pub(super) fn new(
        lists: &[Vec<RawBsonRef<'_>>],
        equality: &'a Equality,
        scope: &'a Scope,
    ) -> Result<Self, Error> {
        let collator = scope.collator();
        let mut join = Self {
            equality,
            collator,
            wanted: Vec::new(),
            by_value: HashMap::new(),
            special: Vec::new(),
        };
        let mut seen: HashMap<Vec<Vec<u8>>, usize> = HashMap::new();
        for (place, values) in lists.iter().enumerate() {
            let keys: Vec<Vec<u8>> =
                values.iter().map(|value| collator.hash_key(*value).into_bytes()).collect();
            if let Some(wanted) = seen.get(&keys).and_then(|at| join.wanted.get_mut(*at)) {
                wanted.places.push(place);
                continue;
            }
            let at = join.wanted.len();
            for (value, key) in values.iter().zip(&keys) {
                if matches!(value, RawBsonRef::Null | RawBsonRef::Undefined) {
                    join.special.push(at);
                } else {
                    join.by_value.entry(key.clone()).or_default().push(at);
                }
            }
            seen.insert(keys, at);
            let filter = Filter::parse(&equality_filter(&equality.foreign, values), scope)?;
            join.wanted.push(Wanted { filter, places: vec![place] });
        }
        Ok(join)
    }

    /// The places of the documents that a found one belongs to.
    pub(super) fn places(
        &self,
        found: &RawDocument,
        variables: &Variables,
    ) -> Result<Vec<usize>, Error> {
        let mut wanted = self.special.clone();
        let _ = self.equality.foreign_path.visit::<()>(found, &mut |found| {
            if let Some(value) = found.value {
                let key = self.collator.hash_key(value).into_bytes();
                wanted.extend(self.by_value.get(&key).into_iter().flatten());
            }
            ControlFlow::Continue(())
        });
        wanted.sort_unstable();
        wanted.dedup();
        let mut places = Vec::new();
        for wanted in wanted.into_iter().filter_map(|at| self.wanted.get(at)) {
            // Equal values are a hint: the filter alone says what is found.
            if wanted.filter.matches(found, variables)? {
                places.extend(&wanted.places);
            }
        }
        Ok(places)
    }
}
