//! Where the operators of an update wrote.

use std::collections::HashMap;

use ::bson::{RawBsonRef, RawDocument};

/// How deep a path is followed.
const MAX_PARTS: usize = 256;

/// The places that operators wrote, as a tree of the parts of their paths.
#[derive(Debug, Default)]
pub(super) struct Places<'a> {
    parts: HashMap<&'a str, Self>,
    /// Below `$`, `$[]` and `$[name]`: any element.
    any: Option<Box<Self>>,
    written: Option<Written>,
}

/// What an operator did at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// It wrote the whole value.
    Whole,
    /// It added elements to an array, perhaps at its end.
    Pushed,
}

impl<'a> Places<'a> {
    pub(super) fn of(operators: &'a RawDocument) -> Self {
        let mut places = Self::default();
        for (operator, paths) in operators.iter().map_while(Result::ok) {
            let Some(paths) = paths.as_document() else { continue };
            let operator = operator.as_str();
            let written = if operator == "$push" { Written::Pushed } else { Written::Whole };
            for (path, argument) in paths.iter().map_while(Result::ok) {
                places.add(path.as_str(), written);
                if let ("$rename", RawBsonRef::String(target)) = (operator, argument) {
                    places.add(target, written);
                }
            }
        }
        places
    }

    fn add(&mut self, path: &'a str, written: Written) {
        let mut place = self;
        for part in path.split('.').take(MAX_PARTS) {
            place = if part.starts_with('$') {
                &mut **place.any.get_or_insert_default()
            } else {
                place.parts.entry(part).or_default()
            };
        }
        place.written = Some(written);
    }

    /// What was done at the places that meet here.
    pub(super) fn written(places: &[&Self]) -> Option<Written> {
        places.iter().find_map(|place| place.written)
    }

    /// The places below a field or an element.
    pub(super) fn below<'p>(places: &[&'p Self], part: &str) -> Vec<&'p Self> {
        let mut below = Vec::new();
        for place in places {
            below.extend(place.parts.get(part));
            below.extend(place.any.as_deref());
        }
        below
    }
}
