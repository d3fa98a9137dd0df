//! Updates of all documents that a filter wants, a thousand at a time.

use ::bson::RawDocumentBuf;

use crate::error::Error;
use crate::plan::access::{Access, Order};
use crate::store::{Checked, Collection, Namespace, Replace, Stored};

use super::statement::{Image, UpdateStatement};
use super::upsert;
use super::work::Work;
use crate::bson::key::Key;
use crate::operation::attempts::write_conflict;
use crate::operation::context::Context;
use crate::operation::reader::{Once, Reader};
use crate::operation::rules;
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
        let mut work = Work::parse(context, statement, collection.as_ref())?;
        let mut result = StatementResult::default();
        if let Some(collection) = &collection {
            let reader = statement.selection.reader(&work.target, collection)?;
            let mut reader = reader.expecting(AT_ONCE);
            if !reader.begin(context).await? {
                tries.next(write_conflict()).await?;
                continue;
            }
            update_found(context, &mut work, reader, statement, &mut result).await?;
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
    work: &mut Work,
    mut reader: Reader,
    statement: &UpdateStatement<'_>,
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
        let Some(after) = work.change(context, &found)? else { continue };
        bytes += after.as_bytes().len();
        changes.push((found.stored, after));
        if changes.len() >= AT_ONCE || bytes >= BYTES_AT_ONCE {
            write(context, work, &collection, std::mem::take(&mut changes), statement, result)
                .await?;
            bytes = 0;
        }
    }
    let collection = reader.collection().clone();
    write(context, work, &collection, changes, statement, result).await
}

/// Write changes; those that another write got in the way of are made once more from what is there then.
async fn write(
    context: &mut Context<'_>,
    work: &mut Work,
    collection: &Collection,
    mut changes: Vec<(Stored, RawDocumentBuf)>,
    statement: &UpdateStatement<'_>,
    result: &mut StatementResult,
) -> Result<(), Error> {
    let mut collection = collection.clone();
    let mut tries = context.tries();
    while !changes.is_empty() {
        if !check(context, work, &mut collection, &changes, statement).await? {
            return Ok(());
        }
        let replaces: Vec<_> =
            changes.iter().map(|(old, new)| Replace { old, new, record: None }).collect();
        let answer = context.handle().replace_by(&collection, &replaces, statement.origin()).await;
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
                if !renew(context, &mut collection).await? {
                    return Ok(());
                }
            }
            Err(error) if context.is_in_transaction() => return Err(error),
            Err(error) => tries.next(error).await?,
        }
    }
    Ok(())
}

/// Hold changes to the rule that the collection has, by now if another gateway has changed it; whether the collection is
/// there still.
async fn check(
    context: &mut Context<'_>,
    work: &mut Work,
    collection: &mut Collection,
    changes: &[(Stored, RawDocumentBuf)],
    statement: &UpdateStatement<'_>,
) -> Result<bool, Error> {
    let mut tries = context.tries();
    loop {
        work.hold_to(context, statement, collection)?;
        let refused = changes.iter().find_map(|(old, new)| work.check(context, old, new).err());
        let Some(error) = refused else { return Ok(true) };
        if !rules::have_changed(context, collection).await? {
            return Err(error);
        }
        if !renew(context, collection).await? {
            return Ok(false);
        }
        tries.next(write_conflict()).await?;
    }
}

/// Read the catalogue again; whether the collection is there still.
async fn renew(context: &mut Context<'_>, collection: &mut Collection) -> Result<bool, Error> {
    let namespace = collection.namespace().clone();
    let current = context.writable(&namespace).await?;
    let current = current.filter(|current| current.id() == collection.id());
    let is_there = current.is_some();
    *collection = current.unwrap_or_else(|| collection.clone());
    Ok(is_there)
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
        if let Some(after) = work.change(context, &found)? {
            changes.push((found.stored, after));
        }
    }
    result.n += matched - before;
    Ok(changes)
}
