//! The document that an update inserts where it found none.

use ::bson::{RawBson, RawDocument};

use crate::error::{Code, Error};
use crate::store::{Checked, Collection, NewDocument};

use super::statement::{Image, UpdateStatement, Updated};
use super::work::Work;
use crate::operation::capped;
use crate::operation::context::Context;
use crate::operation::document::check_size;
use crate::operation::rules;
use crate::operation::statement_result::StatementResult;
use crate::operation::validator::Validator;

/// Insert the document; none if the catalogue has changed.
pub(super) async fn insert(
    context: &mut Context<'_>,
    collection: &Collection,
    statement: &UpdateStatement<'_>,
    work: &Work,
    index: usize,
    kept: Image,
) -> Result<Option<Updated>, Error> {
    let document = work.update.upsert(&work.target.filter, &context.variables)?;
    check_size(&document)?;
    if let Err(error) = check(context, collection, statement, &document) {
        return match rules::have_changed(context, collection).await? {
            true => Ok(None),
            false => Err(error),
        };
    }
    let result = StatementResult {
        n: 1,
        upserted: Some(id_of(&document)),
        value: (kept == Image::After).then(|| document.clone()),
        ..StatementResult::default()
    };
    let new = NewDocument {
        document,
        record: context.retry.as_ref().map(|retry| retry.record(index, &result)),
    };
    let new = [new];
    let answer = context.handle().insert(collection, &new, true).await?;
    match answer {
        Checked::Stale => Ok(None),
        Checked::Current(inserted) => match inserted.failures.into_iter().next() {
            Some((_, error)) => Err(error),
            None => {
                capped::trim(context, collection).await?;
                let [new] = new;
                Ok(Some(Updated { result, before: None, after: Some(new.document) }))
            }
        },
    }
}

/// Hold the document to the rules of the collection.
fn check(
    context: &Context<'_>,
    collection: &Collection,
    statement: &UpdateStatement<'_>,
    document: &RawDocument,
) -> Result<(), Error> {
    capped::check(context, collection)?;
    capped::check_size(collection, document)?;
    if statement.bypass_validation {
        return Ok(());
    }
    match Validator::of(collection, context)? {
        Some(validator) => validator.check(document, None, &context.variables),
        None => Ok(()),
    }
}

/// Whether an upsert failed because another inserted the document that it looked for: the filter wants the very key
/// that is there now.
pub(super) fn lost_race(statement: &UpdateStatement<'_>, error: &Error) -> bool {
    if !statement.upsert || error.code() != Code::DUPLICATE_KEY {
        return false;
    }
    let Some(Ok(pattern)) = error.details().map(|details| details.get_document("keyPattern"))
    else {
        return false;
    };
    let filter = statement.selection.filter;
    pattern
        .iter_elements()
        .map_while(Result::ok)
        .all(|field| wants_one_value(filter, field.key().as_str(), 0))
}

/// Whether a filter has an equality on a field.
fn wants_one_value(filter: &RawDocument, field: &str, depth: usize) -> bool {
    use ::bson::RawBsonRef;
    filter.iter().map_while(Result::ok).any(|(name, value)| match (name.as_str(), value) {
        ("$and", RawBsonRef::Array(parts)) if depth < 10 => parts
            .into_iter()
            .map_while(Result::ok)
            .filter_map(|part| part.as_document())
            .any(|part| wants_one_value(part, field, depth + 1)),
        (name, RawBsonRef::Document(operators)) if name == field => {
            let first = operators.iter_elements().next().and_then(Result::ok);
            first.is_none_or(|first| {
                let operator = first.key().as_str();
                operator == "$eq" || !operator.starts_with('$')
            })
        }
        (name, RawBsonRef::RegularExpression(_)) if name == field => false,
        (name, _) => name == field,
    })
}

/// The `_id` of a document.
fn id_of(document: &RawDocument) -> RawBson {
    document.get("_id").ok().flatten().map_or(RawBson::Null, Into::into)
}
