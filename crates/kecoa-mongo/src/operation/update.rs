//! `update`: one statement at a time.

mod multi;
mod statement;
mod upsert;
mod work;

use crate::error::{Code, Error};
use crate::store::{Checked, Namespace, Replace};

use super::attempts::write_conflict;
use super::context::Context;
use super::reader::{Found, is_outdated};
use super::rules;
use super::statement_result::StatementResult;
use work::Work;

pub use statement::{Image, UpdateStatement, Updated};

/// Run a statement. `index` is its number in the command.
///
/// # Errors
///
/// What fails the statement.
pub async fn update(
    context: &mut Context<'_>,
    namespace: &Namespace,
    statement: &UpdateStatement<'_>,
    index: usize,
) -> Result<StatementResult, Error> {
    if statement.multi {
        return Box::pin(multi::update_many(context, namespace, statement, index)).await;
    }
    Ok(update_one(context, namespace, statement, index, Image::None).await?.result)
}

/// Update the first document, or insert one.
///
/// # Errors
///
/// What fails the statement.
pub async fn update_one(
    context: &mut Context<'_>,
    namespace: &Namespace,
    statement: &UpdateStatement<'_>,
    index: usize,
    kept: Image,
) -> Result<Updated, Error> {
    let mut tries = context.tries();
    let mut races = 0;
    loop {
        if let Some(known) = known(context, index) {
            return Ok(known);
        }
        let tried = try_one(context, namespace, statement, index, kept).await;
        match tried {
            // It may have run before, at another gateway.
            Ok(Some(updated))
                if updated.result.modified == 0 && updated.result.upserted.is_none() =>
            {
                if !was_done(context, index).await? {
                    return Ok(updated);
                }
            }
            Ok(Some(updated)) => return Ok(updated),
            Ok(None) => {
                tries.next(write_conflict()).await?;
                context.look_up_records().await?;
            }
            // Nothing was written yet.
            Err(error) if is_outdated(&error) => tries.next(write_conflict()).await?,
            Err(error) if context.is_in_transaction() => return Err(error),
            // Its own first run may be what it fails at.
            Err(error)
                if error.code() != Code::WRITE_CONFLICT && was_done(context, index).await? =>
            {
                drop(error);
            }
            Err(error) if upsert::lost_race(statement, &error) && races < 1 => races += 1,
            Err(error) => tries.next(error).await?,
        }
    }
}

/// Whether the statement ran before, if nobody has looked so far.
async fn was_done(context: &mut Context<'_>, index: usize) -> Result<bool, Error> {
    Ok(context.look_up_records_once().await? && known(context, index).is_some())
}

/// The result of a statement that ran before.
fn known(context: &Context<'_>, index: usize) -> Option<Updated> {
    let result = context.retry.as_ref()?.known(index)?.clone();
    Some(Updated { before: result.value.clone(), after: result.value.clone(), result })
}

/// One try; none if somebody else was faster.
async fn try_one(
    context: &mut Context<'_>,
    namespace: &Namespace,
    statement: &UpdateStatement<'_>,
    index: usize,
    kept: Image,
) -> Result<Option<Updated>, Error> {
    let collection = context.writable(namespace).await?;
    let work = Work::parse(context, statement, collection.as_ref())?;
    let found = match &collection {
        Some(collection) => statement.selection.first(context, &work.target, collection).await?,
        None => None,
    };
    match (found, collection) {
        (None, _) if !statement.upsert => Ok(Some(Updated::default())),
        (None, collection) => {
            let collection = match collection {
                Some(collection) => collection,
                None => context.writable_or_new(namespace).await?,
            };
            upsert::insert(context, &collection, statement, &work, index, kept).await
        }
        (Some(_), None) => Ok(None),
        (Some(found), Some(collection)) => {
            let after = match work.apply(context, &found) {
                Ok(Some(after)) => after,
                Ok(None) => return Ok(Some(unchanged(found))),
                Err(_) if rules::have_changed(context, &collection).await? => return Ok(None),
                Err(error) => return Err(error),
            };
            let mut result = StatementResult { n: 1, modified: 1, ..StatementResult::default() };
            result.value = match kept {
                Image::None => None,
                Image::Before => Some(found.stored.document.clone()),
                Image::After => Some(after.clone()),
            };
            let replace = [Replace {
                old: &found.stored,
                new: &after,
                record: context.retry.as_ref().map(|retry| retry.record(index, &result)),
            }];
            let origin = statement.origin();
            let answer = context.handle().replace_by(&collection, &replace, origin).await?;
            if !is_done(answer)? {
                return Ok(None);
            }
            Ok(Some(Updated { result, before: Some(found.stored.document), after: Some(after) }))
        }
    }
}

/// Whether the one write of a call was done.
///
/// # Errors
///
/// What it failed with.
pub(super) fn is_done(answer: Checked<crate::store::Written>) -> Result<bool, Error> {
    match answer {
        Checked::Stale => Ok(false),
        Checked::Current(written) => match written.failure {
            Some((_, error)) => Err(error),
            None => Ok(written.done.first().copied().unwrap_or(false)),
        },
    }
}

fn unchanged(found: Found) -> Updated {
    Updated {
        result: StatementResult { n: 1, ..StatementResult::default() },
        after: Some(found.stored.document.clone()),
        before: Some(found.stored.document),
    }
}
