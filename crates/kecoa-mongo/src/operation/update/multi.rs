//! Updates of all documents that a filter wants, a thousand at a time.

use ::bson::RawDocumentBuf;

use crate::error::Error;
use crate::plan::access::{Access, Order};
use crate::store::{Checked, Collection, Namespace, Origin, Replace, Stored};

use super::statement::{Image, UpdateStatement};
use super::upsert;
use super::work::Work;
use crate::bson::key::Key;
use crate::operation::attempts::write_conflict;
use crate::operation::context::Context;
use crate::operation::reader::{Once, Reader};
use crate::operation::statement_result::StatementResult;

/// The documents that are written at once.
pub(in crate::operation) const AT_ONCE: usize = 1000;
/// Their bytes.
pub(in crate::operation) const BYTES_AT_ONCE: usize = 16 * 1024 * 1024;

/// Update all documents; insert one where there is none.
pub(super) async fn update_many(
    context: &mut Context<'_>,
    namespace: &Namespace,
    statement: &UpdateStatement<'_>,
    index: usize,
) -> Result<StatementResult, Error> {
    let mut tries = context.tries();
    loop {
        let collection = context.writable(namespace).await?;
        let work = Work::parse(context, statement, collection.as_ref())?;
        let mut result = StatementResult::default();
        if let Some(collection) = &collection {
            let reader = statement.selection.reader(&work.target, collection)?;
            let mut reader = reader.expecting(AT_ONCE);
            if !reader.begin(context).await? {
                tries.next(write_conflict()).await?;
                continue;
            }
            update_found(context, &work, reader, statement.origin(), &mut result).await?;
        }
        if result.n > 0 || !statement.upsert {
            return Ok(result);
        }
        let collection = context.writable_or_new(namespace).await?;
        let kept = Image::None;
        match upsert::insert(context, &collection, statement, &work, index, kept).await {
            Ok(Some(updated)) => return Ok(updated.result),
            Ok(None) => tries.next(write_conflict()).await?,
            Err(error) if context.is_in_transaction() => return Err(error),
            Err(error) if upsert::lost_race(statement, &error) => {
                tries.next(write_conflict()).await?;
            }
            Err(error) => tries.next(error).await?,
        }
    }
}

async fn update_found(
    context: &mut Context<'_>,
    work: &Work,
    mut reader: Reader,
    origin: Origin<'_>,
    result: &mut StatementResult,
) -> Result<(), Error> {
    let mut once = Once::of(reader.access());
    let mut changes: Vec<(Stored, RawDocumentBuf)> = Vec::new();
    let mut bytes = 0;
    while let Some(found) = reader.next(context).await? {
        if !once.is_new(&found.stored) {
            continue;
        }
        result.n += 1;
        let collection = reader.collection().clone();
        let Some(after) = work.apply(context, &found)? else { continue };
        bytes += after.as_bytes().len();
        changes.push((found.stored, after));
        if changes.len() >= AT_ONCE || bytes >= BYTES_AT_ONCE {
            write(context, work, &collection, std::mem::take(&mut changes), origin, result).await?;
            bytes = 0;
        }
    }
    let collection = reader.collection().clone();
    write(context, work, &collection, changes, origin, result).await
}

/// Write changes; those that another write got in the way of are made once more from what is there then.
async fn write(
    context: &mut Context<'_>,
    work: &Work,
    collection: &Collection,
    mut changes: Vec<(Stored, RawDocumentBuf)>,
    origin: Origin<'_>,
    result: &mut StatementResult,
) -> Result<(), Error> {
    let mut collection = collection.clone();
    let mut tries = context.tries();
    while !changes.is_empty() {
        let replaces: Vec<_> =
            changes.iter().map(|(old, new)| Replace { old, new, record: None }).collect();
        let answer = context.handle().replace_by(&collection, &replaces, origin).await;
        drop(replaces);
        match answer {
            Ok(Checked::Current(written)) => {
                let done = written.done.iter().filter(|done| **done).count();
                result.modified += i64::try_from(done).unwrap_or(i64::MAX);
                if let Some((_, error)) = written.failure {
                    return Err(error);
                }
                let mut states = written.done.into_iter();
                changes.retain(|_| !states.next().unwrap_or(false));
                if changes.is_empty() {
                    return Ok(());
                }
                tries.next(write_conflict()).await?;
                changes = again(context, work, &collection, changes, result).await?;
            }
            Ok(Checked::Stale) => {
                tries.next(write_conflict()).await?;
                let namespace = collection.namespace().clone();
                match context.writable(&namespace).await? {
                    Some(current) if current.id() == collection.id() => collection = current,
                    _ => return Ok(()),
                }
            }
            Err(error) if context.is_in_transaction() => return Err(error),
            Err(error) => tries.next(error).await?,
        }
    }
    Ok(())
}

/// Read documents again, and make the changes of those that the filter still wants.
async fn again(
    context: &mut Context<'_>,
    work: &Work,
    collection: &Collection,
    changes: Vec<(Stored, RawDocumentBuf)>,
    result: &mut StatementResult,
) -> Result<Vec<(Stored, RawDocumentBuf)>, Error> {
    let before = i64::try_from(changes.len()).unwrap_or(i64::MAX);
    let keys = changes
        .iter()
        .filter_map(|(old, _)| old.document.get("_id").ok().flatten())
        .map(Key::of)
        .collect();
    let access = Access::Ids { keys, order: Order::Forward };
    let mut reader = Reader::new(collection.clone(), access, work.target.filter.clone());
    let mut changes = Vec::new();
    let mut matched = 0;
    while let Some(found) = reader.next(context).await? {
        matched += 1;
        if let Some(after) = work.apply(context, &found)? {
            changes.push((found.stored, after));
        }
    }
    result.n += matched - before;
    Ok(changes)
}
