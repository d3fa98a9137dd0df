//! What a stage is parsed within.

use ::bson::{RawArray, RawBsonRef};

use super::options::Options;
use super::specification::type_name;
use super::stage::Pipeline;
use crate::error::{Code, Error};
use crate::expression::Scope;

/// How deep pipelines may lie within pipelines.
pub const MAX_SUB_PIPELINES: usize = 20;

/// What a stage is parsed within.
#[derive(Clone, Debug)]
pub(super) struct Context<'a> {
    pub(super) scope: &'a Scope,
    pub(super) options: &'a Options,
    pub(super) place: Place,
    /// How many pipelines are around this one.
    pub(super) depth: usize,
    /// Reads a pipeline; given here because the reader knows all stages.
    pub(super) read: fn(&RawArray, &Context<'_>) -> Result<Pipeline, Error>,
}

/// Where a pipeline stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Command,
    Facet,
    Lookup,
    UnionWith,
    Update,
}

impl Context<'_> {
    /// Parse a pipeline within this one.
    pub(super) fn pipeline(
        &self,
        stages: &RawArray,
        place: Place,
        scope: &Scope,
    ) -> Result<Pipeline, Error> {
        if self.depth >= MAX_SUB_PIPELINES {
            return Err(Error::new(
                Code::MAX_SUB_PIPELINE_DEPTH_EXCEEDED,
                format!(
                    "Maximum number of nested sub-pipelines exceeded. Limit is {MAX_SUB_PIPELINES}"
                ),
            ));
        }
        let nested =
            Context { scope, options: self.options, place, depth: self.depth + 1, read: self.read };
        (self.read)(stages, &nested)
    }
}

/// The array that an argument must be.
pub(super) fn array_argument<'a>(value: RawBsonRef<'a>, what: &str) -> Result<&'a RawArray, Error> {
    match value {
        RawBsonRef::Array(array) => Ok(array),
        other => Err(Error::new(
            Code::TYPE_MISMATCH,
            format!("{what} must be an array, but found {}", type_name(other)),
        )),
    }
}
