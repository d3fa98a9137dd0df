//! Reads pipelines.

use ::bson::{RawArray, RawBsonRef};

use super::context::{Context, Place};
use super::definition::Definition;
use super::options::Options;
use super::source::Source;
use super::specification::{fields, items};
use super::stage::{Part, Pipeline, Stages};
use crate::error::{Code, Error};
use crate::expression::Scope;

/// The stages that a pipeline may have.
pub const MAX_STAGES: usize = 1000;

impl Pipeline {
    /// Parse the stages of a command.
    ///
    /// # Errors
    ///
    /// 14 for a stage that is no document, 40323 for one of several fields, 40324 for an unknown one, 40601 and
    /// 40602 for one in the wrong place, 7749501 for too many, and those of the stages.
    pub fn parse(stages: &RawArray, scope: &Scope, options: &Options) -> Result<Self, Error> {
        let context = Context { scope, options, place: Place::Command, depth: 0, read };
        let pipeline = read(stages, &context)?;
        pipeline.check_collection(options)?;
        Ok(pipeline)
    }

    /// A stage that needs a collection must have one, and one that needs none must have none.
    fn check_collection(&self, options: &Options) -> Result<(), Error> {
        let without = match self.source() {
            Some(source) => source.without_collection(),
            None => Some(false),
        };
        match (without, options.has_collection) {
            (Some(true), true) => {
                let name = self.source().map_or("$documents", Source::name);
                Err(Error::new(
                    Code::INVALID_NAMESPACE,
                    format!("{name} must be run against the database with {{aggregate: 1}}"),
                ))
            }
            (Some(false), false) => Err(Error::new(
                Code::INVALID_NAMESPACE,
                "{aggregate: 1} is not valid for an empty pipeline or one whose first stage reads a collection; a \
                 collection is required.",
            )),
            _ => Ok(()),
        }
    }
}

/// Parse the stages of a pipeline wherever it stands.
pub(super) fn read(stages: &RawArray, context: &Context<'_>) -> Result<Pipeline, Error> {
    let count = stages.into_iter().count();
    if count > MAX_STAGES {
        return Err(Error::location(
            7_749_501,
            format!("Pipeline length must be no longer than {MAX_STAGES} stages."),
        ));
    }
    let mut parsed: Stages = Vec::with_capacity(count);
    for (index, stage) in items(stages).enumerate() {
        let (name, argument) = only_field(stage?)?;
        let definition = Definition::of(name)?;
        if context.place == Place::Update {
            // Before its argument is looked at.
            definition.check(index, count, context)?;
        }
        parsed.extend((definition.parse)(name, argument, context)?);
        definition.check(index, count, context)?;
    }
    bound_sorts(&mut parsed);
    Ok(Pipeline::of(parsed))
}

/// The name of a stage, and its argument.
pub(super) fn only_field(stage: RawBsonRef<'_>) -> Result<(&str, RawBsonRef<'_>), Error> {
    let RawBsonRef::Document(stage) = stage else {
        return Err(Error::new(
            Code::TYPE_MISMATCH,
            "Each element of the 'pipeline' array must be an object",
        ));
    };
    let mut found = fields(stage);
    let (Some(only), None) = (found.next(), found.next()) else {
        return Err(Error::location(
            40323,
            "A pipeline stage specification object must contain exactly one field.",
        ));
    };
    only
}

/// Tell each `$sort` how many documents the `$skip` and `$limit` behind it leave.
fn bound_sorts(stages: &mut Stages) {
    let mut bound: Option<u64> = None;
    for stage in stages.iter_mut().rev() {
        match stage.part() {
            Part::Limit(count) => bound = Some(bound.map_or(count, |bound| bound.min(count))),
            Part::Skip(count) => bound = bound.map(|bound| bound.saturating_add(count)),
            _ => {
                let count = bound.take().and_then(|bound| usize::try_from(bound).ok());
                if let Some(bounded) = count.and_then(|count| stage.bounded(count)) {
                    *stage = bounded;
                }
            }
        }
    }
}
