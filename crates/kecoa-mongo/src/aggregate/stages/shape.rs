//! `$project`, `$addFields`, `$set`, `$unset`.

use std::sync::Arc;

use ::bson::{RawBsonRef, RawDocument, RawDocumentBuf};

use crate::aggregate::context::Context;
use crate::aggregate::options::Options;
use crate::aggregate::specification::{items, type_name};
use crate::aggregate::stage::{Documents, Flow, Operator};
use crate::aggregate::stage::{Stage, Stages};
use crate::error::Error;
use crate::expression::Variables;
use crate::projection::{Mode, Projection};

/// `$project`, `$addFields`, `$set`, `$unset`.
#[derive(Clone, Debug)]
pub(in crate::aggregate) struct Shape {
    projection: Arc<Projection>,
}

impl Shape {
    fn apply(
        &self,
        document: &RawDocument,
        variables: &Variables,
    ) -> Result<RawDocumentBuf, Error> {
        self.projection.apply(document, None, variables)
    }
}

impl Stage for Shape {
    fn operator(&self, variables: &Variables, _: &Options) -> Box<dyn Operator> {
        Box::new(Shaping { shape: self.clone(), variables: variables.clone() })
    }

    fn change(
        &self,
        document: &RawDocument,
        variables: &Variables,
    ) -> Result<Option<RawDocumentBuf>, Error> {
        self.apply(document, variables).map(Some)
    }
}

pub(in crate::aggregate) fn parse_project(
    _: &str,
    argument: RawBsonRef<'_>,
    context: &Context<'_>,
) -> Result<Stages, Error> {
    let RawBsonRef::Document(document) = argument else {
        return Err(Error::location(15969, "$project specification must be an object"));
    };
    stage("$project", Projection::parse(document, Mode::Aggregate, context.scope))
}

pub(in crate::aggregate) fn parse_added(
    name: &str,
    argument: RawBsonRef<'_>,
    context: &Context<'_>,
) -> Result<Stages, Error> {
    let RawBsonRef::Document(document) = argument else {
        return Err(Error::location(
            40272,
            format!("{name} specification stage must be an object, got {}", type_name(argument)),
        ));
    };
    stage(name, Projection::parse_added(document, context.scope))
}

pub(in crate::aggregate) fn parse_unset(
    _: &str,
    argument: RawBsonRef<'_>,
    _: &Context<'_>,
) -> Result<Stages, Error> {
    let mut paths = Vec::new();
    match argument {
        RawBsonRef::String(path) => paths.push(path),
        RawBsonRef::Array(array) => {
            if array.is_empty() {
                return Err(Error::location(
                    31119,
                    "$unset specification must be a string or an array with at least one field",
                ));
            }
            for item in items(array) {
                let RawBsonRef::String(path) = item? else {
                    return Err(Error::location(
                        31120,
                        "$unset specification must be a string or an array containing only string values",
                    ));
                };
                paths.push(path);
            }
        }
        _ => {
            return Err(Error::location(
                31002,
                "$unset specification must be a string or an array",
            ));
        }
    }
    stage("$unset", Projection::excluding(paths))
}

fn stage(name: &str, projection: Result<Projection, Error>) -> Result<Stages, Error> {
    let projection = projection.map_err(|error| error.within(&format!("Invalid {name}")))?;
    Ok(vec![Arc::new(Shape { projection: Arc::new(projection) })])
}

struct Shaping {
    shape: Shape,
    variables: Variables,
}

impl Operator for Shaping {
    fn push(&mut self, document: RawDocumentBuf, out: &mut Documents) -> Result<Flow, Error> {
        out.push_back(self.shape.apply(&document, &self.variables)?);
        Ok(Flow::More)
    }
}
