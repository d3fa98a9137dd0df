//! A document before and after an update.
//!
//! An update is read once ([`Update::parse`]) and applied to document after document. In operator form, all
//! operators are put into one tree by the paths they write to; a document is opened along these paths alone, and
//! what lies beside is copied as raw bytes.

mod apply;
mod arithmetic;
mod array_filters;
mod integer;
mod modifier;
mod node;
mod operators;
mod path;
mod pipeline;
mod place;
mod pull;
mod push;
mod rename;
mod set;
mod storable;
mod text;
mod tree;
mod upsert;

use std::borrow::Cow;

use ::bson::oid::ObjectId;
use ::bson::raw::cstr;
use ::bson::{RawArray, RawBson, RawBsonRef, RawDocument, RawDocumentBuf, Timestamp};

use crate::collation::Collator;
use crate::error::{Code, Error};
use crate::expression::{Scope, Variables};
use crate::query::Filter;
use apply::Application;
use node::{Fields, Node};
use operators::Operators;
use path::FieldName;
use pipeline::Stages;

/// An update, ready to be applied.
#[derive(Clone, Debug)]
pub struct Update {
    form: Form,
    collator: Collator,
}

/// What an update statement says beside the update.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'o> {
    /// Whether it is for many documents: a replacement is refused then.
    pub multi: bool,
    /// `c`: constants that a pipeline uses as variables.
    pub constants: Option<&'o RawDocument>,
}

/// What an update did to a document.
#[derive(Clone, Debug, PartialEq)]
pub enum Applied {
    /// Nothing.
    Unchanged,
    /// The document after it. It may be as before: what sorts an array or replaces a document counts as a change.
    Changed(RawDocumentBuf),
}

#[derive(Clone, Debug)]
enum Form {
    Operators(Operators),
    Replacement(RawDocumentBuf),
    Pipeline(Stages),
}

impl Update {
    /// Read an update: operators, a replacement, or a pipeline.
    ///
    /// # Errors
    ///
    /// 9 for what is no update, 2 and 14 for arguments, 40 for operators that meet at a path, 52 and 56 for names.
    pub fn parse(
        update: RawBsonRef<'_>,
        array_filters: Option<&RawArray>,
        options: Options<'_>,
        scope: &Scope,
    ) -> Result<Self, Error> {
        let failed = |message: &str| Err(Error::new(Code::FAILED_TO_PARSE, message));
        let form = match update {
            RawBsonRef::Document(document) => {
                if options.constants.is_some() {
                    return Err(Error::location(
                        51198,
                        "Constant values may only be specified for pipeline updates",
                    ));
                }
                let first = document.iter().next().and_then(Result::ok);
                if first.is_some_and(|(name, _)| name.as_str().starts_with('$')) {
                    Form::Operators(Operators::parse(document, array_filters, scope)?)
                } else {
                    if options.multi {
                        return failed(
                            "multi update is not supported for replacement-style update",
                        );
                    }
                    if array_filters.is_some_and(|filters| !filters.is_empty()) {
                        return failed(
                            "arrayFilters may not be specified for replacement-style updates",
                        );
                    }
                    Form::Replacement(document.to_owned())
                }
            }
            RawBsonRef::Array(stages) => {
                if array_filters.is_some_and(|filters| !filters.is_empty()) {
                    return failed("arrayFilters may not be specified for pipeline-syle updates");
                }
                Form::Pipeline(Stages::parse(stages, options.constants, scope)?)
            }
            _ => return failed("Update argument must be either an object or an array"),
        };
        Ok(Self { form, collator: scope.collator().clone() })
    }

    /// Whether it is a replacement: it takes one document, and may change every field but `_id`.
    #[must_use]
    pub fn is_replacement(&self) -> bool {
        matches!(self.form, Form::Replacement(_))
    }

    /// Whether it uses `$`: [`apply`](Self::apply) needs the position that the filter found.
    #[must_use]
    pub fn needs_position(&self) -> bool {
        match &self.form {
            Form::Operators(operators) => operators.branch.needs_position(),
            Form::Replacement(_) | Form::Pipeline(_) => false,
        }
    }

    /// Apply it to a document. `position` is that of the element that met the filter
    /// ([`Match::position`](crate::query::Match)).
    ///
    /// # Errors
    ///
    /// 66 if `_id` would change; 28 for paths that lead nowhere, 2 and 14 for values that an operator cannot take,
    /// 40 for operators that meet at an element; 52 and 53 for what may not be stored; 15 and 17419 for what is too
    /// deep or too large.
    pub fn apply(
        &self,
        document: &RawDocument,
        position: Option<usize>,
        variables: &Variables,
    ) -> Result<Applied, Error> {
        let after = match &self.form {
            Form::Operators(operators) => {
                let root = Fields::open(document, Node::Stored)?;
                match self.operate(operators, document, root, position, variables, false)? {
                    Some(after) => after,
                    None => return Ok(Applied::Unchanged),
                }
            }
            Form::Replacement(replacement) => {
                let replacement = filled(replacement, variables.cluster_time())?;
                if replacement.as_bytes() == document.as_bytes() {
                    return Ok(Applied::Unchanged);
                }
                storable::check(&replacement, true)?;
                let id = document.get("_id").ok().flatten().map(Into::into);
                replace(&replacement, id)?
            }
            Form::Pipeline(stages) => {
                let id = document.get("_id").ok().flatten().map(Into::into);
                let made = stages.apply(document, variables)?;
                if made.as_bytes() == document.as_bytes() {
                    return Ok(Applied::Unchanged);
                }
                storable::check_made(&made)?;
                replace(&made, id)?
            }
        };
        storable::check_size(&after)?;
        Ok(Applied::Changed(after))
    }

    /// The document that an upsert inserts where `filter` matches none. It has an `_id`: the filter's, the update's,
    /// or a new object id.
    ///
    /// # Errors
    ///
    /// Those of [`apply`](Self::apply); 54 for a filter that gives several values to a path.
    pub fn upsert(&self, filter: &Filter, variables: &Variables) -> Result<RawDocumentBuf, Error> {
        let after = match &self.form {
            Form::Operators(operators) => {
                let seed = upsert::seed(filter)?.write(1)?;
                let root = Fields::open(&seed, Node::Given)?;
                self.operate(operators, &seed, root, None, variables, true)?
                    .unwrap_or_else(|| seed.clone())
            }
            Form::Replacement(replacement) => {
                let replacement = filled(replacement, variables.cluster_time())?;
                replace(&replacement, upsert::id(filter)?)?
            }
            Form::Pipeline(stages) => {
                let seed = upsert::seed(filter)?.write(1)?;
                let id = seed.get("_id").ok().flatten().map(Into::into);
                let made = with_id_first(replace(&stages.apply(&seed, variables)?, id)?)?;
                storable::check_made(&made)?;
                storable::check_inserted_size(&made)?;
                return Ok(made);
            }
        };
        // As in what is inserted, names may begin with `$`.
        let after = with_id_first(after)?;
        storable::check_made(&after)?;
        storable::check_inserted_size(&after)?;
        Ok(after)
    }

    fn operate(
        &self,
        operators: &Operators,
        document: &RawDocument,
        root: Fields<'_>,
        position: Option<usize>,
        variables: &Variables,
        inserting: bool,
    ) -> Result<Option<RawDocumentBuf>, Error> {
        let matched = position.map(|position| FieldName(position.to_string()));
        let id = document.get("_id").ok().flatten();
        let mut application = Application {
            original: document,
            id,
            matched: matched.as_ref(),
            filters: &operators.filters,
            collator: &self.collator,
            variables,
            inserting,
            way: Vec::new(),
            moved: Vec::new(),
            changed: false,
        };
        let fields = application.run(root, &operators.branch)?;
        if !application.changed {
            return Ok(None);
        }
        let after = fields.write(1)?;
        if let (Some(path), Some(id)) = (operators.branch.writes_to("_id"), id)
            && !storable::identical_id(id, after.get("_id").ok().flatten())
        {
            return Err(Error::new(
                Code::IMMUTABLE_FIELD,
                format!(
                    "Performing an update on the path '{path}' would modify the immutable field '_id'"
                ),
            ));
        }
        if inserting {
            return Ok(Some(after));
        }
        // What lies there already may have other names.
        let written = |name: &str, value: RawBsonRef<'_>| match document.get(name).ok().flatten() {
            Some(before) => operators.branch.writes_at(name) && !modifier::identical(before, value),
            None => true,
        };
        storable::check_where(&after, false, written)?;
        Ok(Some(after))
    }
}

/// A replacement with `now` where an empty timestamp stands at its top, as in what is inserted.
fn filled(replacement: &RawDocument, now: Timestamp) -> Result<Cow<'_, RawDocument>, Error> {
    const EMPTY: RawBsonRef<'_> = RawBsonRef::Timestamp(Timestamp { time: 0, increment: 0 });
    let is_empty = |name: &str, value: RawBsonRef<'_>| name != "_id" && value == EMPTY;
    let mut fields = replacement.iter().map_while(Result::ok);
    if !fields.any(|(name, value)| is_empty(name.as_str(), value)) {
        return Ok(Cow::Borrowed(replacement));
    }
    let mut filled = RawDocumentBuf::new();
    for element in replacement {
        let (name, value) = element.map_err(node::unreadable)?;
        if is_empty(name.as_str(), value) {
            filled.append(name, now);
        } else {
            filled.append(name, value);
        }
    }
    Ok(Cow::Owned(filled))
}

/// A replacement with the `_id` that was there. `_id` comes first where it is not in the replacement.
fn replace(replacement: &RawDocument, id: Option<RawBson>) -> Result<RawDocumentBuf, Error> {
    let given = replacement.get("_id").ok().flatten();
    match (given, id) {
        (Some(given), Some(id)) => {
            if !storable::same_id(id.as_raw_bson_ref(), Some(given)) {
                return Err(Error::new(
                    Code::IMMUTABLE_FIELD,
                    format!(
                        "After applying the update, the (immutable) field '_id' was found to have \
                         been altered to {}",
                        text::field("_id", given)
                    ),
                ));
            }
            with_id_first(replacement.to_owned())
        }
        (None, Some(id)) => {
            let mut after = RawDocumentBuf::new();
            after.append(cstr!("_id"), id);
            for element in replacement {
                let (name, value) = element.map_err(node::unreadable)?;
                after.append(name, value);
            }
            Ok(after)
        }
        (_, None) => Ok(replacement.to_owned()),
    }
}

/// The document with `_id` in front, a new one where there is none.
fn with_id_first(document: RawDocumentBuf) -> Result<RawDocumentBuf, Error> {
    let first = document.iter().next().and_then(Result::ok).map(|(name, _)| name.as_str());
    if first == Some("_id") {
        return Ok(document);
    }
    let mut after = RawDocumentBuf::new();
    match document.get("_id").ok().flatten() {
        Some(id) => after.append(cstr!("_id"), id),
        None => after.append(cstr!("_id"), ObjectId::new()),
    }
    let mut before_id = true;
    for element in &document {
        let (name, value) = element.map_err(node::unreadable)?;
        if before_id && name.as_str() == "_id" {
            before_id = false;
            continue;
        }
        after.append(name, value);
    }
    Ok(after)
}
