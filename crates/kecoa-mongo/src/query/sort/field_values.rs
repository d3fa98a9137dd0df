//! The values that a document has at the paths of a sort, together.
//!
//! Fields below one array go through its elements at the same time, so that their values come from one element. A
//! number leads to the element at that position alone, if there is one.

use ::bson::{RawArray, RawBsonRef, RawDocument};

use super::field::SortField;
use crate::bson::path::position;
use crate::error::{Code, Error};

/// How far a path has been followed.
#[derive(Clone, Copy)]
enum Place<'doc, 'path> {
    /// To its end, or to where nothing is.
    End(Option<RawBsonRef<'doc>>),
    /// To an array whose elements are to be tried, with the rest of the path.
    Array(&'doc RawArray, Option<&'path str>),
}

/// Shown each combination of values.
type Visitor<'a> = dyn FnMut(&[Option<RawBsonRef<'_>>]) + 'a;

/// Show `visit` the values of the fields; several times if there are arrays.
pub(super) fn visit(
    fields: &[SortField],
    document: &RawDocument,
    visit: &mut Visitor<'_>,
) -> Result<(), Error> {
    let places = fields
        .iter()
        .map(|field| match &field.path {
            Some(path) => follow(document, path.as_str()),
            None => Ok(Place::End(None)),
        })
        .collect::<Result<Vec<_>, _>>()?;
    expand(&places, visit)
}

fn expand(places: &[Place<'_, '_>], visit: &mut Visitor<'_>) -> Result<(), Error> {
    let mut array = None;
    for place in places {
        if let Place::Array(found, _) = place {
            let same = |other: &&RawArray| std::ptr::eq(other.as_bytes(), found.as_bytes());
            if !array.as_ref().is_none_or(same) {
                return Err(Error::new(
                    Code::BAD_VALUE,
                    "cannot sort with keys that are parallel arrays",
                ));
            }
            array = Some(*found);
        }
    }
    let Some(array) = array else {
        let values: Vec<_> = places
            .iter()
            .map(|place| if let Place::End(value) = place { *value } else { None })
            .collect();
        visit(&values);
        return Ok(());
    };
    if array.is_empty() {
        let places: Vec<_> = places
            .iter()
            .map(|place| match place {
                Place::Array(_, None) => Place::End(Some(RawBsonRef::Undefined)),
                Place::Array(_, Some(_)) => Place::End(None),
                end => *end,
            })
            .collect();
        return expand(&places, visit);
    }
    for element in array.into_iter().map_while(Result::ok) {
        let places = places
            .iter()
            .map(|place| match (place, element) {
                (Place::Array(_, None), _) => Ok(Place::End(Some(element))),
                (Place::Array(_, Some(rest)), RawBsonRef::Document(document)) => {
                    follow(document, rest)
                }
                (Place::Array(_, Some(_)), _) => Ok(Place::End(None)),
                (end, _) => Ok(*end),
            })
            .collect::<Result<Vec<_>, _>>()?;
        expand(&places, visit)?;
    }
    Ok(())
}

/// Follow a path to its end or to the first array.
fn follow<'doc, 'path>(
    mut document: &'doc RawDocument,
    mut path: &'path str,
) -> Result<Place<'doc, 'path>, Error> {
    loop {
        let (name, rest) = split(path);
        let Some(value) = field(document, name) else { return Ok(Place::End(None)) };
        match (value, rest) {
            (RawBsonRef::Array(array), rest) => return in_array(array, rest),
            (value, None) => return Ok(Place::End(Some(value))),
            (RawBsonRef::Document(inner), Some(rest)) => (document, path) = (inner, rest),
            (_, Some(_)) => return Ok(Place::End(None)),
        }
    }
}

fn in_array<'doc, 'path>(
    array: &'doc RawArray,
    path: Option<&'path str>,
) -> Result<Place<'doc, 'path>, Error> {
    let expanded = Place::Array(array, path);
    let Some((name, rest)) = path.map(split) else { return Ok(expanded) };
    let Some(element) = position(name).and_then(|at| array.into_iter().nth(at)?.ok()) else {
        return Ok(expanded);
    };
    let mut documents = array.into_iter().map_while(Result::ok).filter_map(RawBsonRef::as_document);
    if documents.any(|document| field(document, name).is_some()) {
        return Err(Error::location(
            16746,
            format!(
                "Ambiguous field name found in array (do not use numeric field names in embedded \
                 elements in an array), field: '{name}' for array"
            ),
        ));
    }
    match (element, rest) {
        // What a number leads to at the end counts as a whole, an array too.
        (element, None) => Ok(Place::End(Some(element))),
        (RawBsonRef::Array(inner), rest) => in_array(inner, rest),
        (RawBsonRef::Document(document), Some(rest)) => follow(document, rest),
        (_, Some(_)) => Ok(Place::End(None)),
    }
}

fn split(path: &str) -> (&str, Option<&str>) {
    path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)))
}

fn field<'doc>(document: &'doc RawDocument, name: &str) -> Option<RawBsonRef<'doc>> {
    let mut elements = document.iter_elements().map_while(Result::ok);
    elements.find(|element| element.key().as_str() == name)?.value().ok()
}
