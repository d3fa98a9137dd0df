//! Reads expressions.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use ::bson::raw::CString;
use ::bson::{RawArrayBuf, RawBsonRef, RawDocument, RawDocumentBuf};

use super::describe;
use super::field_path::{self, Base, FieldPath};
use super::naming;
use super::node::{Binary, Node, Stoppable, Unary, Variadic};
use super::scope::Scope;
use crate::error::{Code, Error};

/// An operator of expressions.
pub(crate) struct Operator {
    /// With `$`.
    pub(crate) name: &'static str,
    pub(crate) definition: Definition,
}

/// How an operator's arguments are read.
#[derive(Clone, Copy)]
pub(crate) enum Definition {
    /// One argument, in an array or alone.
    Unary(Unary),
    /// Two arguments.
    Binary(Binary),
    /// So many arguments.
    Exactly(usize, Variadic),
    /// From so many arguments to so many.
    Ranged(usize, usize, Variadic),
    /// Any number of arguments.
    Variadic(Variadic),
    /// So many arguments, of work that may take long.
    StoppableExactly(usize, Stoppable),
    /// From so many arguments to so many, of work that may take long.
    StoppableRanged(usize, usize, Stoppable),
    /// In its own way.
    Own(for<'p> fn(&'static str, RawBsonRef<'_>, &Parser<'p>) -> Result<Node, Error>),
}

/// Finds an operator by its name.
pub(crate) type Find = fn(&str) -> Option<&'static Operator>;

/// How deep expressions may lie in one another.
const MAX_DEPTH: usize = 100;

/// Reads one expression, with the variables around it.
#[derive(Clone, Debug)]
pub(crate) struct Parser<'p> {
    pub(super) scope: &'p Scope,
    find: Find,
    locals: Vec<Arc<str>>,
    depth: usize,
    /// How many parts were read so far whose values are not known before there is a document.
    unknown: Rc<Cell<usize>>,
    /// The first failure of an operator whose arguments are all known.
    failure: Rc<RefCell<Option<Error>>>,
}

/// Operators that are evaluated on documents alone, even where all their arguments are known.
const EVALUATED_LATE: [&str; 20] = [
    "$filter",
    "$getField",
    "$let",
    "$map",
    "$median",
    "$percentile",
    "$reduce",
    "$regexFind",
    "$regexFindAll",
    "$regexMatch",
    "$replaceAll",
    "$replaceOne",
    "$setEquals",
    "$setField",
    "$sortArray",
    "$switch",
    "$toHashedIndexKey",
    "$unsetField",
    "$zip",
    "$meta",
];

impl<'p> Parser<'p> {
    pub(super) fn new(scope: &'p Scope, find: Find) -> Self {
        Self {
            scope,
            find,
            locals: Vec::new(),
            depth: 0,
            unknown: Rc::default(),
            failure: Rc::default(),
        }
    }

    /// An operator fails on all documents. The whole expression is refused, once all of it was read.
    pub(super) fn note_failure(&self, error: Error) {
        self.failure.borrow_mut().get_or_insert(error);
    }

    /// The first failure that was noted.
    pub(super) fn take_failure(&self) -> Option<Error> {
        self.failure.borrow_mut().take()
    }

    /// What `read` gives, and the first failure that it noted, which counts no more.
    pub(super) fn apart<T>(&self, read: impl FnOnce() -> T) -> (T, Option<Error>) {
        let before = self.take_failure();
        let value = read();
        let failure = self.failure.replace(before);
        (value, failure)
    }

    /// One for an expression that sees a variable more; and the variable's slot.
    pub(super) fn with_local(&self, name: &str) -> (Self, usize) {
        let mut inner = self.clone();
        inner.locals.push(name.into());
        (inner, self.locals.len())
    }

    /// Read any expression.
    pub(super) fn operand(&self, value: RawBsonRef<'_>) -> Result<Node, Error> {
        if self.depth >= MAX_DEPTH {
            let text = format!("expected expressions at most {MAX_DEPTH} deep, found deeper ones");
            return Err(Error::new(Code::OVERFLOW, text));
        }
        match value {
            RawBsonRef::String(text) if text.starts_with('$') => self.path(text),
            RawBsonRef::Document(document) => self.deeper().object(document),
            RawBsonRef::Array(_) => Ok(array(self.deeper().positional(value)?)),
            value => Ok(Node::Constant(Some(value.into()))),
        }
    }

    fn deeper(&self) -> Self {
        Self { depth: self.depth + 1, ..self.clone() }
    }

    /// A part was read whose value is not known before there is a document.
    pub(super) fn note_unknown(&self) {
        self.unknown.set(self.unknown.get() + 1);
    }

    /// How many such parts were read so far.
    pub(super) fn unknown_parts(&self) -> usize {
        self.unknown.get()
    }

    /// `$a.b` or `$$variable.a`.
    pub(super) fn path(&self, text: &str) -> Result<Node, Error> {
        let node = self.read_path(text)?;
        if node.as_constant().is_none() {
            self.note_unknown();
        }
        Ok(node)
    }

    fn read_path(&self, text: &str) -> Result<Node, Error> {
        let Some(rest) = text.strip_prefix("$$") else {
            let rest = text.strip_prefix('$').unwrap_or(text);
            if rest.is_empty() {
                return Err(Error::location(16872, "'$' by itself is not a valid FieldPath"));
            }
            let path = field_path::split(rest)?;
            return Ok(Node::FieldPath(FieldPath::new(self.current()?, &path)));
        };
        let variable = rest.split('.').next().unwrap_or("");
        naming::check_variable_reference(variable)?;
        let path = field_path::split(rest)?;
        let inner = path.get(1..).unwrap_or(&[]);
        let at = |base| Ok(Node::FieldPath(FieldPath::new(base, inner)));
        if let Some(slot) = self.locals.iter().rposition(|local| &**local == variable) {
            return at(Base::Local(slot));
        }
        if self.scope.has_variable(variable) {
            return at(Base::Bound(variable.into()));
        }
        match variable {
            "ROOT" => {
                self.scope.check_documents()?;
                at(Base::Root)
            }
            "CURRENT" => at(self.current()?),
            "NOW" => at(Base::Now),
            "CLUSTER_TIME" => at(Base::ClusterTime),
            "USER_ROLES" => at(Base::UserRoles),
            "REMOVE" => Ok(Node::Constant(None)),
            _ => Err(Scope::undefined(variable)),
        }
    }

    /// What a path without a variable begins at.
    fn current(&self) -> Result<Base, Error> {
        match self.locals.iter().rposition(|local| &**local == "CURRENT") {
            Some(slot) => Ok(Base::Local(slot)),
            None if self.scope.has_variable("CURRENT") => Ok(Base::Bound("CURRENT".into())),
            None => self.scope.check_documents().map(|()| Base::Current),
        }
    }

    /// An operator with its argument, or fields with an expression each.
    pub(super) fn object(&self, document: &RawDocument) -> Result<Node, Error> {
        let mut fields = document.iter();
        let first = fields.next().transpose().map_err(malformed)?;
        let Some((name, argument)) = first else {
            return Ok(Node::constant(RawDocumentBuf::new()));
        };
        if name.as_str().starts_with('$') {
            if fields.next().is_some() {
                let text = format!(
                    "an object representing an expression must have exactly one field: {}",
                    describe::document(document)
                );
                return Err(Error::location(15983, text));
            }
            return self.operator(name.as_str(), argument);
        }
        self.fields(document)
    }

    /// Fields with an expression each.
    fn fields(&self, document: &RawDocument) -> Result<Node, Error> {
        let mut nodes: Vec<(CString, Node)> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for field in document {
            let (name, value) = field.map_err(malformed)?;
            naming::check_field(name.as_str())?;
            if !seen.insert(name.as_str()) {
                let text = format!(
                    "duplicate field name specified in object literal: {}",
                    describe::document(document)
                );
                return Err(Error::location(16406, text));
            }
            nodes.push((name.to_owned(), self.operand(value)?));
        }
        if nodes.iter().any(|(_, node)| node.as_constant().is_none()) {
            return Ok(Node::Object(nodes.into()));
        }
        let mut constant = RawDocumentBuf::new();
        for (name, node) in &nodes {
            if let Some(Some(value)) = node.as_constant() {
                constant.append(name, value);
            }
        }
        Ok(Node::constant(constant))
    }

    /// An operator with its argument.
    pub(super) fn operator(&self, name: &str, argument: RawBsonRef<'_>) -> Result<Node, Error> {
        let Some(operator) = (self.find)(name) else {
            let text = format!("Unrecognized expression '{name}'");
            return Err(Error::new(Code::INVALID_PIPELINE_OPERATOR, text));
        };
        let before = self.unknown.get();
        let node = self.call(operator, argument)?;
        if self.unknown.get() != before {
            return Ok(node);
        }
        let folded = node.folded(self.scope.interrupt());
        self.scope.interrupt().check()?;
        match folded {
            Ok(Some(value)) => Ok(value),
            Ok(None) => {
                // What is around it would be evaluated again and again, and come to the same end.
                self.note_unknown();
                Ok(node)
            }
            Err(error) => {
                if !EVALUATED_LATE.contains(&operator.name) {
                    self.note_failure(error);
                }
                Ok(node)
            }
        }
    }

    fn call(&self, operator: &Operator, argument: RawBsonRef<'_>) -> Result<Node, Error> {
        let name = operator.name;
        Ok(match operator.definition {
            Definition::Unary(function) => {
                let [only] = self.exactly(name, argument)?;
                Node::Unary(function, Arc::new(only))
            }
            Definition::Binary(function) => {
                Node::Binary(function, Arc::new(self.exactly(name, argument)?))
            }
            Definition::Exactly(count, function) => {
                Node::Variadic(function, self.counted(name, count, argument)?.into())
            }
            Definition::Ranged(least, most, function) => {
                let nodes = self.ranged(name, (least, most), argument)?;
                Node::Variadic(function, nodes.into())
            }
            Definition::Variadic(function) => {
                Node::Variadic(function, self.positional(argument)?.into())
            }
            Definition::StoppableExactly(count, function) => {
                Node::Stoppable(function, self.counted(name, count, argument)?.into())
            }
            Definition::StoppableRanged(least, most, function) => {
                let nodes = self.ranged(name, (least, most), argument)?;
                Node::Stoppable(function, nodes.into())
            }
            Definition::Own(parse) => parse(name, argument, self)?,
        })
    }

    /// An array of arguments, or one alone.
    pub(super) fn positional(&self, argument: RawBsonRef<'_>) -> Result<Vec<Node>, Error> {
        match argument {
            RawBsonRef::Array(array) => {
                array.into_iter().map(|element| self.operand(element.map_err(malformed)?)).collect()
            }
            alone => Ok(vec![self.operand(alone)?]),
        }
    }

    /// Exactly so many arguments.
    pub(super) fn exactly<const COUNT: usize>(
        &self,
        name: &str,
        argument: RawBsonRef<'_>,
    ) -> Result<[Node; COUNT], Error> {
        let nodes = self.counted(name, COUNT, argument)?;
        nodes.try_into().map_err(|nodes: Vec<Node>| wrong_count(name, COUNT, nodes.len()))
    }

    fn counted(
        &self,
        name: &str,
        expected: usize,
        argument: RawBsonRef<'_>,
    ) -> Result<Vec<Node>, Error> {
        let nodes = self.positional(argument)?;
        if nodes.len() == expected {
            Ok(nodes)
        } else {
            Err(wrong_count(name, expected, nodes.len()))
        }
    }

    /// From `least` to `most` arguments.
    pub(super) fn ranged(
        &self,
        name: &str,
        (least, most): (usize, usize),
        argument: RawBsonRef<'_>,
    ) -> Result<Vec<Node>, Error> {
        let nodes = self.positional(argument)?;
        let count = nodes.len();
        if count < least || count > most {
            let text = format!(
                "Expression {name} takes at least {least} arguments, and at most {most}, but {count} were passed in."
            );
            return Err(Error::location(28667, text));
        }
        Ok(nodes)
    }

    /// The arguments of an operator that may take them one by one: those that are known and stand together are
    /// combined at once, and fail at once. With `commutes`, all that are known stand together, behind the others.
    pub(super) fn grouped(
        &self,
        nodes: Vec<Node>,
        commutes: bool,
        combine: impl Fn(Vec<Node>) -> Node,
    ) -> Vec<Node> {
        if nodes.iter().all(|node| node.as_constant().is_some()) {
            return nodes;
        }
        let mut grouped = Vec::with_capacity(nodes.len());
        let mut known: Vec<Node> = Vec::new();
        let close = |known: &mut Vec<Node>, grouped: &mut Vec<Node>| {
            if known.len() > 1 {
                let together = combine(std::mem::take(known));
                grouped.push(match together.folded(self.scope.interrupt()) {
                    Ok(folded) => folded.unwrap_or(together),
                    Err(error) => {
                        self.note_failure(error);
                        together
                    }
                });
            } else {
                grouped.append(known);
            }
        };
        for node in nodes {
            if node.as_constant().is_some() {
                known.push(node);
                continue;
            }
            if !commutes {
                close(&mut known, &mut grouped);
            }
            grouped.push(node);
        }
        close(&mut known, &mut grouped);
        grouped
    }
}

fn wrong_count(name: &str, expected: usize, found: usize) -> Error {
    let text =
        format!("Expression {name} takes exactly {expected} arguments. {found} were passed in.");
    Error::location(16020, text)
}

/// How many arguments there are.
pub(super) fn count(argument: RawBsonRef<'_>) -> usize {
    match argument {
        RawBsonRef::Array(array) => array.into_iter().map_while(Result::ok).count(),
        _ => 1,
    }
}

/// BSON that was not validated.
pub(super) fn malformed(error: ::bson::error::Error) -> Error {
    Error::new(Code::INVALID_BSON, error.to_string())
}

/// An array of expressions; a value if all are.
fn array(nodes: Vec<Node>) -> Node {
    if nodes.iter().any(|node| node.as_constant().is_none()) {
        return Node::Array(nodes.into());
    }
    let mut constant = RawArrayBuf::new();
    for node in &nodes {
        constant.push(node.as_constant().flatten().unwrap_or(RawBsonRef::Null));
    }
    Node::constant(constant)
}
