//! `collStats`.

use ::bson::RawDocumentBuf;
use ::bson::raw::cstr;

use crate::error::{Code, Error};
use crate::operation::stats;
use crate::store::CollectionKind;

use super::arguments::Argument;
use super::context::{Context, Definition, Privilege, ReadConcerns, Running};
use super::work;

const ARGUMENTS: &[Argument] = &[
    Argument::bounded("scale", 1, i64::MAX).or_integer(1),
    Argument::any("verbose"),
    Argument::boolean("waitForLock"),
    Argument::boolean("numericOnly"),
];

/// `collStats`.
pub const COLL_STATS: Definition = Definition::new("collStats", run)
    .aliases(&["collstats"])
    .collection()
    .arguments(ARGUMENTS)
    .needs(Privilege::Read)
    .read_concern(ReadConcerns::Any)
    .help("the size of a collection");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(answer(context))
}

async fn answer(context: &mut Context<'_>) -> Result<RawDocumentBuf, Error> {
    let scale = context.arguments.integer("scale").unwrap_or(1);
    let namespace = work::namespace(context)?;
    let mut work = work::work(context).await?;
    let mut reply = RawDocumentBuf::new();
    reply.append(cstr!("ns"), namespace.to_string());
    match work.collection(&namespace).await? {
        Some(view) if view.kind() == CollectionKind::View => {
            return Err(Error::new(
                Code::COMMAND_NOT_SUPPORTED_ON_VIEW,
                format!("Namespace {namespace} is a view, not a collection"),
            ));
        }
        Some(collection) => {
            for (name, value) in stats::of_collection(&mut work, &collection, scale)
                .await?
                .iter()
                .map_while(Result::ok)
            {
                reply.append(name, value);
            }
        }
        None => {
            for name in [
                cstr!("size"),
                cstr!("count"),
                cstr!("numOrphanDocs"),
                cstr!("storageSize"),
                cstr!("totalSize"),
                cstr!("nindexes"),
                cstr!("totalIndexSize"),
            ] {
                reply.append(name, 0);
            }
            reply.append(cstr!("indexDetails"), RawDocumentBuf::new());
            reply.append(cstr!("indexSizes"), RawDocumentBuf::new());
            reply.append(cstr!("scaleFactor"), crate::operation::write_result::number(scale));
        }
    }
    Ok(reply)
}
