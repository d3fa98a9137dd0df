//! `$merge`.

use std::sync::Arc;

use ::bson::raw::{RawArrayBuf, cstr};
use ::bson::{RawArray, RawBsonRef, RawDocumentBuf};

use super::out::writer;
use super::union_with::check_collection_name;
use crate::aggregate::context::{Context, Place};
use crate::aggregate::options::Options;
use crate::aggregate::request::{Merge, Namespace, WhenMatched, WhenNotMatched};
use crate::aggregate::specification::{
    check_field_path, fields, items, missing_field, single, type_name, unknown_field, wrong_type,
};
use crate::aggregate::stage::Operator;
use crate::aggregate::stage::{Part, Stage, Stages};
use crate::error::{Code, Error};
use crate::expression::{Expression, Variables};

/// `$merge`.
#[derive(Clone, Debug)]
pub(in crate::aggregate) struct MergeStage {
    namespace: Namespace,
    merge: Merge,
}

impl Stage for MergeStage {
    fn operator(&self, variables: &Variables, options: &Options) -> Box<dyn Operator> {
        writer("$merge", &self.namespace, Some(self.merge.clone()), variables, options)
    }

    fn part(&self) -> Part<'_> {
        Part::Target(&self.namespace)
    }
}

pub(in crate::aggregate) fn parse(
    name: &str,
    argument: RawBsonRef<'_>,
    context: &Context<'_>,
) -> Result<Stages, Error> {
    let document = match argument {
        RawBsonRef::Document(document) => document.to_owned(),
        RawBsonRef::String(_) => single(cstr!("into"), argument),
        other => {
            return Err(Error::new(
                Code::TYPE_MISMATCH,
                format!(
                    "$merge requires a string or object argument, but found {}",
                    type_name(other)
                ),
            ));
        }
    };
    let (mut namespace, mut on, mut matched, mut not_matched, mut declared) =
        (None, None, None, None, None);
    for field in fields(&document) {
        match field? {
            ("into", value) => namespace = Some(target(value, context)?),
            ("on", value) => on = Some(identifiers(value)?),
            ("whenMatched", value) => matched = Some(value),
            ("whenNotMatched", RawBsonRef::String(text)) => not_matched = Some(text),
            ("whenNotMatched", other) => {
                return Err(wrong_type(name, "whenNotMatched", other, "string"));
            }
            ("let", RawBsonRef::Document(variables)) => declared = Some(variables.to_owned()),
            ("let", other) => return Err(wrong_type(name, "let", other, "object")),
            ("targetCollectionVersion" | "allowMergeOnNullishValues", _) => {}
            (field, _) => return Err(unknown_field(name, field)),
        }
    }
    let namespace = namespace.ok_or_else(|| missing_field(name, "into"))?;
    let is_pipeline = matches!(matched, Some(RawBsonRef::Array(_)));
    let variables = declared.clone().unwrap_or_else(|| single(cstr!("new"), "$$ROOT"));
    let when_not_matched = match not_matched {
        None | Some("insert") => WhenNotMatched::Insert,
        Some("discard") => WhenNotMatched::Discard,
        Some("fail") => WhenNotMatched::Fail,
        Some(other) => {
            return Err(Error::new(
                Code::BAD_VALUE,
                format!(
                    "Enumeration value '{other}' for field '$merge.whenNotMatched' is not a valid value."
                ),
            ));
        }
    };
    let mode = match matched {
        Some(RawBsonRef::Array(_)) => None,
        matched => Some(mode(matched)?),
    };
    check_modes(mode.as_ref(), when_not_matched)?;
    check_target(&namespace)?;
    if declared.is_some() && !is_pipeline {
        return Err(Error::location(
            51199,
            "Cannot use 'let' variables with 'whenMatched' modes other than a pipeline",
        ));
    }
    let when_matched = match (mode, matched) {
        (Some(mode), _) => mode,
        (None, Some(RawBsonRef::Array(stages))) => {
            WhenMatched::Pipeline(pipeline(stages, &variables, context)?)
        }
        (None, _) => WhenMatched::Merge,
    };
    let merge = Merge { on, when_matched, when_not_matched, variables };
    Ok(vec![Arc::new(MergeStage { namespace, merge })])
}

fn target(value: RawBsonRef<'_>, context: &Context<'_>) -> Result<Namespace, Error> {
    let (mut database, mut collection) = (&*context.options.database, None);
    match value {
        RawBsonRef::String(text) => collection = Some(text),
        RawBsonRef::Document(document) => {
            for field in fields(document) {
                match field? {
                    ("db", RawBsonRef::String(text)) => database = text,
                    ("coll", RawBsonRef::String(text)) => collection = Some(text),
                    (field @ ("db" | "coll"), value) => {
                        return Err(wrong_type("$merge.into", field, value, "string"));
                    }
                    (field, _) => return Err(unknown_field("$merge.into", field)),
                }
            }
        }
        other => {
            return Err(Error::location(
                51178,
                format!(
                    "$merge 'into' field must be either a string or an object, but found {}",
                    type_name(other)
                ),
            ));
        }
    }
    let collection = collection.ok_or_else(|| missing_field("$merge.into", "coll"))?;
    check_collection_name(collection)?;
    Ok(Namespace { database: database.into(), collection: collection.into() })
}

fn identifiers(value: RawBsonRef<'_>) -> Result<Vec<Box<str>>, Error> {
    let mut names: Vec<Box<str>> = Vec::new();
    match value {
        RawBsonRef::String(text) => names.push(text.into()),
        RawBsonRef::Array(array) => {
            for item in items(array) {
                let RawBsonRef::String(text) = item? else {
                    return Err(Error::location(
                        51134,
                        "$merge 'on' array elements must be strings",
                    ));
                };
                names.push(text.into());
            }
        }
        other => {
            return Err(Error::location(
                51186,
                format!(
                    "$merge 'on' field must be either a string or an array of strings, but found {}",
                    type_name(other)
                ),
            ));
        }
    }
    if names.is_empty() {
        return Err(Error::location(
            51187,
            "If explicitly specifying $merge 'on', must include at least one field",
        ));
    }
    for (place, name) in names.iter().enumerate() {
        check_field_path(name)?;
        if names.iter().take(place).any(|earlier| earlier == name) {
            return Err(Error::location(31465, format!("Found a duplicate field '{name}'")));
        }
    }
    Ok(names)
}

/// A mode that is named.
fn mode(value: Option<RawBsonRef<'_>>) -> Result<WhenMatched, Error> {
    Ok(match value {
        None | Some(RawBsonRef::String("merge")) => WhenMatched::Merge,
        Some(RawBsonRef::String("replace")) => WhenMatched::Replace,
        Some(RawBsonRef::String("keepExisting")) => WhenMatched::KeepExisting,
        Some(RawBsonRef::String("fail")) => WhenMatched::Fail,
        Some(RawBsonRef::String(other)) => {
            return Err(Error::new(
                Code::BAD_VALUE,
                format!(
                    "Enumeration value '{other}' for field '$merge.whenMatched' is not a valid value."
                ),
            ));
        }
        Some(other) => {
            return Err(Error::location(
                51191,
                format!(
                    "$merge 'whenMatched' field must be either a string or an array, but found {}",
                    type_name(other)
                ),
            ));
        }
    })
}

/// The stages that change a document that is there.
fn pipeline(
    stages: &RawArray,
    variables: &RawDocumentBuf,
    context: &Context<'_>,
) -> Result<RawArrayBuf, Error> {
    let mut scope = context.scope.clone();
    for field in fields(variables) {
        let (name, value) = field?;
        if name == "new" && !matches!(value, RawBsonRef::String("$$ROOT")) {
            return Err(Error::location(
                51273,
                "'let' may not define a value for the reserved 'new' variable other than '$$ROOT'",
            ));
        }
        Expression::parse(value, context.scope)?;
        scope = scope.with_user_variable(name)?;
    }
    if !scope.has_variable("new") {
        scope = scope.with_variable("new");
    }
    context.pipeline(stages, Place::Update, &scope)?;
    items(stages).collect()
}

/// Refuse system collections and internal databases.
fn check_target(target: &Namespace) -> Result<(), Error> {
    if target.collection.starts_with("system.") {
        return Err(Error::location(
            31319,
            format!("Cannot $merge to special collection: {}", target.collection),
        ));
    }
    if matches!(&*target.database, "admin" | "config" | "local") {
        return Err(Error::location(
            31320,
            format!("Cannot $merge to internal database: {}", target.database),
        ));
    }
    Ok(())
}

/// Which modes go together.
fn check_modes(matched: Option<&WhenMatched>, not_matched: WhenNotMatched) -> Result<(), Error> {
    let allowed = match matched {
        Some(WhenMatched::KeepExisting | WhenMatched::Fail) => {
            not_matched == WhenNotMatched::Insert
        }
        _ => true,
    };
    if allowed {
        return Ok(());
    }
    Err(Error::location(
        51181,
        "Combination of $merge modes 'whenMatched' and 'whenNotMatched' is not supported",
    ))
}
