//! What `$lookup` looks up.

use std::sync::Arc;

use ::bson::RawDocument;

use super::equality::Equality;
use crate::aggregate::request::Namespace;
use crate::aggregate::stage::{Pipeline, Read};
use crate::aggregate::stages::nested_field::FieldPath;
use crate::error::Error;
use crate::expression::{Expression, Scope, Variables};
use crate::value::Value;

/// `$lookup`.
#[derive(Clone, Debug)]
pub(super) struct Lookup {
    pub(super) from: Option<Namespace>,
    pub(super) fields: Option<Equality>,
    pub(super) pipeline: Option<Pipeline>,
    pub(super) variables: Arc<[(Box<str>, Expression)]>,
    pub(super) into: FieldPath,
    /// What its own filters are read within.
    pub(super) scope: Scope,
    pub(super) way: Way,
}

/// How often the other collection is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Once for many documents, which look for values.
    Batches,
    /// Once, as the same is found for every document.
    Once,
    /// For each document.
    Each,
}

impl Lookup {
    /// What to read for a document.
    pub(super) fn read(
        &self,
        document: &RawDocument,
        variables: &Variables,
    ) -> Result<Read, Error> {
        let filter =
            self.fields.as_ref().map(|equality| equality.filter(&equality.values(document)));
        let mut bound = variables.clone();
        for (name, expression) in &*self.variables {
            let value = expression.evaluate(document, variables)?.map(Value::into_owned);
            bound = bound.bind(name, value);
        }
        let namespace = self.from.clone();
        Ok(Read { namespace, filter, pipeline: self.sub_pipeline(), variables: bound })
    }

    pub(super) fn sub_pipeline(&self) -> Pipeline {
        self.pipeline.clone().unwrap_or_else(|| Pipeline::of(Vec::new()))
    }
}
