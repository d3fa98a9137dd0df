//! Pipelines of updates: one document in, one out.

use ::bson::{RawArray, RawDocument, RawDocumentBuf};

use super::context::{Context, Place};
use super::definition::Definition;
use super::options::Options;
use super::parse::{only_field, read};
use super::specification::items;
use super::stage::Pipeline;
use crate::error::Error;
use crate::expression::{Scope, Variables};

/// A pipeline that changes one document: of an update, of `findAndModify`, of `$merge`.
#[derive(Clone, Debug)]
pub struct UpdatePipeline {
    pipeline: Pipeline,
}

impl UpdatePipeline {
    /// Parse the stages: `$addFields`, `$set`, `$project`, `$unset`, `$replaceRoot`, `$replaceWith`.
    ///
    /// # Errors
    ///
    /// 72 for another stage, and those of [`Pipeline::parse`].
    pub fn parse(stages: &RawArray, scope: &Scope) -> Result<Self, Error> {
        let options = Options::new("");
        let context = Context { scope, options: &options, place: Place::Update, depth: 0, read };
        Ok(Self { pipeline: read(stages, &context)? })
    }

    /// Check that the stages are some that there are, as is done before anything of a command runs.
    ///
    /// # Errors
    ///
    /// 14 for a stage that is no document, 40323 for one of several fields, 40324 for an unknown one.
    pub fn check_names(stages: &RawArray) -> Result<(), Error> {
        items(stages).try_for_each(|stage| Definition::of(only_field(stage?)?.0).map(|_| ()))
    }

    /// The document after all stages.
    ///
    /// # Errors
    ///
    /// Those of the stages' expressions.
    pub fn apply(
        &self,
        document: &RawDocument,
        variables: &Variables,
    ) -> Result<RawDocumentBuf, Error> {
        let mut changed: Option<RawDocumentBuf> = None;
        for stage in self.pipeline.stages() {
            let seen = changed.as_deref().unwrap_or(document);
            if let Some(next) = stage.change(seen, variables)? {
                changed = Some(next);
            }
        }
        Ok(changed.unwrap_or_else(|| document.to_owned()))
    }
}
