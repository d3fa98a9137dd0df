//! From a specification to the tree.

use std::sync::Arc;

use ::bson::raw::CString;
use ::bson::{RawBsonRef, RawDocument};

use super::element::{ElementMatch, Slice};
use super::mode::Mode;
use super::names::{check_field_path, describe, is_truthy, type_name};
use super::tree::{Child, Kind, Node, Positional, Tree};
use crate::bson::limits::MAX_DEPTH;
use crate::error::{Code, Error};
use crate::expression::{Expression, Scope, is_of_reference};

/// `find`'s and `$project`'s.
pub(super) fn projection(
    specification: &RawDocument,
    mode: Mode,
    scope: &Scope,
) -> Result<Tree, Error> {
    if mode == Mode::Aggregate && specification.is_empty() {
        return Err(Error::location(
            51272,
            "projection specification must have at least one field",
        ));
    }
    let mut parser = Parser {
        mode,
        scope,
        root: Node::default(),
        kind: None,
        id: None,
        positional: None,
        has_element_match: false,
        has_slice: false,
        has_meta: false,
    };
    for field in specification {
        let (name, value) = field.map_err(unreadable)?;
        parser.field("", name.as_str(), value, 0)?;
    }
    parser.finish()
}

/// `$addFields`'.
pub(super) fn added(specification: &RawDocument, scope: &Scope) -> Result<Tree, Error> {
    if specification.is_empty() {
        return Err(Error::location(40177, "specification must have at least one field"));
    }
    let mut root = Node::default();
    for field in specification {
        let (name, value) = field.map_err(unreadable)?;
        add_field(&mut root, "", name.as_str(), value, scope, 0)?;
    }
    Ok(Tree { kind: Kind::Addition, root, keeps_id: true, positional: None })
}

/// `$unset`'s.
pub(super) fn excluded<'a>(paths: impl IntoIterator<Item = &'a str>) -> Result<Tree, Error> {
    let mut root = Node::default();
    for path in paths {
        check_field_path(path)?;
        root.insert(path, Child::Exclude)?;
    }
    Ok(Tree { kind: Kind::Exclusion, root, keeps_id: true, positional: None })
}

fn add_field(
    root: &mut Node,
    prefix: &str,
    name: &str,
    value: RawBsonRef<'_>,
    scope: &Scope,
    depth: usize,
) -> Result<(), Error> {
    check_depth(depth)?;
    check_field_path(name)?;
    let path = join(prefix, name);
    if let RawBsonRef::Document(document) = value
        && operator_of(document).is_none()
    {
        if document.is_empty() {
            return Err(Error::location(
                40180,
                format!("an empty object is not a valid value. Found empty object at path {path}"),
            ));
        }
        let count = document.iter().count();
        for field in document {
            let (name, value) = field.map_err(unreadable)?;
            let name = name.as_str();
            if name.starts_with('$') {
                return Err(Error::location(
                    40181,
                    format!(
                        "an expression specification must contain exactly one field, the name of the expression. \
                         Found {count} fields in {}, while parsing object {path}",
                        describe(value)
                    ),
                ));
            }
            if name.contains('.') {
                return Err(Error::location(
                    40183,
                    format!(
                        "cannot use dotted field name '{name}' in a sub object: {}",
                        describe(RawBsonRef::Document(document))
                    ),
                ));
            }
            add_field(root, &path, name, value, scope, depth + 1)?;
        }
        return Ok(());
    }
    let leaf = Child::Compute(Arc::new(Expression::parse(value, scope)?));
    root.insert(&path, leaf).map_err(|_| {
        Error::location(
            40176,
            format!("specification contains two conflicting paths. Found '{path}' beside one that begins it"),
        )
    })
}

struct Parser<'a> {
    mode: Mode,
    scope: &'a Scope,
    root: Node,
    kind: Option<Kind>,
    /// What a plain `_id` says.
    id: Option<bool>,
    positional: Option<Positional>,
    has_element_match: bool,
    has_slice: bool,
    has_meta: bool,
}

impl Parser<'_> {
    fn field(
        &mut self,
        prefix: &str,
        name: &str,
        value: RawBsonRef<'_>,
        depth: usize,
    ) -> Result<(), Error> {
        check_depth(depth)?;
        if let Some(path) = self.positional(name)? {
            return self.add_positional(prefix, path, value);
        }
        check_field_path(name)?;
        let path = join(prefix, name);
        if let Some(included) = is_truthy(value) {
            return self.plain(&path, included);
        }
        let RawBsonRef::Document(document) = value else {
            let excludes = self.kind == Some(Kind::Exclusion);
            self.compute(&path, value)?;
            if excludes {
                return Err(Error::location(
                    31310,
                    format!(
                        "Cannot use an expression {name}: {} in an exclusion projection",
                        describe(value)
                    ),
                ));
            }
            return Ok(());
        };
        if document.is_empty() {
            return Err(Error::location(
                51270,
                "An empty sub-projection is not a valid value. Found empty object at path",
            ));
        }
        // The parts of a DBRef are fields like others.
        let operator = operator_of(document).filter(|(name, _)| !is_of_reference(name));
        let Some((operator, argument)) = operator else {
            for field in document {
                let (name, value) = field.map_err(unreadable)?;
                self.field(&path, name.as_str(), value, depth + 1)?;
            }
            return Ok(());
        };
        self.operator(&path, operator, argument, value)
    }

    fn operator(
        &mut self,
        path: &str,
        operator: &str,
        argument: RawBsonRef<'_>,
        value: RawBsonRef<'_>,
    ) -> Result<(), Error> {
        match (self.mode, operator) {
            (Mode::Find, "$slice") => {
                if let Some(slice) = Slice::parse(argument) {
                    self.has_slice = true;
                    return self.root.insert(path, Child::Slice(slice));
                }
            }
            (Mode::Find, "$elemMatch") => {
                self.check_element_match(path, argument)?;
                let field = CString::try_from(path)
                    .map_err(|_| Error::new(Code::BAD_VALUE, "expected a name without NUL"))?;
                let matching = ElementMatch::parse(&field, argument, self.scope)?;
                self.has_element_match = true;
                return self.root.insert(path, Child::ElementMatch(Arc::new(matching)));
            }
            (Mode::Aggregate, "$elemMatch") => {
                return Err(Error::new(
                    Code::INVALID_PIPELINE_OPERATOR,
                    "Cannot use $elemMatch in this context",
                ));
            }
            // Whether the other fields are shown, the rest of the projection says.
            (_, "$meta") => {
                self.has_meta = true;
                let expression = Expression::parse(value, self.scope)?;
                return self.root.insert(path, Child::Compute(Arc::new(expression)));
            }
            _ => {}
        }
        if self.kind == Some(Kind::Exclusion) {
            return Err(Error::location(
                31252,
                "Cannot use expression other than $meta in exclusion projection",
            ));
        }
        self.compute(path, value).map_err(|error| {
            let unknown = error.code() == Code::INVALID_PIPELINE_OPERATOR;
            if unknown && error.message().contains(operator) {
                return Error::location(31325, format!("Unknown expression {operator}"));
            }
            error
        })
    }

    fn check_element_match(&self, path: &str, argument: RawBsonRef<'_>) -> Result<(), Error> {
        if !matches!(argument, RawBsonRef::Document(_)) {
            return Err(Error::location(
                31274,
                format!(
                    "elemMatch: Invalid argument, object required, but got {}",
                    type_name(argument)
                ),
            ));
        }
        if self.positional.is_some() {
            return Err(positional_and_element_match(31255));
        }
        if path.contains('.') {
            return Err(Error::location(
                31275,
                "Cannot use $elemMatch projection on a nested field",
            ));
        }
        Ok(())
    }

    fn compute(&mut self, path: &str, value: RawBsonRef<'_>) -> Result<(), Error> {
        let expression = Expression::parse(value, self.scope)?;
        self.root.insert(path, Child::Compute(Arc::new(expression)))?;
        self.kind = Some(Kind::Inclusion);
        Ok(())
    }

    fn plain(&mut self, path: &str, included: bool) -> Result<(), Error> {
        if path == "_id" {
            // It goes with both kinds.
            if self.id.is_some() || self.root.place("_id").is_some() {
                return Err(Error::location(31250, "Path collision at _id"));
            }
            self.id = Some(included);
            return Ok(());
        }
        if self.id.is_some() && path.starts_with("_id.") {
            let rest = path.split_once('.').map_or("", |(_, rest)| rest);
            return Err(Error::location(
                31249,
                format!("Path collision at {path} remaining portion {rest}"),
            ));
        }
        self.root.insert(path, if included { Child::Include } else { Child::Exclude })?;
        self.set_kind(path, included)
    }

    fn set_kind(&mut self, path: &str, included: bool) -> Result<(), Error> {
        match (self.kind, included) {
            (Some(Kind::Inclusion), false) => Err(Error::location(
                31254,
                format!("Cannot do exclusion on field {path} in inclusion projection"),
            )),
            (Some(Kind::Exclusion), true) => Err(Error::location(
                31253,
                format!("Cannot do inclusion on field {path} in exclusion projection"),
            )),
            _ => {
                self.kind = Some(if included { Kind::Inclusion } else { Kind::Exclusion });
                Ok(())
            }
        }
    }

    /// What is in front of `.$`, if the name ends with it.
    fn positional<'n>(&self, name: &'n str) -> Result<Option<&'n str>, Error> {
        let path = name.strip_suffix(".$");
        if path.is_some() && self.mode == Mode::Aggregate {
            return Err(Error::location(
                31324,
                "Cannot use positional projection in aggregation projection",
            ));
        }
        if name.contains(".$.") || path.is_some_and(|path| path.ends_with(".$")) {
            return Err(Error::location(
                31394,
                "As of 4.4, it's illegal to specify positional operator in the middle of a path.Positional \
                 projection may only be used at the end, for example: a.b.$. If the query previously used a form \
                 like a.b.$.d, remove the parts following the '$' and the results will be equivalent.",
            ));
        }
        Ok(path)
    }

    fn add_positional(
        &mut self,
        prefix: &str,
        path: &str,
        value: RawBsonRef<'_>,
    ) -> Result<(), Error> {
        if path.is_empty() {
            return Err(Error::location(
                5_392_900,
                "expected a field in front of the positional operator",
            ));
        }
        check_field_path(path)?;
        let path = join(prefix, path);
        match is_truthy(value) {
            Some(true) => {}
            Some(false) => {
                return Err(Error::location(
                    31395,
                    "positional projection cannot be used with exclusion",
                ));
            }
            None if matches!(value, RawBsonRef::Document(_)) => {
                return Err(Error::location(
                    31271,
                    "positional projection cannot be used with an expression or sub object",
                ));
            }
            None => {
                return Err(Error::location(
                    31308,
                    "positional projection cannot be used with a literal",
                ));
            }
        }
        if self.positional.is_some() {
            return Err(Error::location(
                31276,
                "Cannot specify more than one positional projection per query.",
            ));
        }
        if self.has_element_match {
            return Err(positional_and_element_match(31256));
        }
        self.root.insert(&path, Child::Include)?;
        self.set_kind(&format!("{path}.$"), true)?;
        self.positional = Some(Positional { path: path.into() });
        Ok(())
    }

    fn finish(mut self) -> Result<Tree, Error> {
        let kind = self.kind.unwrap_or(match self.id {
            Some(true) => Kind::Inclusion,
            _ if self.has_slice => Kind::Exclusion,
            _ if self.has_element_match => Kind::Inclusion,
            _ if self.has_meta && self.mode == Mode::Aggregate => Kind::Inclusion,
            _ => Kind::Exclusion,
        });
        match (kind, self.id) {
            (Kind::Inclusion, Some(true)) => self.root.insert("_id", Child::Include)?,
            (_, Some(false)) => self.root.insert("_id", Child::Exclude)?,
            _ => {}
        }
        Ok(Tree {
            kind,
            root: self.root,
            keeps_id: self.id != Some(false),
            positional: self.positional,
        })
    }
}

/// The operator and its argument, where a document is an expression.
fn operator_of(document: &RawDocument) -> Option<(&str, RawBsonRef<'_>)> {
    let mut fields = document.iter();
    let (name, argument) = fields.next()?.ok()?;
    let name = name.as_str();
    (name.starts_with('$') && fields.next().is_none()).then_some((name, argument))
}

fn positional_and_element_match(number: i32) -> Error {
    Error::location(number, "Cannot specify positional operator and $elemMatch.")
}

fn check_depth(depth: usize) -> Result<(), Error> {
    if depth >= MAX_DEPTH {
        return Err(Error::new(
            Code::OVERFLOW,
            format!("expected at most {MAX_DEPTH} levels in a projection"),
        ));
    }
    Ok(())
}

fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") }
}

fn unreadable(error: ::bson::error::Error) -> Error {
    Error::new(Code::INVALID_BSON, format!("expected a readable document, found: {error}"))
}
