//! `$lookup`.

use std::ops::ControlFlow;
use std::sync::Arc;

use ::bson::raw::{CString, RawArrayBuf, cstr};
use ::bson::{RawBson, RawBsonRef, RawDocument, RawDocumentBuf};

use super::nested_field::FieldPath;
use super::union_with::namespace_of;
use crate::aggregate::context::{Context, Place};
use crate::aggregate::memory::Memory;
use crate::aggregate::options::Options;
use crate::aggregate::request::Namespace;
use crate::aggregate::specification::{check_field_path, describe, fields, single, type_name};
use crate::aggregate::stage::Pipeline;
use crate::aggregate::stage::{Documents, Flow, Operator};
use crate::aggregate::stage::{Read, Request};
use crate::aggregate::stage::{Stage, Stages};
use crate::bson::path::Path;
use crate::error::{Code, Error};
use crate::expression::{Expression, Variables};
use crate::value::Value;

/// `$lookup`.
#[derive(Clone, Debug)]
pub(in crate::aggregate) struct Lookup {
    from: Option<Namespace>,
    fields: Option<Equality>,
    pipeline: Option<Pipeline>,
    variables: Arc<[(Box<str>, Expression)]>,
    into: FieldPath,
}

/// `localField` and `foreignField`.
#[derive(Clone, Debug)]
struct Equality {
    local: Path,
    foreign: CString,
}

impl Lookup {
    /// What to read for a document.
    fn read(&self, document: &RawDocument, variables: &Variables) -> Result<Read, Error> {
        let filter = self.fields.as_ref().map(|equality| equality.filter(document));
        let mut bound = variables.clone();
        for (name, expression) in &*self.variables {
            let value = expression.evaluate(document, variables)?.map(Value::into_owned);
            bound = bound.bind(name, value);
        }
        Ok(Read {
            namespace: self.from.clone(),
            filter,
            pipeline: self.pipeline.clone().unwrap_or_else(|| Pipeline::of(Vec::new())),
            variables: bound,
        })
    }
}

impl Equality {
    /// `{foreignField: {$in: [the local values]}}`.
    fn filter(&self, document: &RawDocument) -> RawDocumentBuf {
        let mut values: Vec<RawBsonRef<'_>> = Vec::new();
        let _ = self.local.visit::<()>(document, &mut |found| {
            if let (Some(value), false) = (found.value, found.whole_array) {
                values.push(value);
            }
            ControlFlow::Continue(())
        });
        if values.is_empty() {
            values.push(RawBsonRef::Null);
        }
        equality_filter(&self.foreign, &values)
    }
}

/// A filter for documents whose field is equal to one of these values.
pub(super) fn equality_filter(field: &CString, values: &[RawBsonRef<'_>]) -> RawDocumentBuf {
    let plain: RawArrayBuf = (values.iter().copied())
        .filter(|value| !matches!(value, RawBsonRef::RegularExpression(_)))
        .collect();
    let among = single(field, single(cstr!("$in"), plain));
    // Within $in, a regular expression would match strings.
    let mut choices = RawArrayBuf::new();
    for value in values {
        if matches!(value, RawBsonRef::RegularExpression(_)) {
            choices.push(single(field, single(cstr!("$eq"), *value)));
        }
    }
    if choices.is_empty() {
        return among;
    }
    choices.push(among);
    single(cstr!("$or"), choices)
}

impl Stage for Lookup {
    fn operator(&self, variables: &Variables, options: &Options) -> Box<dyn Operator> {
        Box::new(LookingUp {
            stage: self.clone(),
            variables: variables.clone(),
            waiting: None,
            request: None,
            limit: options.clone(),
        })
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
        (Some(local), Some(foreign)) => Some(equality(local, foreign)?),
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
    Ok(vec![Arc::new(Lookup {
        from,
        fields: equality,
        pipeline,
        variables: variables.into(),
        into: FieldPath::parse(into)?,
    })])
}

fn equality(local: &str, foreign: &str) -> Result<Equality, Error> {
    check_field_path(local)?;
    check_field_path(foreign)?;
    let path =
        |path| Path::parse(path).map_err(|error| Error::new(Code::OVERFLOW, error.to_string()));
    let foreign = CString::try_from(foreign)
        .map_err(|_| Error::new(Code::BAD_VALUE, "expected a name without NUL"))?;
    Ok(Equality { local: path(local)?, foreign })
}

struct LookingUp {
    stage: Lookup,
    variables: Variables,
    waiting: Option<RawDocumentBuf>,
    request: Option<Request>,
    limit: Options,
}

impl Operator for LookingUp {
    fn push(&mut self, document: RawDocumentBuf, _: &mut Documents) -> Result<Flow, Error> {
        let read = self.stage.read(&document, &self.variables)?;
        self.request = Some(Request::Read(Box::new(read)));
        self.waiting = Some(document);
        Ok(Flow::More)
    }

    fn request(&mut self) -> Option<Request> {
        self.request.take()
    }

    fn answer(&mut self, documents: Vec<RawDocumentBuf>, out: &mut Documents) -> Result<(), Error> {
        let Some(document) = self.waiting.take() else { return Ok(()) };
        let mut memory = Memory::new("$lookup", &self.limit).failing_with(4568);
        for found in &documents {
            memory.add(found.as_bytes().len())?;
        }
        let found = RawBson::Array(documents.iter().collect());
        out.push_back(self.stage.into.set(&document, Some(found.as_raw_bson_ref()))?);
        Ok(())
    }
}
