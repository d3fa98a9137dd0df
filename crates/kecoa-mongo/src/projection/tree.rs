//! A projection as a tree of names.

use std::collections::HashMap;
use std::sync::Arc;

use ::bson::raw::CString;

use super::element::{ElementMatch, Slice};
use crate::error::{Code, Error};
use crate::expression::Expression;

/// What happens to a field that the tree does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It is left out.
    Inclusion,
    /// It stays.
    Exclusion,
    /// It stays, and computed fields replace those of their name where they stand.
    Addition,
}

#[derive(Clone, Debug)]
pub(super) struct Tree {
    pub(super) kind: Kind,
    pub(super) root: Node,
    /// Whether `_id` stays where the tree does not name it.
    pub(super) keeps_id: bool,
    pub(super) positional: Option<Positional>,
}

/// `a.b.$`.
#[derive(Clone, Debug)]
pub(super) struct Positional {
    /// What is in front of the `$`.
    pub(super) path: Box<str>,
}

/// The fields of a document that a projection names.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    children: Vec<(CString, Child)>,
    /// Where each name is, once there are many.
    places: HashMap<Box<str>, usize>,
    /// Whether a field below is computed.
    pub(super) computes: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Child {
    Include,
    Exclude,
    Compute(Arc<Expression>),
    Slice(Slice),
    ElementMatch(Arc<ElementMatch>),
    Node(Node),
}

impl Node {
    const FEW: usize = 8;

    pub(super) fn is_empty(&self) -> bool {
        self.children.is_empty()
    }

    /// The children in the order of the specification.
    pub(super) fn children(&self) -> &[(CString, Child)] {
        &self.children
    }

    /// The place of a name among the children.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        if self.places.is_empty() {
            return self.children.iter().position(|(child, _)| child.as_str() == name);
        }
        self.places.get(name).copied()
    }

    /// Put a leaf at the end of a path.
    pub(super) fn insert(&mut self, path: &str, leaf: Child) -> Result<(), Error> {
        let computes = matches!(leaf, Child::Compute(_));
        let mut node = self;
        let mut rest = path;
        loop {
            node.computes |= computes;
            let (name, below) = match rest.split_once('.') {
                Some((name, below)) => (name, Some(below)),
                None => (rest, None),
            };
            let place = node.place(name);
            let Some(below) = below else {
                if place.is_some() {
                    return Err(Error::location(31250, format!("Path collision at {path}")));
                }
                node.add(name, leaf)?;
                return Ok(());
            };
            let place = match place {
                Some(place) => place,
                None => node.add(name, Child::Node(Self::default()))?,
            };
            match node.children.get_mut(place) {
                Some((_, Child::Node(inner))) => node = inner,
                _ => {
                    return Err(Error::location(
                        31249,
                        format!("Path collision at {path} remaining portion {below}"),
                    ));
                }
            }
            rest = below;
        }
    }

    fn add(&mut self, name: &str, child: Child) -> Result<usize, Error> {
        let key = CString::try_from(name)
            .map_err(|_| Error::new(Code::BAD_VALUE, "expected a name without NUL"))?;
        let place = self.children.len();
        self.children.push((key, child));
        if !self.places.is_empty() {
            self.places.insert(name.into(), place);
        } else if self.children.len() > Self::FEW {
            self.places = (self.children.iter().enumerate())
                .map(|(place, (name, _))| (name.as_str().into(), place))
                .collect();
        }
        Ok(place)
    }
}
