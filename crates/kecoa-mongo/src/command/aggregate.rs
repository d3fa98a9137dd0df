//! `aggregate`.

use ::bson::{RawArrayBuf, RawBsonRef, RawDocumentBuf};

use crate::error::{Code, Error};
use crate::operation::pipeline::{Aggregate, aggregate};
use crate::operation::views;
use crate::store::Namespace;

use super::arguments::{Argument, Kind, read_nested};
use super::context::{Context, Definition, Privilege, ReadConcerns, Running};
use super::list_collections::CURSOR;
use super::work;

const ARGUMENTS: &[Argument] = &[
    Argument::array("pipeline").required(),
    Argument::document("cursor"),
    Argument::boolean("allowDiskUse"),
    Argument::lenient_boolean("bypassDocumentValidation"),
    Argument::document("collation"),
    Argument::hint("hint"),
    Argument::document("let"),
    Argument::lenient_boolean("explain"),
    Argument::any("needsMerge").unstable(),
    Argument::any("fromMongos").unstable(),
    Argument::any("fromRouter").unstable(),
    Argument::any("exchange").unstable(),
    Argument::any("runtimeConstants").unstable(),
    Argument::any("collectionUUID").unstable(),
    Argument::any("requestReshardingResumeToken").unstable(),
    Argument::any("isMapReduceCommand").unstable(),
    Argument::any("passthroughToShard").unstable(),
    Argument::any("querySettings").unstable(),
    Argument::any("includeQueryStatsMetrics").unstable(),
    Argument::any("allowPartialResults").unstable(),
    Argument::any("isClusterQueryWithoutShardKeyCmd").unstable(),
];

/// `aggregate`.
pub const AGGREGATE: Definition = Definition::new("aggregate", run)
    .value(Kind::CollectionOrOne)
    .arguments(ARGUMENTS)
    .stable()
    .needs(Privilege::Read)
    .in_transaction()
    .read_concern(ReadConcerns::Snapshot)
    .write_concern()
    .help("run documents through stages");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(answer(context))
}

async fn answer(context: &mut Context<'_>) -> Result<RawDocumentBuf, Error> {
    let arguments = context.arguments.clone();
    if arguments.boolean("explain") {
        return super::explained::explain_aggregate(context, &arguments, "queryPlanner").await;
    }
    let Some(cursor) = arguments.document("cursor") else {
        return Err(Error::new(
            Code::FAILED_TO_PARSE,
            "The 'cursor' option is required, except for aggregate with the explain argument",
        ));
    };
    let cursor_options = read_nested("aggregate.cursor", cursor, CURSOR)?;
    let batch_size =
        cursor_options.integer("batchSize").and_then(|size| usize::try_from(size).ok());
    let empty = RawArrayBuf::new();
    let has_collection = matches!(context.value, RawBsonRef::String(_));
    let asked = Aggregate {
        pipeline: arguments.array("pipeline").unwrap_or(&empty),
        hint: arguments.value("hint"),
        collation: arguments.document("collation"),
        allow_disk_use: arguments.optional_boolean("allowDiskUse").unwrap_or(true),
        database: context.database,
        has_collection,
    };
    let namespace = match context.value {
        RawBsonRef::String(name) => Some(Namespace::new(context.database, name)?),
        _ => None,
    };
    let name = match &namespace {
        Some(namespace) => namespace.to_string(),
        None => format!("{}.$cmd.aggregate", context.database),
    };
    let mut work = work::work(context).await?;
    let resolved = match &namespace {
        Some(namespace) => Some(views::resolve(&mut work, namespace).await?),
        None => None,
    };
    if let Some(view) = resolved.as_ref().and_then(|resolved| resolved.view.as_ref()) {
        views::check_collation(view, asked.collation)?;
    }
    let mut cursor = aggregate(&mut work, resolved.as_ref(), &asked).await?;
    let batch = cursor.first_batch(&mut work, batch_size).await?;
    drop(work);
    let id = if cursor.is_finished() { 0 } else { work::keep(context, cursor, &name, false) };
    Ok(work::first_batch(batch.into_documents(), id, &name))
}
