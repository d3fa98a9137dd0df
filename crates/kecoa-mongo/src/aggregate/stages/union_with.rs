//! `$unionWith`.

use std::sync::Arc;

use ::bson::{RawBsonRef, RawDocumentBuf};

use crate::aggregate::context::array_argument;
use crate::aggregate::context::{Context, Place};
use crate::aggregate::options::Options;
use crate::aggregate::request::Namespace;
use crate::aggregate::source::Source;
use crate::aggregate::specification::{fields, type_name, unknown_field, wrong_type};
use crate::aggregate::stage::Pipeline;
use crate::aggregate::stage::{Documents, Flow, Operator};
use crate::aggregate::stage::{Read, Request};
use crate::aggregate::stage::{Stage, Stages};
use crate::error::{Code, Error};
use crate::expression::Variables;

/// `$unionWith`.
#[derive(Clone, Debug)]
pub(in crate::aggregate) struct UnionWith {
    namespace: Option<Namespace>,
    pipeline: Pipeline,
}

impl Stage for UnionWith {
    fn operator(&self, variables: &Variables, _: &Options) -> Box<dyn Operator> {
        let read = Read {
            namespace: self.namespace.clone(),
            filter: None,
            pipeline: self.pipeline.clone(),
            variables: variables.clone(),
        };
        Box::new(Joining { read: Some(Box::new(read)), asks: false })
    }

    fn pipelines(&self) -> Vec<&Pipeline> {
        vec![&self.pipeline]
    }

    fn reads(&self) -> Option<&Namespace> {
        self.namespace.as_ref()
    }
}

pub(in crate::aggregate) fn parse(
    name: &str,
    argument: RawBsonRef<'_>,
    context: &Context<'_>,
) -> Result<Stages, Error> {
    let mut collection = None;
    let mut pipeline = Pipeline::of(Vec::new());
    match argument {
        RawBsonRef::String(text) => collection = Some(text),
        RawBsonRef::Document(document) => {
            for field in fields(document) {
                match field? {
                    ("coll", RawBsonRef::String(text)) => collection = Some(text),
                    ("coll", other) => return Err(wrong_type(name, "coll", other, "string")),
                    ("pipeline", value) => {
                        let stages = array_argument(value, "the pipeline of $unionWith")?;
                        pipeline = context.pipeline(stages, Place::UnionWith, context.scope)?;
                    }
                    (option, _) => return Err(unknown_field(name, option)),
                }
            }
        }
        other => {
            return Err(Error::new(
                Code::FAILED_TO_PARSE,
                format!(
                    "the $unionWith stage specification must be an object or string, but found {}",
                    type_name(other)
                ),
            ));
        }
    }
    let namespace = namespace_of(collection, name, &pipeline, context)?;
    Ok(vec![Arc::new(UnionWith { namespace, pipeline })])
}

/// The collection that a stage names; none where the pipeline brings its documents.
pub(super) fn namespace_of(
    collection: Option<&str>,
    stage: &str,
    pipeline: &Pipeline,
    context: &Context<'_>,
) -> Result<Option<Namespace>, Error> {
    let brings = matches!(pipeline.source(), Some(Source::Documents(_) | Source::Computed(_)));
    match collection {
        Some(collection) => {
            check_collection_name(collection)?;
            Ok(Some(Namespace {
                database: context.options.database.clone(),
                collection: collection.into(),
            }))
        }
        None if brings => Ok(None),
        None => Err(Error::new(
            Code::FAILED_TO_PARSE,
            format!(
                "{stage} stage without explicit collection must have a pipeline with $documents as first stage"
            ),
        )),
    }
}

/// Refuse what is no name of a collection.
pub(super) fn check_collection_name(name: &str) -> Result<(), Error> {
    if name.is_empty() || name.starts_with('.') || name.contains(['$', '\0']) {
        return Err(Error::new(
            Code::INVALID_NAMESPACE,
            format!("Invalid collection name specified '{name}'"),
        ));
    }
    Ok(())
}

struct Joining {
    read: Option<Box<Read>>,
    asks: bool,
}

impl Operator for Joining {
    fn push(&mut self, document: RawDocumentBuf, out: &mut Documents) -> Result<Flow, Error> {
        out.push_back(document);
        Ok(Flow::More)
    }

    fn end(&mut self, _: &mut Documents) -> Result<(), Error> {
        self.asks = true;
        Ok(())
    }

    fn request(&mut self) -> Option<Request> {
        if self.asks { self.read.take().map(Request::Read) } else { None }
    }

    fn answer(&mut self, documents: Vec<RawDocumentBuf>, out: &mut Documents) -> Result<(), Error> {
        out.extend(documents);
        Ok(())
    }
}
