//! Walks through the operators and the document together.

use std::collections::BTreeMap;

use ::bson::{RawBson, RawBsonRef, RawDocument};

use super::array_filters::ArrayFilters;
use super::modifier::{Modifier, replace};
use super::node::{Fields, Node};
use super::path::{FieldName, UpdatePath};
use super::place::{Outcome, Place, Step, WhenMissing, path_text};
use super::rename;
use super::text;
use super::tree::{Branch, Child, Leaf};
use crate::collation::Collator;
use crate::error::{Code, Error};
use crate::expression::Variables;

/// How far behind the end of an array an element may be set.
const MAX_PADDING: usize = 1_500_000;

/// One application of operators to a document.
pub(super) struct Application<'a> {
    /// The document before.
    pub(super) original: &'a RawDocument,
    pub(super) id: Option<RawBsonRef<'a>>,
    /// The element that met the query, as a name.
    pub(super) matched: Option<&'a FieldName>,
    pub(super) filters: &'a ArrayFilters,
    pub(super) collator: &'a Collator,
    pub(super) variables: &'a Variables,
    pub(super) inserting: bool,
    /// The names and numbers that led here.
    pub(super) way: Vec<Step<'a>>,
    /// The old places of renamed fields, to be removed at the end.
    pub(super) moved: Vec<&'a UpdatePath>,
    /// Whether an operator did something.
    pub(super) changed: bool,
}

/// Operators for one place, by the name of the field.
type Groups<'a> = Vec<(&'a FieldName, Vec<&'a Child>)>;

impl<'a> Application<'a> {
    /// Apply operators to an opened document.
    pub(super) fn run(
        &mut self,
        root: Fields<'a>,
        branch: &'a Branch,
    ) -> Result<Fields<'a>, Error> {
        let mut node = Node::Document(root);
        self.fields(&mut node, &[branch])?;
        for path in std::mem::take(&mut self.moved) {
            rename::remove(&mut node, path)?;
        }
        match node {
            Node::Document(fields) => Ok(fields),
            _ => Ok(Fields::default()),
        }
    }

    /// Operators at a value that is there.
    fn existing(&mut self, node: &mut Node<'a>, children: &[&'a Child]) -> Result<Outcome, Error> {
        match children {
            [Child::Leaf(leaf)] => return self.leaf(node, leaf),
            [Child::Fields(branch)] => self.fields(node, &[branch])?,
            [Child::Elements(filters)] => self.elements(node, &[filters])?,
            several => match self.together(several)? {
                Together::Fields(branches) => self.fields(node, &branches)?,
                Together::Elements(filters) => self.elements(node, &filters)?,
            },
        }
        // The operators within have reported what they did.
        Ok(Outcome::Same)
    }

    fn leaf(&mut self, node: &mut Node<'a>, leaf: &'a Leaf) -> Result<Outcome, Error> {
        if let Modifier::MoveFrom(from) = &leaf.modifier {
            let Some(value) = rename::source(self.original, self.id, from)? else {
                return Ok(Outcome::Same);
            };
            self.check_destination()?;
            self.moved.push(from);
            self.changed = true;
            return replace(node, Node::Given(value));
        }
        let outcome = leaf.modifier.change(node, &self.place())?;
        self.changed |= outcome != Outcome::Same;
        Ok(outcome)
    }

    /// Operators at fields of a document, or at elements of an array by their numbers.
    fn fields(&mut self, node: &mut Node<'a>, branches: &[&'a Branch]) -> Result<(), Error> {
        node.open()?;
        if let [Branch { fields, matched: None }] = branches {
            for (name, child) in fields {
                self.field(node, name, &[child])?;
            }
            return Ok(());
        }
        for (name, children) in self.groups(branches)? {
            self.field(node, name, &children)?;
        }
        Ok(())
    }

    fn field(
        &mut self,
        node: &mut Node<'a>,
        name: &'a FieldName,
        children: &[&'a Child],
    ) -> Result<(), Error> {
        match node {
            Node::Document(fields) => {
                self.way.push(Step::Name(&name.0));
                match fields.get_mut(&name.0) {
                    Some(value) => {
                        if self.existing(value, children)? == Outcome::Removed {
                            fields.take(&name.0);
                        }
                    }
                    None => {
                        if let Some(made) = self.missing(children)? {
                            self.changed = true;
                            fields.append(&name.0, made)?;
                        }
                    }
                }
                self.way.pop();
                Ok(())
            }
            Node::Array(elements) => match name.index() {
                Some(index) => self.element(elements, index, children),
                None => self.blocked(node, name, children),
            },
            _ => self.blocked(node, name, children),
        }
    }

    fn element(
        &mut self,
        elements: &mut Vec<Node<'a>>,
        index: usize,
        children: &[&'a Child],
    ) -> Result<(), Error> {
        self.way.push(Step::Index(index));
        if let Some(element) = elements.get_mut(index) {
            if self.existing(element, children)? == Outcome::Removed {
                *element = Node::Made(RawBson::Null);
            }
        } else if let Some(made) = self.missing(children)? {
            if index.saturating_sub(elements.len()) > MAX_PADDING {
                return Err(Error::new(
                    Code::CANNOT_BACKFILL_ARRAY,
                    format!("can't backfill more than {MAX_PADDING} elements"),
                ));
            }
            self.changed = true;
            elements.resize_with(index, || Node::Made(RawBson::Null));
            elements.push(made);
        }
        self.way.pop();
        Ok(())
    }

    /// Operators at the elements that array filters let through.
    fn elements(
        &mut self,
        node: &mut Node<'a>,
        maps: &[&'a BTreeMap<String, Child>],
    ) -> Result<(), Error> {
        node.open()?;
        let Node::Array(elements) = node else {
            let name = self.last_name();
            return Err(Error::new(
                Code::BAD_VALUE,
                format!(
                    "Cannot apply array updates to non-array element {}",
                    text::field(&name, node.value()?.as_ref())
                ),
            ));
        };
        let mut children = Vec::new();
        for (index, element) in elements.iter_mut().enumerate() {
            children.clear();
            for (name, child) in maps.iter().copied().flatten() {
                if name.is_empty()
                    || self.filters.matches(name, element.value()?.as_ref(), self.variables)?
                {
                    children.push(child);
                }
            }
            if children.is_empty() {
                continue;
            }
            self.way.push(Step::Index(index));
            if self.existing(element, &children)? == Outcome::Removed {
                *element = Node::Made(RawBson::Null);
            }
            self.way.pop();
        }
        Ok(())
    }

    /// Operators where nothing is; `None` if they make nothing.
    fn missing(&mut self, children: &[&'a Child]) -> Result<Option<Node<'a>>, Error> {
        let branches = match children {
            [Child::Leaf(leaf)] => return self.missing_leaf(leaf),
            [Child::Fields(branch)] => vec![branch],
            [Child::Elements(_)] => return Err(self.no_elements()),
            several => match self.together(several)? {
                Together::Fields(branches) => branches,
                Together::Elements(_) => return Err(self.no_elements()),
            },
        };
        let mut made = None;
        for (name, children) in self.groups(&branches)? {
            self.way.push(Step::Name(&name.0));
            if let Some(value) = self.missing(&children)? {
                made.get_or_insert_with(Fields::default).append(&name.0, value)?;
            }
            self.way.pop();
        }
        Ok(made.map(Node::Document))
    }

    fn missing_leaf(&mut self, leaf: &'a Leaf) -> Result<Option<Node<'a>>, Error> {
        if let Modifier::MoveFrom(from) = &leaf.modifier {
            let Some(value) = rename::source(self.original, self.id, from)? else {
                return Ok(None);
            };
            self.check_destination()?;
            self.moved.push(from);
            self.changed = true;
            return Ok(Some(Node::Given(value)));
        }
        leaf.modifier.create(&self.place())
    }

    /// Operators behind a value that has no such field.
    fn blocked(
        &mut self,
        node: &Node<'a>,
        name: &FieldName,
        children: &[&'a Child],
    ) -> Result<(), Error> {
        let mut waiting: Vec<&Child> = children.iter().rev().copied().collect();
        while let Some(child) = waiting.pop() {
            match child {
                Child::Leaf(leaf) => self.blocked_leaf(node, name, leaf)?,
                Child::Fields(branch) => {
                    if branch.matched.is_some() && self.matched.is_none() {
                        return Err(no_match());
                    }
                    waiting.extend(branch.matched.as_deref());
                    waiting.extend(branch.fields.values().rev());
                }
                Child::Elements(_) => return Err(self.no_elements()),
            }
        }
        Ok(())
    }

    fn blocked_leaf(&self, node: &Node<'a>, name: &FieldName, leaf: &Leaf) -> Result<(), Error> {
        let element = text::field(&self.last_name(), node.value()?.as_ref());
        let creates = match &leaf.modifier {
            Modifier::MoveFrom(from) => match rename::source(self.original, self.id, from)? {
                Some(_) => {
                    self.check_destination()?;
                    WhenMissing::Create
                }
                None => WhenMissing::Nothing,
            },
            other => other.when_missing(self.inserting),
        };
        match creates {
            WhenMissing::Nothing => Ok(()),
            WhenMissing::Create => Err(Error::new(
                Code::PATH_NOT_VIABLE,
                format!("Cannot create field '{}' in element {{{element}}}", name.0),
            )),
            WhenMissing::CheckWay => Err(Error::new(
                Code::PATH_NOT_VIABLE,
                format!(
                    "Cannot use the part ({}) of ({}) to traverse the element ({{{element}}})",
                    name.0, leaf.path
                ),
            )),
        }
    }

    /// A renamed field may not come to lie in an array.
    fn check_destination(&self) -> Result<(), Error> {
        let names: Vec<String> = self.way.iter().map(|step| step.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        rename::check_no_array(self.original, &names, "destination", self.id)
    }

    /// The branches together, by names in their order.
    fn groups(&self, branches: &[&'a Branch]) -> Result<Groups<'a>, Error> {
        let mut groups: BTreeMap<&'a FieldName, Vec<&'a Child>> = BTreeMap::new();
        for branch in branches {
            for (name, child) in &branch.fields {
                groups.entry(name).or_default().push(child);
            }
            if let Some(child) = &branch.matched {
                groups.entry(self.matched.ok_or_else(no_match)?).or_default().push(child);
            }
        }
        Ok(groups.into_iter().collect())
    }

    /// Several operators that meet at one element because `$` or several array filters stand for it.
    fn together(&self, children: &[&'a Child]) -> Result<Together<'a>, Error> {
        let (mut branches, mut elements) = (Vec::new(), Vec::new());
        for child in children {
            match child {
                Child::Leaf(_) => return Err(self.conflict()),
                Child::Fields(branch) => branches.push(branch),
                Child::Elements(filters) => elements.push(filters),
            }
        }
        match (branches.is_empty(), elements.is_empty()) {
            (_, true) => Ok(Together::Fields(branches)),
            (true, false) => Ok(Together::Elements(elements)),
            (false, false) => Err(self.conflict()),
        }
    }

    fn conflict(&self) -> Error {
        Error::new(
            Code::CONFLICTING_UPDATE_OPERATORS,
            format!("Update created a conflict at '{}'", self.path()),
        )
    }

    fn no_elements(&self) -> Error {
        Error::new(
            Code::BAD_VALUE,
            format!(
                "The path '{}' must exist in the document in order to apply array updates.",
                self.path()
            ),
        )
    }

    fn place(&self) -> Place<'_> {
        Place {
            way: &self.way,
            id: self.id,
            collator: self.collator,
            variables: self.variables,
            inserting: self.inserting,
        }
    }

    fn path(&self) -> String {
        path_text(&self.way)
    }

    fn last_name(&self) -> String {
        self.way.last().map(Step::to_string).unwrap_or_default()
    }
}

enum Together<'a> {
    Fields(Vec<&'a Branch>),
    Elements(Vec<&'a BTreeMap<String, Child>>),
}

fn no_match() -> Error {
    Error::new(
        Code::BAD_VALUE,
        "The positional operator did not find the match needed from the query.",
    )
}
