//! Two documents compared.

use std::collections::HashMap;

use ::bson::{RawArray, RawBsonRef, RawDocument};

use super::places::{Places, Written};

/// How deep documents are compared; what lies deeper is told as a whole.
const MAX_DEPTH: usize = 200;
/// The bytes of an empty document.
const EMPTY: usize = 5;

/// A part of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Name(&'a str),
    Index(usize),
}

pub(super) type Path<'a> = Vec<Part<'a>>;

/// What differs.
#[derive(Debug, Default)]
pub(super) struct Difference<'a> {
    /// Fields and elements with their values.
    pub(super) updated: Vec<(Path<'a>, RawBsonRef<'a>)>,
    /// Fields that are gone.
    pub(super) removed: Vec<Path<'a>>,
    /// Arrays that lost their last elements, and how many they have now.
    pub(super) truncated: Vec<(Path<'a>, usize)>,
    cost: Cost,
}

/// The bytes that MongoDB needs to write a difference down: a section each for what is gone, new and changed, and a
/// document for each part that has differences itself.
#[derive(Debug, Default)]
struct Cost {
    removed: usize,
    updated: usize,
    inserted: usize,
    below: usize,
}

impl Cost {
    fn sum(&self) -> usize {
        let section = |bytes: usize| if bytes > 0 { bytes + 3 + EMPTY } else { 0 };
        EMPTY + section(self.removed) + section(self.updated) + section(self.inserted) + self.below
    }
}

/// Compares documents.
struct Comparison<'a, 'p> {
    path: Path<'a>,
    /// Where operators wrote; none for a pipeline.
    places: Option<Vec<&'p Places<'p>>>,
}

impl<'a> Difference<'a> {
    pub(super) fn by_operators(
        old: &'a RawDocument,
        new: &'a RawDocument,
        places: &Places<'_>,
    ) -> Self {
        Comparison { path: Vec::new(), places: Some(vec![places]) }.documents(old, new)
    }

    pub(super) fn by_pipeline(old: &'a RawDocument, new: &'a RawDocument) -> Self {
        Comparison { path: Vec::new(), places: None }.documents(old, new)
    }

    /// The bytes that it takes to write it down.
    pub(super) fn cost(&self) -> usize {
        self.cost.sum()
    }

    fn add(&mut self, below: Self) {
        self.updated.extend(below.updated);
        self.removed.extend(below.removed);
        self.truncated.extend(below.truncated);
    }
}

impl<'a> Comparison<'a, '_> {
    fn documents(&mut self, old: &'a RawDocument, new: &'a RawDocument) -> Difference<'a> {
        let mut difference = Difference::default();
        let before: HashMap<&str, RawBsonRef<'a>> =
            old.iter().map_while(Result::ok).map(|(name, value)| (name.as_str(), value)).collect();
        let after: HashMap<&str, RawBsonRef<'a>> =
            new.iter().map_while(Result::ok).map(|(name, value)| (name.as_str(), value)).collect();
        // Those of the old fields that stay, in their order: a field out of order is told like a new one.
        let mut expected = old
            .iter()
            .map_while(Result::ok)
            .map(|(name, _)| name.as_str())
            .filter(|name| after.contains_key(name));
        let mut moved = false;
        for (name, value) in new.iter().map_while(Result::ok) {
            let name = name.as_str();
            let size = 2 + name.len() + size_of(value);
            let Some(was) = before.get(name) else {
                difference.updated.push((self.at(Part::Name(name)), value));
                difference.cost.inserted += size;
                continue;
            };
            moved = moved || expected.next() != Some(name);
            if moved {
                difference.updated.push((self.at(Part::Name(name)), value));
                difference.cost.inserted += size;
                continue;
            }
            self.values(Part::Name(name), *was, value, &mut difference);
        }
        for (name, _) in old.iter().map_while(Result::ok) {
            if !after.contains_key(name.as_str()) {
                difference.removed.push(self.at(Part::Name(name.as_str())));
                difference.cost.removed += 3 + name.as_str().len();
            }
        }
        difference
    }

    /// The differences of a field or an element that both have.
    fn values(
        &mut self,
        part: Part<'a>,
        old: RawBsonRef<'a>,
        new: RawBsonRef<'a>,
        difference: &mut Difference<'a>,
    ) {
        if is_same(old, new) {
            return;
        }
        let name = match part {
            Part::Name(name) => name.len(),
            Part::Index(index) => index.to_string().len(),
        };
        if let Some(below) = self.below(part, old, new) {
            difference.cost.below += 3 + name + below.cost.sum();
            difference.add(below);
            return;
        }
        difference.updated.push((self.at(part), new));
        difference.cost.updated += 2 + name + size_of(new);
    }

    /// The differences within a document or an array; none where the whole is to be told.
    fn below(
        &mut self,
        part: Part<'a>,
        old: RawBsonRef<'a>,
        new: RawBsonRef<'a>,
    ) -> Option<Difference<'a>> {
        if self.path.len() >= MAX_DEPTH {
            return None;
        }
        let places = match (&self.places, part) {
            (None, _) => None,
            (Some(places), Part::Name(name)) => Some(Places::below(places, name)),
            (Some(places), Part::Index(index)) => Some(Places::below(places, &index.to_string())),
        };
        let written = places.as_ref().and_then(|places| Places::written(places));
        if written == Some(Written::Whole) {
            return None;
        }
        let outer = std::mem::replace(&mut self.places, places);
        self.path.push(part);
        let found = match (old, new) {
            (RawBsonRef::Document(old), RawBsonRef::Document(new)) => {
                Some((self.documents(old, new), new.as_bytes().len()))
            }
            (RawBsonRef::Array(old), RawBsonRef::Array(new)) => {
                let bytes = new.as_bytes().len();
                self.arrays(old, new, written).map(|below| (below, bytes))
            }
            _ => None,
        };
        self.path.pop();
        self.places = outer;
        let (below, bytes) = found?;
        // What operators wrote is told as they wrote it.
        (self.places.is_some() || below.cost.sum() <= bytes).then_some(below)
    }

    fn arrays(
        &mut self,
        old: &'a RawArray,
        new: &'a RawArray,
        written: Option<Written>,
    ) -> Option<Difference<'a>> {
        let mut difference = Difference::default();
        let mut before = old.into_iter().map_while(Result::ok);
        let mut size = 0;
        for (index, value) in new.into_iter().map_while(Result::ok).enumerate() {
            size = index + 1;
            let part = Part::Index(index);
            match before.next() {
                Some(was) if written == Some(Written::Pushed) && !is_same(was, value) => {
                    return None;
                }
                Some(was) => self.values(part, was, value, &mut difference),
                None => {
                    difference.updated.push((self.at(part), value));
                    difference.cost.updated += 3 + index.to_string().len() + size_of(value);
                }
            }
        }
        if before.next().is_some() {
            if self.places.is_some() {
                return None;
            }
            difference.truncated.push((self.path.clone(), size));
            difference.cost.below += 7;
        }
        // Elements stand in no section, and the array says that it is one.
        let updated = std::mem::take(&mut difference.cost.updated);
        difference.cost.below += updated + 4;
        Some(difference)
    }

    fn at(&self, part: Part<'a>) -> Path<'a> {
        let mut path = self.path.clone();
        path.push(part);
        path
    }
}

/// Whether two values are the same, with their types.
fn is_same(left: RawBsonRef<'_>, right: RawBsonRef<'_>) -> bool {
    match (left, right) {
        (RawBsonRef::Document(left), RawBsonRef::Document(right)) => {
            left.as_bytes() == right.as_bytes()
        }
        (RawBsonRef::Array(left), RawBsonRef::Array(right)) => left.as_bytes() == right.as_bytes(),
        // By bits: NaN stays what it is, and -0.0 is another value than 0.0.
        (RawBsonRef::Double(left), RawBsonRef::Double(right)) => left.to_bits() == right.to_bits(),
        (left, right) => left == right,
    }
}

/// The bytes of a value.
fn size_of(value: RawBsonRef<'_>) -> usize {
    match value {
        RawBsonRef::Document(document) => document.as_bytes().len(),
        RawBsonRef::Array(array) => array.as_bytes().len(),
        RawBsonRef::String(text) | RawBsonRef::Symbol(text) | RawBsonRef::JavaScriptCode(text) => {
            EMPTY + text.len()
        }
        RawBsonRef::Double(_)
        | RawBsonRef::Int64(_)
        | RawBsonRef::DateTime(_)
        | RawBsonRef::Timestamp(_) => 8,
        RawBsonRef::Int32(_) => 4,
        RawBsonRef::Boolean(_) => 1,
        RawBsonRef::ObjectId(_) => 12,
        RawBsonRef::Decimal128(_) => 16,
        RawBsonRef::Binary(binary) => EMPTY + binary.bytes.len(),
        RawBsonRef::RegularExpression(regex) => {
            2 + regex.pattern.as_str().len() + regex.options.as_str().len()
        }
        RawBsonRef::JavaScriptCodeWithScope(code) => {
            4 + EMPTY + code.code.len() + code.scope.as_bytes().len()
        }
        RawBsonRef::DbPointer(_) => 17,
        RawBsonRef::Null | RawBsonRef::Undefined | RawBsonRef::MinKey | RawBsonRef::MaxKey => 0,
    }
}
