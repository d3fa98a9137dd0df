//! `dbStats`.

use ::bson::RawDocumentBuf;

use crate::error::Error;
use crate::operation::stats;

use super::arguments::Argument;
use super::context::{Context, Definition, Privilege, ReadConcerns, Running};
use super::work;

const ARGUMENTS: &[Argument] = &[
    Argument::bounded("scale", 1, i64::MAX).or_integer(1),
    Argument::lenient_boolean("freeStorage"),
];

/// `dbStats`.
pub const DB_STATS: Definition = Definition::new("dbStats", run)
    .aliases(&["dbstats"])
    .arguments(ARGUMENTS)
    .needs(Privilege::Read)
    .read_concern(ReadConcerns::Any)
    .help("the size of a database");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(answer(context))
}

async fn answer(context: &mut Context<'_>) -> Result<RawDocumentBuf, Error> {
    let scale = context.arguments.integer("scale").unwrap_or(1);
    let database = context.database;
    let mut work = work::work(context).await?;
    stats::of_database(&mut work, database, scale).await
}
