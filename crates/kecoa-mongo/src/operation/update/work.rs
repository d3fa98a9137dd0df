//! A statement of an update, parsed for a collection.

use ::bson::{RawDocument, RawDocumentBuf};

use super::statement::UpdateStatement;
use crate::error::{Code, Error};
use crate::operation::context::Context;
use crate::operation::document::check_size;
use crate::operation::reader::Found;
use crate::operation::target::Target;
use crate::operation::validator::Validator;
use crate::store::{Collection, Stored};
use crate::update::{Applied, Update};

/// A statement, parsed for a collection.
pub(super) struct Work {
    pub(super) target: Target,
    pub(super) update: Update,
    /// Whose rule the documents are held to.
    held_to: Option<Collection>,
    validator: Option<Validator>,
}

impl Work {
    pub(super) fn parse(
        context: &Context<'_>,
        statement: &UpdateStatement<'_>,
        collection: Option<&Collection>,
    ) -> Result<Self, Error> {
        let target = statement.selection.parse(context, collection)?;
        if statement.upsert && target.filter.has_expression() {
            return Err(Error::new(
                Code::QUERY_FEATURE_NOT_ALLOWED,
                "$expr is not allowed in the query predicate for an upsert",
            ));
        }
        let options =
            crate::update::Options { multi: statement.multi, constants: statement.constants };
        let update =
            Update::parse(statement.update, statement.array_filters, options, &target.scope)?;
        let mut work = Self { target, update, held_to: None, validator: None };
        if let Some(collection) = collection {
            work.hold_to(context, statement, collection)?;
        }
        Ok(work)
    }

    /// Hold documents to the rule that the collection has.
    pub(super) fn hold_to(
        &mut self,
        context: &Context<'_>,
        statement: &UpdateStatement<'_>,
        collection: &Collection,
    ) -> Result<(), Error> {
        let is_same = |held_to: &Collection| {
            (held_to.id(), held_to.version()) == (collection.id(), collection.version())
        };
        if self.held_to.as_ref().is_some_and(is_same) {
            return Ok(());
        }
        self.held_to = Some(collection.clone());
        self.validator = match statement.bypass_validation {
            true => None,
            false => Validator::of(collection, context)?,
        };
        Ok(())
    }

    /// The document after, held to the rule; none if it stays as it is.
    pub(super) fn apply(
        &self,
        context: &Context<'_>,
        found: &Found,
    ) -> Result<Option<RawDocumentBuf>, Error> {
        let Some(after) = self.change(context, found)? else { return Ok(None) };
        self.check(context, &found.stored, &after)?;
        Ok(Some(after))
    }

    /// The document after; none if it stays as it is.
    pub(super) fn change(
        &self,
        context: &Context<'_>,
        found: &Found,
    ) -> Result<Option<RawDocumentBuf>, Error> {
        let before: &RawDocument = &found.stored.document;
        Ok(match self.update.apply(before, found.position, &context.variables)? {
            Applied::Unchanged => None,
            Applied::Changed(after) => Some(after),
        })
    }

    /// Check that a document may be stored in the place of another.
    pub(super) fn check(
        &self,
        context: &Context<'_>,
        before: &Stored,
        after: &RawDocument,
    ) -> Result<(), Error> {
        check_size(after).map_err(|error| match error.code() {
            Code::BSON_OBJECT_TOO_LARGE => Error::location(
                17419,
                format!(
                    "Resulting document after update is larger than {}",
                    crate::bson::limits::MAX_DOCUMENT_BYTES
                ),
            ),
            _ => error,
        })?;
        match &self.validator {
            Some(validator) => validator.check(after, Some(&before.document), &context.variables),
            None => Ok(()),
        }
    }
}
