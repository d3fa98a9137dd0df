//! Where an operator writes: names, `$`, `$[]` and `$[name]` between dots.

use std::cmp::Ordering;

use crate::bson::limits::MAX_DEPTH;
use crate::bson::path::is_number;
use crate::error::{Code, Error};

/// A path of an update.
#[derive(Clone, Debug)]
pub(super) struct UpdatePath {
    pub(super) text: String,
    pub(super) components: Vec<Component>,
}

/// A part of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Component {
    /// A field, or an element by its number.
    Field(FieldName),
    /// `$`: the element that met the query.
    Matched,
    /// `$[name]`: the elements that an array filter lets through; all, if there is no name.
    Elements(String),
}

/// A name of a field. Names that are numbers are in the order of the numbers, in front of the others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct FieldName(pub(super) String);

impl UpdatePath {
    /// Take a path apart.
    ///
    /// # Errors
    ///
    /// `EmptyFieldName`; `BadValue` for a `$` that has no array in front or is the second.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        if text.is_empty() {
            return Err(Error::new(Code::EMPTY_FIELD_NAME, "An empty update path is not valid."));
        }
        let mut components = Vec::new();
        let mut positional = 0;
        for (at, part) in text.split('.').enumerate() {
            if at >= MAX_DEPTH {
                return Err(Error::new(
                    Code::OVERFLOW,
                    format!("expected a path of at most {MAX_DEPTH} parts, found more"),
                ));
            }
            let component = Component::parse(part);
            match (&component, at) {
                (Component::Field(name), _) if name.0.is_empty() => {
                    return Err(Error::new(
                        Code::EMPTY_FIELD_NAME,
                        format!(
                            "The update path '{text}' contains an empty field name, which is not \
                             allowed."
                        ),
                    ));
                }
                (Component::Matched, 0) => {
                    return Err(bad(format!(
                        "Cannot have positional (i.e. '$') element in the first position in path \
                         '{text}'"
                    )));
                }
                (Component::Elements(_), 0) => {
                    return Err(bad(format!(
                        "Cannot have array filter identifier (i.e. '$[<id>]') element in the first \
                         position in path '{text}'"
                    )));
                }
                (Component::Matched, _) => positional += 1,
                _ => {}
            }
            components.push(component);
        }
        if positional > 1 {
            return Err(bad(format!(
                "Too many positional (i.e. '$') elements found in path '{text}'"
            )));
        }
        Ok(Self { text: text.to_owned(), components })
    }

    /// Whether it is made of names alone.
    pub(super) fn is_static(&self) -> bool {
        self.components.iter().all(|part| matches!(part, Component::Field(_)))
    }

    /// The names of a path that has nothing else.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.components.iter().filter_map(|part| match part {
            Component::Field(name) => Some(name.0.as_str()),
            _ => None,
        })
    }
}

impl Component {
    fn parse(part: &str) -> Self {
        if part == "$" {
            return Self::Matched;
        }
        match part.strip_prefix("$[").and_then(|rest| rest.strip_suffix(']')) {
            Some(name) => Self::Elements(name.to_owned()),
            None => Self::Field(FieldName(part.to_owned())),
        }
    }
}

impl FieldName {
    /// The number that it is, without zeros in front.
    fn digits(&self) -> Option<&str> {
        is_number(&self.0).then(|| self.0.trim_start_matches('0'))
    }

    /// The position of an element that it names.
    pub(super) fn index(&self) -> Option<usize> {
        array_index(&self.0)
    }
}

/// The position of an element that a name is; `01` is none.
pub(super) fn array_index(name: &str) -> Option<usize> {
    if !is_number(name) || (name.len() > 1 && name.starts_with('0')) {
        return None;
    }
    // More than fits is far behind the end of every array.
    Some(name.parse().unwrap_or(usize::MAX))
}

impl Ord for FieldName {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.digits(), other.digits()) {
            (Some(left), Some(right)) => {
                left.len().cmp(&right.len()).then(left.cmp(right)).then(self.0.cmp(&other.0))
            }
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => self.0.cmp(&other.0),
        }
    }
}

impl PartialOrd for FieldName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn bad(message: String) -> Error {
    Error::new(Code::BAD_VALUE, message)
}
