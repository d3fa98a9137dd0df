//! Reads expressions.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use ::bson::raw::CString;
use ::bson::{RawArrayBuf, RawBson, RawBsonRef, RawDocument, RawDocumentBuf};

use super::describe;
use super::field_path::{self, Base, FieldPath};
use super::naming;
use super::node::{Binary, Node, Unary, Variadic};
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
}

impl<'p> Parser<'p> {
    pub(super) fn new(scope: &'p Scope, find: Find) -> Self {
        Self { scope, find, locals: Vec::new(), depth: 0, unknown: Rc::default() }
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
        let word = |word: &str| {
            let value = inner.is_empty().then(|| RawBson::String(word.to_owned()));
            Ok(Node::Constant(value))
        };
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
            "DESCEND" => word("descend"),
            "PRUNE" => word("prune"),
            "KEEP" => word("keep"),
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
        // An operator that fails, fails where it is evaluated, if it ever is.
        if self.unknown.get() != before {
            return Ok(node);
        }
        let folded = node.folded(self.scope.interrupt());
        self.scope.interrupt().check()?;
        Ok(folded.unwrap_or(node))
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
        match count(argument) {
            found if found == expected => self.positional(argument),
            found => Err(wrong_count(name, expected, found)),
        }
    }

    /// From `least` to `most` arguments.
    pub(super) fn ranged(
        &self,
        name: &str,
        (least, most): (usize, usize),
        argument: RawBsonRef<'_>,
    ) -> Result<Vec<Node>, Error> {
        let count = count(argument);
        if count < least || count > most {
            let text = format!(
                "Expression {name} takes at least {least} arguments, and at most {most}, but {count} were passed in."
            );
            return Err(Error::location(28667, text));
        }
        self.positional(argument)
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
