//! `delete`: one statement at a time.

use ::bson::RawDocumentBuf;

use crate::bson::key::Key;
use crate::error::Error;
use crate::plan::access::{Access, Order};
use crate::store::{Checked, Collection, Delete, Namespace, Stored};

use super::attempts::write_conflict;
use super::context::Context;
use super::reader::{Reader, is_outdated};
use super::statement_result::StatementResult;
use super::target::{Selection, Target};
use super::update::is_done;

/// The documents that are removed at once.
const AT_ONCE: usize = 1000;

/// A statement of `delete`.
#[derive(Clone, Copy, Debug)]
pub struct DeleteStatement<'a> {
    /// Which documents.
    pub selection: Selection<'a>,
    /// Whether all of them are removed, not the first alone.
    pub multi: bool,
}

/// Run a statement. `index` is its number in the command.
///
/// # Errors
///
/// What fails the statement.
pub async fn delete(
    context: &mut Context<'_>,
    namespace: &Namespace,
    statement: &DeleteStatement<'_>,
    index: usize,
) -> Result<StatementResult, Error> {
    if statement.multi {
        let n = delete_many(context, namespace, &statement.selection).await?;
        return Ok(StatementResult { n, ..StatementResult::default() });
    }
    Ok(delete_one(context, namespace, &statement.selection, index, false).await?.0)
}

/// Remove the first document; gives it. With `keep`, it is kept with the result, for `findAndModify` that is sent
/// again.
///
/// # Errors
///
/// What fails the statement.
pub async fn delete_one(
    context: &mut Context<'_>,
    namespace: &Namespace,
    selection: &Selection<'_>,
    index: usize,
    keep: bool,
) -> Result<(StatementResult, Option<RawDocumentBuf>), Error> {
    let mut tries = context.tries();
    loop {
        if let Some(known) = context.retry.as_ref().and_then(|retry| retry.known(index)) {
            return Ok((known.clone(), known.value.clone()));
        }
        match try_one(context, namespace, selection, index, keep).await {
            // It may have run before, at another gateway.
            Ok(Some(deleted)) if deleted.0.n == 0 => {
                let looked_up = context.look_up_records_once().await?;
                let is_known =
                    context.retry.as_ref().is_some_and(|retry| retry.known(index).is_some());
                if !looked_up || !is_known {
                    return Ok(deleted);
                }
            }
            Ok(Some(deleted)) => return Ok(deleted),
            Ok(None) => {
                tries.next(write_conflict()).await?;
                context.look_up_records().await?;
            }
            // Nothing was written yet.
            Err(error) if is_outdated(&error) => tries.next(write_conflict()).await?,
            Err(error) if context.is_in_transaction() => return Err(error),
            Err(error) => tries.next(error).await?,
        }
    }
}

async fn try_one(
    context: &mut Context<'_>,
    namespace: &Namespace,
    selection: &Selection<'_>,
    index: usize,
    keep: bool,
) -> Result<Option<(StatementResult, Option<RawDocumentBuf>)>, Error> {
    let collection = context.writable(namespace).await?;
    let target = selection.parse(context, collection.as_ref())?;
    let Some(collection) = collection else {
        return Ok(Some((StatementResult::default(), None)));
    };
    let Some(found) = selection.first(context, &target, &collection).await? else {
        return Ok(Some((StatementResult::default(), None)));
    };
    let result = StatementResult {
        n: 1,
        value: keep.then(|| found.stored.document.clone()),
        ..StatementResult::default()
    };
    let delete = [Delete {
        old: &found.stored,
        record: context.retry.as_ref().map(|retry| retry.record(index, &result)),
    }];
    let answer = context.handle().delete(&collection, &delete).await?;
    Ok(is_done(answer)?.then_some((result, Some(found.stored.document))))
}

async fn delete_many(
    context: &mut Context<'_>,
    namespace: &Namespace,
    selection: &Selection<'_>,
) -> Result<i64, Error> {
    let mut tries = context.tries();
    let (target, mut reader) = loop {
        let collection = context.writable(namespace).await?;
        let target = selection.parse(context, collection.as_ref())?;
        let Some(collection) = collection else { return Ok(0) };
        let mut reader = selection.reader(&target, &collection)?.expecting(AT_ONCE);
        if reader.begin(context).await? {
            break (target, reader);
        }
        tries.next(write_conflict()).await?;
    };
    let mut removed = 0;
    let mut page: Vec<Stored> = Vec::new();
    while let Some(found) = reader.next(context).await? {
        page.push(found.stored);
        if page.len() >= AT_ONCE {
            let collection = reader.collection().clone();
            removed += remove(context, &target, collection, std::mem::take(&mut page)).await?;
        }
    }
    let collection = reader.collection().clone();
    Ok(removed + remove(context, &target, collection, page).await?)
}

/// Remove documents; those that another write got in the way of are looked at once more.
async fn remove(
    context: &mut Context<'_>,
    target: &Target,
    mut collection: Collection,
    mut documents: Vec<Stored>,
) -> Result<i64, Error> {
    let mut tries = context.tries();
    let mut removed = 0;
    while !documents.is_empty() {
        let deletes: Vec<_> = documents.iter().map(|old| Delete { old, record: None }).collect();
        let answer = context.handle().delete(&collection, &deletes).await;
        drop(deletes);
        match answer {
            Ok(Checked::Current(written)) => {
                let done = written.done.iter().filter(|done| **done).count();
                removed += i64::try_from(done).unwrap_or(i64::MAX);
                if let Some((_, error)) = written.failure {
                    return Err(error);
                }
                let mut states = written.done.into_iter();
                documents.retain(|_| !states.next().unwrap_or(false));
                if documents.is_empty() {
                    return Ok(removed);
                }
                tries.next(write_conflict()).await?;
                documents = again(context, target, &collection, &documents).await?;
            }
            Ok(Checked::Stale) => {
                tries.next(write_conflict()).await?;
                let namespace = collection.namespace().clone();
                match context.writable(&namespace).await? {
                    Some(current) if current.id() == collection.id() => collection = current,
                    _ => return Ok(removed),
                }
            }
            Err(error) if context.is_in_transaction() => return Err(error),
            Err(error) => tries.next(error).await?,
        }
    }
    Ok(removed)
}

async fn again(
    context: &mut Context<'_>,
    target: &Target,
    collection: &Collection,
    documents: &[Stored],
) -> Result<Vec<Stored>, Error> {
    let keys = documents
        .iter()
        .filter_map(|old| old.document.get("_id").ok().flatten())
        .map(Key::of)
        .collect();
    let access = Access::Ids { keys, order: Order::Forward };
    let mut reader = Reader::new(collection.clone(), access, target.filter.clone());
    let mut left = Vec::new();
    while let Some(found) = reader.next(context).await? {
        left.push(found.stored);
    }
    Ok(left)
}
