//! The combinations of values that an index's fields have in a document.
//!
//! A path that ends at an array, or goes through one, has a value for each element. Several fields of one index may go
//! through the same array, and then have their values element by element; two arrays side by side are refused, as the
//! combinations would be their product.

use ::bson::{RawArray, RawBsonRef, RawDocument};

use super::definition::{Field, FieldKind};
use crate::bson::path;
use crate::error::{Code, Error};

/// How deep arrays within documents within arrays are followed.
const DEEPEST: usize = 200;

/// Shows `visit` each combination: a value, or none where it is missing, for each field. Whether an array was met.
pub(super) fn combinations<'doc>(
    fields: &[Field],
    document: &'doc RawDocument,
    visit: &mut impl FnMut(&[Option<RawBsonRef<'doc>>]),
) -> Result<bool, Error> {
    let paths: Vec<Vec<&str>> =
        fields.iter().map(|field| field.path.components().collect()).collect();
    let mut walk = Walk { fields, paths: &paths, visit, multikey: false };
    let open: Vec<Open> = (0..fields.len()).map(|field| Open { field, at: 0 }).collect();
    let mut values = vec![None; fields.len()];
    walk.document(document, &open, &mut values, 0)?;
    Ok(walk.multikey)
}

struct Walk<'w, V> {
    fields: &'w [Field],
    paths: &'w [Vec<&'w str>],
    visit: &'w mut V,
    multikey: bool,
}

/// A field whose value is yet to be found, from the component `at` of its path on.
#[derive(Clone, Copy)]
struct Open {
    field: usize,
    at: usize,
}

/// Where a path leads in a document.
enum Led<'doc> {
    Value(Option<RawBsonRef<'doc>>),
    /// An array, of which each element is to be tried with the rest of the path.
    Array(&'doc RawArray, usize),
}

impl<'doc, V: FnMut(&[Option<RawBsonRef<'doc>>])> Walk<'_, V> {
    fn document(
        &mut self,
        document: &'doc RawDocument,
        open: &[Open],
        values: &mut [Option<RawBsonRef<'doc>>],
        depth: usize,
    ) -> Result<(), Error> {
        let mut array: Option<(&'doc RawArray, usize)> = None;
        let mut behind = Vec::new();
        for Open { field, at } in open.iter().copied() {
            match self.lead(document, field, at)? {
                Led::Value(value) => set(values, field, value),
                Led::Array(found, at) => {
                    match array {
                        Some((other, first))
                            if !std::ptr::eq(other.as_bytes(), found.as_bytes()) =>
                        {
                            return Err(self.parallel(first, field));
                        }
                        Some(_) => {}
                        None => array = Some((found, field)),
                    }
                    behind.push(Open { field, at });
                }
            }
        }
        let Some((array, _)) = array else {
            (self.visit)(values);
            return Ok(());
        };
        self.multikey = true;
        if let Some(open) =
            behind.iter().find(|open| self.kind(open.field) == Some(FieldKind::Hashed))
        {
            return Err(self.hashed(open.field));
        }
        if depth > DEEPEST {
            return Ok(());
        }
        self.elements(array, &behind, values, depth)
    }

    fn elements(
        &mut self,
        array: &'doc RawArray,
        behind: &[Open],
        values: &mut [Option<RawBsonRef<'doc>>],
        depth: usize,
    ) -> Result<(), Error> {
        let mut is_empty = true;
        for element in array.into_iter().map_while(Result::ok) {
            is_empty = false;
            let mut deeper = Vec::new();
            for open in behind {
                if self.is_end(*open) {
                    set(values, open.field, Some(element));
                } else if matches!(element, RawBsonRef::Document(_)) {
                    deeper.push(*open);
                } else {
                    set(values, open.field, None);
                }
            }
            match element {
                RawBsonRef::Document(document) if !deeper.is_empty() => {
                    self.document(document, &deeper, values, depth + 1)?;
                }
                _ => (self.visit)(values),
            }
        }
        if is_empty {
            for open in behind {
                let value = self.is_end(*open).then_some(RawBsonRef::Undefined);
                set(values, open.field, value);
            }
            (self.visit)(values);
        }
        Ok(())
    }

    fn lead(
        &self,
        document: &'doc RawDocument,
        field: usize,
        at: usize,
    ) -> Result<Led<'doc>, Error> {
        let path = self.paths.get(field).map_or(&[][..], |path| path.get(at..).unwrap_or_default());
        let mut value = RawBsonRef::Document(document);
        let mut by_position = false;
        for (step, name) in path.iter().enumerate() {
            by_position = matches!(value, RawBsonRef::Array(_));
            let next = match value {
                RawBsonRef::Document(document) => get(document, name),
                RawBsonRef::Array(array) => match positional(array, name)? {
                    Some(element) => Some(element),
                    None => return Ok(Led::Array(array, at + step)),
                },
                _ => None,
            };
            let Some(next) = next else { return Ok(Led::Value(None)) };
            value = next;
        }
        Ok(match value {
            // What a number leads to at the end counts as a whole.
            RawBsonRef::Array(array) if !by_position => Led::Array(array, at + path.len()),
            value => Led::Value(Some(value)),
        })
    }

    fn is_end(&self, open: Open) -> bool {
        self.paths.get(open.field).is_none_or(|path| open.at >= path.len())
    }

    fn kind(&self, field: usize) -> Option<FieldKind> {
        self.fields.get(field).map(|field| field.kind)
    }

    fn name(&self, field: usize) -> &str {
        self.fields.get(field).map_or("", |field| &field.name)
    }

    fn parallel(&self, first: usize, second: usize) -> Error {
        let last = |field| self.name(field).rsplit('.').next().unwrap_or_default().to_owned();
        Error::new(
            Code::CANNOT_INDEX_PARALLEL_ARRAYS,
            format!("cannot index parallel arrays [{}] [{}]", last(second), last(first)),
        )
    }

    fn hashed(&self, field: usize) -> Error {
        Error::location(
            16766,
            format!(
                "hashed indexes do not currently support array values. Found array at path: {}",
                self.name(field)
            ),
        )
    }
}

/// The element that a number names; none for a name that is no number, or behind the end.
fn positional<'doc>(array: &'doc RawArray, name: &str) -> Result<Option<RawBsonRef<'doc>>, Error> {
    let Some(position) = path::position(name) else { return Ok(None) };
    let found = array.into_iter().map_while(Result::ok).nth(position);
    if found.is_some() {
        let is_field = |element| match element {
            RawBsonRef::Document(document) => get(document, name).is_some(),
            _ => false,
        };
        if array.into_iter().map_while(Result::ok).any(is_field) {
            return Err(Error::location(
                16746,
                format!(
                    "Ambiguous field name found in array (do not use numeric field names in embedded elements in an \
                     array), field: '{name}'"
                ),
            ));
        }
    }
    Ok(found)
}

/// The first field of that name.
fn get<'doc>(document: &'doc RawDocument, name: &str) -> Option<RawBsonRef<'doc>> {
    let mut elements = document.iter_elements().map_while(Result::ok);
    elements.find(|element| element.key().as_str() == name)?.value().ok()
}

fn set<'doc>(
    values: &mut [Option<RawBsonRef<'doc>>],
    field: usize,
    value: Option<RawBsonRef<'doc>>,
) {
    if let Some(place) = values.get_mut(field) {
        *place = value;
    }
}
