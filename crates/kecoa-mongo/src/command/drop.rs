//! `drop`: of a collection or a view.

use ::bson::RawDocumentBuf;
use ::bson::raw::cstr;

use crate::error::Error;
use crate::operation::attempts::{Tries, write_conflict};
use crate::operation::write_result::position;
use crate::store::CollectionKind;

use super::arguments::{Argument, Kind};
use super::context::{Context, Definition, Privilege, Running};
use super::work;

const ARGUMENTS: &[Argument] = &[Argument::new("collectionUUID", Kind::Uuid).unstable()];

/// `drop`.
pub const DROP: Definition = Definition::new("drop", run)
    .typed_collection()
    .arguments(ARGUMENTS)
    .stable()
    .needs(Privilege::Administrate)
    .write_concern()
    .help("drop a collection or a view");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(answer(context))
}

async fn answer(context: &mut Context<'_>) -> Result<RawDocumentBuf, Error> {
    let namespace = work::writable_namespace(context)?;
    let mut tries = Tries::begin(context.deadline.map(Into::into));
    let mut work = work::work(context).await?;
    let mut reply = RawDocumentBuf::new();
    // Another gateway may have dropped it, and made it anew, since this one looked: then it looks again.
    loop {
        let Some(collection) = work.collection(&namespace).await? else { return Ok(reply) };
        if work.handle().drop_collection(&collection).await? {
            if collection.kind() == CollectionKind::Collection {
                reply.append(cstr!("nIndexesWas"), position(collection.indexes().len()));
            }
            reply.append(cstr!("ns"), namespace.to_string());
            break;
        }
        tries.next(write_conflict()).await?;
    }
    drop(work);
    let name = namespace.to_string();
    drop(context.gateway.cursors.kill_where(|owner| owner.namespace == name && !owner.watches));
    Ok(reply)
}
