//! Dotted paths into documents and through arrays, as MongoDB's matcher follows them.
//!
//! - A name leads into a document. If it leads nowhere, there is one *missing* value.
//! - In the middle of a path, an array stands for those of its elements that are documents. A number leads to the
//!   element at that position as well, and through arrays within arrays only a number leads.
//! - At the end of a path, an array stands for its elements, and then for itself; not if a number led to it.
//!
//! So `a.0.b` on `{a: [{b: 1}]}` gives a missing value (no field `0` in the element) and then 1: that a match
//! for `null` and one for 1 both succeed is MongoDB's behaviour.

use std::ops::ControlFlow;

use ::bson::{RawArray, RawBsonRef, RawDocument};
use thiserror::Error;

use super::field::field;
use super::limits::MAX_DEPTH;

/// A dotted path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    components: Box<[Component]>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Component {
    name: Box<str>,
    /// The position that the name is, too.
    position: Option<usize>,
}

/// A path has too many components.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("expected a path of at most {MAX_DEPTH} components, found {found}")]
pub struct PathTooLong {
    /// How many it has.
    pub found: usize,
}

/// What a path leads to.
#[derive(Clone, Copy, Debug)]
pub struct Found<'doc, 'walk> {
    /// The value; none if it is missing.
    pub value: Option<RawBsonRef<'doc>>,
    /// The arrays on the way whose elements were tried one by one, the innermost first.
    pub positions: Option<&'walk Position<'walk>>,
    /// Whether the value is an array whose elements came before.
    pub whole_array: bool,
}

/// A position in an array whose elements were tried one by one.
#[derive(Clone, Copy, Debug)]
pub struct Position<'walk> {
    /// The position.
    pub index: usize,
    /// That in the array around.
    pub outer: Option<&'walk Position<'walk>>,
}

impl Path {
    /// Take a path apart. Empty components are names like all others.
    ///
    /// # Errors
    ///
    /// [`PathTooLong`].
    pub fn parse(text: &str) -> Result<Self, PathTooLong> {
        let components: Box<[_]> = text.split('.').map(Component::new).collect();
        if components.len() > MAX_DEPTH {
            return Err(PathTooLong { found: components.len() });
        }
        Ok(Self { components })
    }

    /// The names between the dots.
    pub fn components(&self) -> impl ExactSizeIterator<Item = &str> {
        self.components.iter().map(|component| &*component.name)
    }

    /// Show `visit` all that the path leads to in `document`, in MongoDB's order, until it breaks off.
    pub fn visit<'doc, B>(
        &self,
        document: &'doc RawDocument,
        visit: &mut impl FnMut(Found<'doc, '_>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        in_document(&self.components, document, None, true, visit)
    }

    /// The same, but an array at the end of the path is shown as a whole only.
    pub fn visit_whole<'doc, B>(
        &self,
        document: &'doc RawDocument,
        visit: &mut impl FnMut(Found<'doc, '_>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        in_document(&self.components, document, None, false, visit)
    }

    /// Whether the path leads to a value for which `test` holds.
    pub fn any<'doc>(
        &self,
        document: &'doc RawDocument,
        mut test: impl FnMut(Found<'doc, '_>) -> bool,
    ) -> bool {
        let mut visit = |found: Found<'doc, '_>| {
            if test(found) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        self.visit(document, &mut visit).is_break()
    }
}

impl Found<'_, '_> {
    /// The position in the outermost array whose elements were tried one by one: what `$` stands for in an update.
    #[must_use]
    pub fn outermost_position(&self) -> Option<usize> {
        let mut position = self.positions?;
        while let Some(outer) = position.outer {
            position = outer;
        }
        Some(position.index)
    }
}

impl Component {
    fn new(name: &str) -> Self {
        Self { name: name.into(), position: position(name) }
    }
}

/// Whether a name is of digits alone, so that it may name an element of an array.
#[must_use]
pub fn is_number(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())
}

/// The position of an element that a name is, too; `01` is a name alone.
#[must_use]
pub fn position(name: &str) -> Option<usize> {
    let plain = is_number(name) && (name == "0" || !name.starts_with('0'));
    if plain { name.parse().ok() } else { None }
}

fn in_document<'doc, B>(
    path: &[Component],
    document: &'doc RawDocument,
    positions: Option<&Position<'_>>,
    expand: bool,
    visit: &mut impl FnMut(Found<'doc, '_>) -> ControlFlow<B>,
) -> ControlFlow<B> {
    let missing = Found { value: None, positions, whole_array: false };
    let Some((first, rest)) = path.split_first() else { return ControlFlow::Continue(()) };
    match (field(document, &first.name), rest) {
        (None, _) => visit(missing),
        (Some(RawBsonRef::Array(array)), []) if expand => leaf_array(array, positions, visit),
        (value @ Some(_), []) => visit(Found { value, positions, whole_array: false }),
        (Some(RawBsonRef::Document(inner)), _) => {
            in_document(rest, inner, positions, expand, visit)
        }
        (Some(RawBsonRef::Array(array)), _) => in_array(rest, array, positions, expand, visit),
        (Some(_), _) => visit(missing),
    }
}

/// The elements that are documents, and the one that a number leads to.
fn in_array<'doc, B>(
    path: &[Component],
    array: &'doc RawArray,
    positions: Option<&Position<'_>>,
    expand: bool,
    visit: &mut impl FnMut(Found<'doc, '_>) -> ControlFlow<B>,
) -> ControlFlow<B> {
    let Some((first, rest)) = path.split_first() else { return ControlFlow::Continue(()) };
    for (index, value) in array.into_iter().map_while(Result::ok).enumerate() {
        if let RawBsonRef::Document(document) = value {
            let position = Position { index, outer: positions };
            in_document(path, document, Some(&position), expand, visit)?;
        }
        if first.position != Some(index) {
            continue;
        }
        match (value, rest) {
            (_, []) => visit(Found { value: Some(value), positions, whole_array: false })?,
            (RawBsonRef::Document(document), _) => {
                in_document(rest, document, positions, expand, visit)?
            }
            (RawBsonRef::Array(inner), _) => in_array(rest, inner, positions, expand, visit)?,
            _ => {}
        }
    }
    ControlFlow::Continue(())
}

fn leaf_array<'doc, B>(
    array: &'doc RawArray,
    positions: Option<&Position<'_>>,
    visit: &mut impl FnMut(Found<'doc, '_>) -> ControlFlow<B>,
) -> ControlFlow<B> {
    for (index, value) in array.into_iter().map_while(Result::ok).enumerate() {
        let position = Position { index, outer: positions };
        visit(Found { value: Some(value), positions: Some(&position), whole_array: false })?;
    }
    visit(Found { value: Some(RawBsonRef::Array(array)), positions, whole_array: true })
}
