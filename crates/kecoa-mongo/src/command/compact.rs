//! `compact`: the database takes back what is free by itself.

use ::bson::{RawDocumentBuf, rawdoc};

use crate::error::Error;

use super::arguments::Argument;
use super::context::{Context, Definition, Privilege, Running};
use super::list_indexes::existing;
use super::work;

/// `compact`.
pub const COMPACT: Definition = Definition::new("compact", run)
    .collection()
    .arguments(&[
        Argument::lenient_boolean("force"),
        Argument::lenient_boolean("dryRun"),
        Argument::any("freeSpaceTargetMB"),
    ])
    .needs(Privilege::Administrate)
    .help("nothing: the database takes back what is free by itself");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(answer(context))
}

async fn answer(context: &mut Context<'_>) -> Result<RawDocumentBuf, Error> {
    let namespace = work::namespace(context)?;
    let mut work = work::work(context).await?;
    existing(&mut work, &namespace).await?;
    Ok(rawdoc! { "bytesFreed": 0 })
}
