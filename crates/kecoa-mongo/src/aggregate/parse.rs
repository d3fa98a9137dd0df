//! Reads pipelines.

use std::sync::Arc;

use ::bson::{RawArray, RawBsonRef, RawDocument};

use super::context::{Context, Place};
use super::definition::Definition;
use super::options::Options;
use super::source::Source;
use super::specification::{fields, items};
use super::stage::{Part, Pipeline, Stage, Stages};
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
        read(stages, &context)
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
///
/// What is wrong is said in the server's order: elements that are no documents, names that no stage has, arguments,
/// stages that may not stand here, places.
pub(super) fn read(stages: &RawArray, context: &Context<'_>) -> Result<Pipeline, Error> {
    let count = stages.into_iter().count();
    if count > MAX_STAGES {
        return Err(Error::location(
            7_749_501,
            format!("Pipeline length must be no longer than {MAX_STAGES} stages."),
        ));
    }
    let documents = items(stages).map(|stage| document(stage?)).collect::<Result<Vec<_>, _>>()?;
    let mut named = Vec::with_capacity(count);
    for stage in documents {
        let (name, argument) = only_field_of(stage)?;
        named.push((Definition::of(name)?, name, argument));
    }
    let mut parsed: Stages = Vec::with_capacity(count);
    for (definition, name, argument) in &named {
        if context.place == Place::Update {
            // Before its argument is looked at.
            definition.check_nesting(*argument, context)?;
        }
        parsed.extend((definition.parse)(name, *argument, context)?);
    }
    for (definition, _, argument) in &named {
        definition.check_nesting(*argument, context)?;
    }
    let pipeline = Pipeline::of(parsed);
    if context.place == Place::Command {
        pipeline.check_collection(context.options)?;
    }
    for (index, (definition, ..)) in named.iter().enumerate() {
        definition.check_position(index, count)?;
    }
    let mut stages = pipeline.stages().to_vec();
    bound_sorts(&mut stages);
    Ok(Pipeline::of(stages))
}

/// The name of a stage, and its argument.
pub(super) fn only_field(stage: RawBsonRef<'_>) -> Result<(&str, RawBsonRef<'_>), Error> {
    only_field_of(document(stage)?)
}

fn document(stage: RawBsonRef<'_>) -> Result<&RawDocument, Error> {
    match stage {
        RawBsonRef::Document(stage) => Ok(stage),
        _ => Err(Error::new(
            Code::TYPE_MISMATCH,
            "Each element of the 'pipeline' array must be an object",
        )),
    }
}

fn only_field_of(stage: &RawDocument) -> Result<(&str, RawBsonRef<'_>), Error> {
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
fn bound_sorts(stages: &mut [Arc<dyn Stage>]) {
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
