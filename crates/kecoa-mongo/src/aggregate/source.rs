//! Stages that make documents of what the server knows.

use std::sync::Arc;

use ::bson::{RawBson, RawBsonRef, RawDocumentBuf};

use super::specification::{describe, items, type_name};
use crate::error::Error;
use crate::expression::{Expression, Variables};
use crate::value::Value;

/// A first stage whose documents the caller makes and gives to [`Execution::push`](super::Execution::push).
#[derive(Clone, Debug)]
pub enum Source {
    /// `$collStats` and what it asks for.
    CollectionStatistics(RawDocumentBuf),
    /// `$indexStats`.
    IndexStatistics,
    /// `$planCacheStats`.
    PlanCacheStatistics,
    /// `$currentOp` and its options.
    CurrentOperations(RawDocumentBuf),
    /// `$listSessions` and its options.
    Sessions(RawDocumentBuf),
    /// `$listLocalSessions` and its options.
    LocalSessions(RawDocumentBuf),
    /// `$changeStream` and its options.
    ChangeStream(RawDocumentBuf),
    /// `$documents`.
    Documents(Vec<RawDocumentBuf>),
    /// `$documents` of an expression that uses variables.
    Computed(Arc<Expression>),
}

impl Source {
    /// The name of the stage.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::CollectionStatistics(_) => "$collStats",
            Self::IndexStatistics => "$indexStats",
            Self::PlanCacheStatistics => "$planCacheStats",
            Self::CurrentOperations(_) => "$currentOp",
            Self::Sessions(_) => "$listSessions",
            Self::LocalSessions(_) => "$listLocalSessions",
            Self::ChangeStream(_) => "$changeStream",
            Self::Documents(_) | Self::Computed(_) => "$documents",
        }
    }

    /// The documents, where the pipeline itself has them.
    ///
    /// # Errors
    ///
    /// Those of the expression; 5858203 where it gives no array.
    pub fn documents(&self, variables: &Variables) -> Result<Option<Vec<RawDocumentBuf>>, Error> {
        match self {
            Self::Documents(documents) => Ok(Some(documents.clone())),
            Self::Computed(expression) => {
                let empty = RawDocumentBuf::new();
                let value = expression.evaluate(&empty, variables)?.map(Value::into_owned);
                documents_of(value).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Whether it goes with `aggregate: 1`; none if it goes with both.
    pub(super) fn without_collection(&self) -> Option<bool> {
        match self {
            Self::CurrentOperations(_)
            | Self::LocalSessions(_)
            | Self::Documents(_)
            | Self::Computed(_) => Some(true),
            Self::ChangeStream(_) => None,
            Self::CollectionStatistics(_)
            | Self::IndexStatistics
            | Self::PlanCacheStatistics
            | Self::Sessions(_) => Some(false),
        }
    }
}

/// The documents that an expression gave.
pub(super) fn documents_of(value: Option<RawBson>) -> Result<Vec<RawDocumentBuf>, Error> {
    match &value {
        Some(RawBson::Array(array)) => items(array).map(|item| document(item?)).collect(),
        other => Err(Error::location(
            5_858_203,
            format!(
                "an array is expected, but found {}",
                other.as_ref().map_or("missing", |value| type_name(value.as_raw_bson_ref()))
            ),
        )),
    }
}

fn document(item: RawBsonRef<'_>) -> Result<RawDocumentBuf, Error> {
    match item {
        RawBsonRef::Document(document) => Ok(document.to_owned()),
        other => Err(Error::location(
            40228,
            format!(
                "'newRoot' expression  must evaluate to an object, but resulting value was: {}. Type of resulting \
                 value: '{}'.",
                describe(other),
                type_name(other)
            ),
        )),
    }
}
