//! `distinct`.

use ::bson::raw::cstr;
use ::bson::{RawBsonRef, RawDocumentBuf};

use crate::error::{Code, Error};
use crate::operation::attempts::write_conflict;
use crate::operation::distinct::DistinctValues;
use crate::operation::find::Find;
use crate::operation::{Context as Work, pipeline, views};
use crate::store::Namespace;

use super::arguments::{Argument, Kind};
use super::context::{Context, Definition, Privilege, ReadConcerns, Running};
use super::work;

const ARGUMENTS: &[Argument] = &[
    Argument::string("key").required(),
    Argument::new("query", Kind::Document),
    Argument::document("collation"),
    Argument::hint("hint"),
    Argument::new("collectionUUID", Kind::Uuid).unstable(),
];

/// `distinct`.
pub const DISTINCT: Definition = Definition::new("distinct", run)
    .collection()
    .arguments(ARGUMENTS)
    .needs(Privilege::Read)
    .in_transaction()
    .read_concern(ReadConcerns::Snapshot)
    .help("the values of a path, each once");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(answer(context))
}

async fn answer(context: &mut Context<'_>) -> Result<RawDocumentBuf, Error> {
    let arguments = context.arguments.clone();
    let namespace = work::namespace(context)?;
    let key = arguments.string("key").unwrap_or_default();
    if key.is_empty() || key.contains('\0') {
        return Err(Error::new(
            Code::location(if key.is_empty() { 40_352 } else { 31_032 }),
            "Key field cannot be empty or contain an embedded null byte",
        ));
    }
    let find = Find {
        filter: arguments.document("query"),
        hint: arguments.value("hint"),
        collation: arguments.document("collation"),
        ..Find::default()
    };
    let mut work = work::work(context).await?;
    let mut tries = work.tries();
    let values = loop {
        if let Some(values) = gather(&mut work, &namespace, key, &find).await? {
            break values;
        }
        tries.next(write_conflict()).await?;
    };
    drop(work);
    let mut reply = RawDocumentBuf::new();
    reply.append(cstr!("values"), values.into_values());
    if let Some(time) = work::snapshot_time(context) {
        reply.append(cstr!("atClusterTime"), time);
    }
    Ok(reply)
}

/// The values; none, where the catalogue says something else by now.
async fn gather(
    work: &mut Work<'_>,
    namespace: &Namespace,
    key: &str,
    find: &Find<'_>,
) -> Result<Option<DistinctValues>, Error> {
    let resolved = views::resolve(work, namespace).await?;
    let collation = match &resolved.view {
        Some(view) => {
            views::check_collation(view, find.collation)?;
            view.collation.as_deref()
        }
        None => find.collation,
    };
    let collator = Work::collator(collation, resolved.collection.as_ref())?;
    let mut values = DistinctValues::new(key, collator)?;
    match (&resolved.view, &resolved.collection) {
        (Some(_), _) => {
            let mut cursor = pipeline::find_on_view(work, &resolved, find).await?;
            if !cursor.begin(work).await? {
                return Ok(None);
            }
            while !cursor.is_finished() {
                let batch = cursor.next_batch(work, None).await?.into_documents();
                for document in batch.into_iter().map_while(Result::ok) {
                    if let RawBsonRef::Document(document) = document {
                        values.add(document)?;
                    }
                }
            }
        }
        (None, Some(collection)) => {
            let mut query = find.open(work, collection)?;
            if !query.begin(work).await? {
                return Ok(None);
            }
            while let Some(document) = query.next(work).await? {
                values.add(&document)?;
            }
        }
        (None, None) => find.check(work)?,
    }
    Ok(Some(values))
}
