//! `$lookup`.

mod definition;
mod equality;
mod join;
mod running;

use std::sync::Arc;

use ::bson::RawBsonRef;

use super::nested_field::FieldPath;
use super::union_with::namespace_of;
use crate::aggregate::context::{Context, Place};
use crate::aggregate::options::Options;
use crate::aggregate::request::Namespace;
use crate::aggregate::specification::{describe, fields, items, type_name};
use crate::aggregate::stage::Pipeline;
use crate::aggregate::stage::{Operator, Stage, Stages};
use crate::error::{Code, Error};
use crate::expression::{Expression, Variables};
use definition::{Lookup, Way};
use equality::Equality;
use running::LookingUp;

pub(super) use equality::equality_filter;

/// Whether stages give something else each time.
fn is_random(value: RawBsonRef<'_>) -> bool {
    match value {
        RawBsonRef::Document(document) => fields(document)
            .flatten()
            .any(|(name, value)| matches!(name, "$rand" | "$sample") || is_random(value)),
        RawBsonRef::Array(array) => items(array).flatten().any(is_random),
        _ => false,
    }
}

impl Stage for Lookup {
    fn operator(&self, variables: &Variables, options: &Options) -> Box<dyn Operator> {
        Box::new(LookingUp::new(self.clone(), variables.clone(), options.clone()))
    }

    fn pipelines(&self) -> Vec<&Pipeline> {
        self.pipeline.iter().collect()
    }

    fn reads(&self) -> Option<&Namespace> {
        self.from.as_ref()
    }
}

pub(in crate::aggregate) fn parse(
    _: &str,
    argument: RawBsonRef<'_>,
    context: &Context<'_>,
) -> Result<Stages, Error> {
    let refused = |message: String| Error::new(Code::FAILED_TO_PARSE, message);
    let RawBsonRef::Document(document) = argument else {
        return Err(refused(format!(
            "the $lookup specification must be an Object, but found {}",
            type_name(argument)
        )));
    };
    let (mut from, mut local, mut foreign, mut into) = (None, None, None, None);
    let (mut stages, mut declared) = (None, None);
    for field in fields(document) {
        match field? {
            ("pipeline", RawBsonRef::Array(array)) => stages = Some(array),
            ("pipeline", other) => {
                return Err(Error::new(
                    Code::TYPE_MISMATCH,
                    format!(
                        "'pipeline' option must be specified as an array, but found {}",
                        type_name(other)
                    ),
                ));
            }
            ("let", RawBsonRef::Document(document)) => declared = Some(document),
            ("let", other) => {
                return Err(refused(format!(
                    "$lookup argument 'let: {}' must be an object, is type {}",
                    describe(other),
                    type_name(other)
                )));
            }
            (name @ ("from" | "localField" | "foreignField" | "as"), value) => {
                let RawBsonRef::String(text) = value else {
                    return Err(refused(format!(
                        "$lookup argument '{name}: {}' must be a string, found {name}: {}",
                        describe(value),
                        type_name(value)
                    )));
                };
                match name {
                    "from" => from = Some(text),
                    "localField" => local = Some(text),
                    "foreignField" => foreign = Some(text),
                    _ => into = Some(text),
                }
            }
            (name, _) => return Err(refused(format!("unknown argument to $lookup: {name}"))),
        }
    }
    let into = into.ok_or_else(|| refused("must specify 'as' field for a $lookup".to_owned()))?;
    let equality = match (local, foreign) {
        (Some(local), Some(foreign)) => Some(Equality::parse(local, foreign)?),
        (None, None) => None,
        _ => {
            return Err(refused(
                "$lookup requires both or neither of 'localField' and 'foreignField' to be specified".to_owned(),
            ));
        }
    };
    if equality.is_none() && stages.is_none() {
        return Err(refused(
            "$lookup requires either 'pipeline' or both 'localField' and 'foreignField' to be specified".to_owned(),
        ));
    }
    if declared.is_some() && stages.is_none() {
        return Err(refused(
            "$lookup with a 'let' argument must also specify 'pipeline'".to_owned(),
        ));
    }
    let mut scope = context.scope.clone();
    let mut variables = Vec::new();
    for field in declared.into_iter().flat_map(fields) {
        let (name, value) = field?;
        // A variable sees those around, not its neighbours.
        variables.push((name.into(), Expression::parse(value, context.scope)?));
        scope = scope.with_user_variable(name)?;
    }
    let pipeline = match stages {
        Some(stages) => Some(context.pipeline(stages, Place::Lookup, &scope)?),
        None => None,
    };
    let from = match (&pipeline, from) {
        (None, None) => {
            return Err(refused(format!(
                "missing 'from' option to $lookup stage specification: {}",
                describe(argument)
            )));
        }
        (None, Some(_)) => namespace_of(from, "$lookup", &Pipeline::of(Vec::new()), context)?,
        (Some(pipeline), _) => namespace_of(from, "$lookup", pipeline, context)?,
    };
    let way = match (&equality, stages) {
        (Some(_), None) => Way::Batches,
        (None, Some(stages)) if variables.is_empty() && !is_random(RawBsonRef::Array(stages)) => {
            Way::Once
        }
        _ => Way::Each,
    };
    Ok(vec![Arc::new(Lookup {
        from,
        fields: equality,
        pipeline,
        variables: variables.into(),
        into: FieldPath::parse(into)?,
        scope: context.scope.clone(),
        way,
    })])
}
