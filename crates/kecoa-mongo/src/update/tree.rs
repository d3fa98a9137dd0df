//! All operators of an update by the paths they write to, in the order in which they run.

use std::collections::BTreeMap;

use super::modifier::Modifier;
use super::path::{Component, FieldName, UpdatePath};
use crate::error::{Code, Error};

/// What happens below one place of a document.
#[derive(Clone, Debug)]
pub(super) enum Child {
    /// An operator writes here.
    Leaf(Box<Leaf>),
    /// Operators write to fields, or to elements by their numbers.
    Fields(Branch),
    /// Operators write to the elements that array filters let through. The empty name stands for all.
    Elements(BTreeMap<String, Child>),
}

/// What happens in a document, or in elements of an array that are named by their numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct Branch {
    pub(super) fields: BTreeMap<FieldName, Child>,
    /// What happens to the element that met the query.
    pub(super) matched: Option<Box<Child>>,
}

/// An operator and the path it was given.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    pub(super) path: String,
    pub(super) modifier: Modifier,
}

impl Branch {
    /// Add an operator.
    ///
    /// # Errors
    ///
    /// `ConflictingUpdateOperators` if another one writes to the path, to a part of it, or to something within.
    pub(super) fn insert(&mut self, path: &UpdatePath, modifier: Modifier) -> Result<(), Error> {
        let leaf = Leaf { path: path.text.clone(), modifier };
        self.insert_at(path, 0, leaf)
    }

    /// Whether an operator writes to the field, or into it: the path that it was given.
    pub(super) fn writes_to(&self, name: &str) -> Option<&str> {
        self.fields.get(&FieldName(name.to_owned())).and_then(Child::first_path)
    }

    /// Whether an operator writes to the very field.
    pub(super) fn writes_at(&self, name: &str) -> bool {
        matches!(self.fields.get(&FieldName(name.to_owned())), Some(Child::Leaf(_)))
    }

    /// Whether an operator stands for the element that met the query.
    pub(super) fn needs_position(&self) -> bool {
        self.matched.is_some() || self.fields.values().any(Child::needs_position)
    }

    fn insert_at(&mut self, path: &UpdatePath, at: usize, leaf: Leaf) -> Result<(), Error> {
        match path.components.get(at) {
            Some(Component::Field(name)) => match self.fields.get_mut(name) {
                Some(child) => child.insert(path, at + 1, leaf),
                None => {
                    self.fields.insert(name.clone(), Child::chain(path, at + 1, leaf));
                    Ok(())
                }
            },
            Some(Component::Matched) => match &mut self.matched {
                Some(child) => child.insert(path, at + 1, leaf),
                None => {
                    self.matched = Some(Box::new(Child::chain(path, at + 1, leaf)));
                    Ok(())
                }
            },
            _ => Err(conflict(path, at)),
        }
    }
}

impl Child {
    /// The path of the first operator within.
    pub(super) fn first_path(&self) -> Option<&str> {
        match self {
            Self::Leaf(leaf) => Some(&leaf.path),
            Self::Fields(branch) => {
                branch.fields.values().chain(branch.matched.as_deref()).find_map(Self::first_path)
            }
            Self::Elements(filters) => filters.values().find_map(Self::first_path),
        }
    }

    fn needs_position(&self) -> bool {
        match self {
            Self::Leaf(_) => false,
            Self::Fields(branch) => branch.needs_position(),
            Self::Elements(filters) => filters.values().any(Self::needs_position),
        }
    }

    /// The one operator at the end of the rest of a path.
    fn chain(path: &UpdatePath, from: usize, leaf: Leaf) -> Self {
        let rest = path.components.get(from..).unwrap_or(&[]);
        rest.iter().rev().fold(Self::Leaf(Box::new(leaf)), |inner, component| match component {
            Component::Field(name) => {
                let fields = BTreeMap::from([(name.clone(), inner)]);
                Self::Fields(Branch { fields, matched: None })
            }
            Component::Matched => {
                Self::Fields(Branch { fields: BTreeMap::new(), matched: Some(Box::new(inner)) })
            }
            Component::Elements(name) => Self::Elements(BTreeMap::from([(name.clone(), inner)])),
        })
    }

    fn insert(&mut self, path: &UpdatePath, at: usize, leaf: Leaf) -> Result<(), Error> {
        match (self, path.components.get(at)) {
            (Self::Fields(branch), Some(_)) => branch.insert_at(path, at, leaf),
            (Self::Elements(filters), Some(Component::Elements(name))) => {
                match filters.get_mut(name) {
                    Some(child) => child.insert(path, at + 1, leaf),
                    None => {
                        filters.insert(name.clone(), Self::chain(path, at + 1, leaf));
                        Ok(())
                    }
                }
            }
            _ => Err(conflict(path, at)),
        }
    }
}

/// Two operators meet after so many parts of the path.
fn conflict(path: &UpdatePath, parts: usize) -> Error {
    let text = &path.text;
    let end = text.match_indices('.').nth(parts.saturating_sub(1)).map_or(text.len(), |(at, _)| at);
    let place = text.get(..end).unwrap_or(text);
    Error::new(
        Code::CONFLICTING_UPDATE_OPERATORS,
        format!("Updating the path '{text}' would create a conflict at '{place}'"),
    )
}
