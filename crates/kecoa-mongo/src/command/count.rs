//! `count`.

use ::bson::RawDocumentBuf;
use ::bson::raw::cstr;

use crate::error::Error;
use crate::operation::attempts::write_conflict;
use crate::operation::find::Find;
use crate::operation::write_result::number;
use crate::operation::{count, pipeline, views};

use super::arguments::{Argument, Kind};
use super::context::{Context, Definition, Privilege, ReadConcerns, Running};
use super::work;

const ARGUMENTS: &[Argument] = &[
    Argument::document("query"),
    Argument::new("limit", Kind::Whole),
    Argument::count("skip"),
    Argument::hint("hint"),
    Argument::document("collation"),
    Argument::any("fields"),
    Argument::document("encryptionInformation").unstable(),
    Argument::new("collectionUUID", Kind::Uuid).unstable(),
];

/// `count`.
pub const COUNT: Definition = Definition::new("count", run)
    .collection()
    .arguments(ARGUMENTS)
    .stable()
    .needs(Privilege::Read)
    .read_concern(ReadConcerns::Any)
    .help("how many documents a filter wants");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(answer(context))
}

async fn answer(context: &mut Context<'_>) -> Result<RawDocumentBuf, Error> {
    let arguments = context.arguments.clone();
    let namespace = work::namespace(context)?;
    let find = Find {
        filter: arguments.document("query"),
        skip: arguments.integer("skip").unwrap_or(0).unsigned_abs(),
        limit: arguments.integer("limit").unwrap_or(0).unsigned_abs(),
        hint: arguments.value("hint"),
        collation: arguments.document("collation"),
        ..Find::default()
    };
    let mut work = work::work(context).await?;
    let mut tries = work.tries();
    let counted = loop {
        let resolved = views::resolve(&mut work, &namespace).await?;
        let counted = match (&resolved.view, &resolved.collection) {
            (Some(view), _) => {
                views::check_collation(view, find.collation)?;
                pipeline::count_on_view(&mut work, &resolved, &find).await?
            }
            (None, Some(collection)) => count::count(&mut work, collection, &find).await?,
            (None, None) => {
                find.check(&work)?;
                Some(0)
            }
        };
        match counted {
            Some(counted) => break counted,
            None => tries.next(write_conflict()).await?,
        }
    };
    let mut reply = RawDocumentBuf::new();
    reply.append(cstr!("n"), number(i64::try_from(counted).unwrap_or(i64::MAX)));
    Ok(reply)
}
