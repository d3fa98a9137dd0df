//! The pipeline form: stages that make a new document of the old one.

use ::bson::{RawArray, RawBson, RawDocument, RawDocumentBuf};

use super::node::unreadable;
use crate::aggregate::UpdatePipeline;
use crate::error::Error;
use crate::expression::{Scope, Variables};

/// An update in pipeline form.
#[derive(Clone, Debug)]
pub(super) struct Stages {
    pipeline: UpdatePipeline,
    /// `c`: variables with fixed values.
    constants: Vec<(String, RawBson)>,
}

impl Stages {
    /// # Errors
    ///
    /// Those of [`UpdatePipeline::parse`]; 9 for a constant that may not have its name.
    pub(super) fn parse(
        stages: &RawArray,
        constants: Option<&RawDocument>,
        scope: &Scope,
    ) -> Result<Self, Error> {
        let mut scope = scope.clone();
        let mut values = Vec::new();
        for constant in constants.into_iter().flatten() {
            let (name, value) = constant.map_err(unreadable)?;
            scope = scope.with_user_variable(name.as_str())?;
            values.push((name.as_str().to_owned(), value.into()));
        }
        Ok(Self { pipeline: UpdatePipeline::parse(stages, &scope)?, constants: values })
    }

    /// The document that the stages make.
    pub(super) fn apply(
        &self,
        document: &RawDocument,
        variables: &Variables,
    ) -> Result<RawDocumentBuf, Error> {
        let mut variables = variables.clone();
        for (name, value) in &self.constants {
            variables = variables.bind(name, Some(value.clone()));
        }
        self.pipeline.apply(document, &variables)
    }
}
