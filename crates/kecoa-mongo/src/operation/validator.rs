//! A collection's rule for its documents, and what is said of one that breaks it.

use ::bson::raw::cstr;
use ::bson::{RawDocument, RawDocumentBuf};

use crate::error::{Code, Error};
use crate::expression::{Scope, Variables};
use crate::query::Filter;
use crate::store::Collection;

use super::context::Context;

/// What happens with a document that breaks the rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Action {
    /// The write fails.
    #[default]
    Error,
    /// The write succeeds.
    Warn,
}

/// Which writes are held to the rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Level {
    /// All.
    #[default]
    Strict,
    /// All but updates of documents that broke it before.
    Moderate,
    /// None.
    Off,
}

/// A rule for documents.
#[derive(Debug)]
pub struct Validator {
    filter: Filter,
    level: Level,
    action: Action,
}

impl Validator {
    /// The rule of a collection.
    ///
    /// # Errors
    ///
    /// Those of [`Filter::parse`].
    pub fn of(collection: &Collection, context: &Context<'_>) -> Result<Option<Self>, Error> {
        let options = collection.options();
        if !matches!(options.get("validator"), Ok(Some(_))) {
            return Ok(None);
        }
        let collator = Context::collator(None, Some(collection))?;
        Self::from_options(options, &context.scope_with(&collator))
    }

    /// The rule of a collection's options: `validator`, `validationLevel`, `validationAction`. None if it has none
    /// that can fail.
    ///
    /// # Errors
    ///
    /// Those of [`Filter::parse`].
    pub fn from_options(options: &RawDocument, scope: &Scope) -> Result<Option<Self>, Error> {
        let Ok(Some(document)) =
            options.get("validator").map(|value| value.and_then(|v| v.as_document()))
        else {
            return Ok(None);
        };
        let action = match options.get_str("validationAction") {
            Ok("warn") => Action::Warn,
            _ => Action::Error,
        };
        let level = match options.get_str("validationLevel") {
            Ok("off") => Level::Off,
            Ok("moderate") => Level::Moderate,
            _ => Level::Strict,
        };
        if document.is_empty() || level == Level::Off || action == Action::Warn {
            return Ok(None);
        }
        let filter = Filter::parse(document, scope)?;
        Ok(Some(Self { filter, level, action }))
    }

    /// Check a document that is to be stored in place of `before`.
    ///
    /// # Errors
    ///
    /// 121 with `errInfo`.
    pub fn check(
        &self,
        document: &RawDocument,
        before: Option<&RawDocument>,
        variables: &Variables,
    ) -> Result<(), Error> {
        if self.action == Action::Warn || self.filter.matches(document, variables)? {
            return Ok(());
        }
        if let (Level::Moderate, Some(before)) = (self.level, before)
            && !self.filter.matches(before, variables)?
        {
            return Ok(());
        }
        let mut info = RawDocumentBuf::new();
        if let Ok(Some(id)) = document.get("_id") {
            info.append(cstr!("failingDocumentId"), id);
        }
        if let Some(details) = self.filter.explain_failure(document, variables)? {
            info.append(cstr!("details"), details);
        }
        let mut details = RawDocumentBuf::new();
        details.append(cstr!("errInfo"), info);
        Err(Error::new(Code::DOCUMENT_VALIDATION_FAILURE, "Document failed validation")
            .with_details(details))
    }
}
