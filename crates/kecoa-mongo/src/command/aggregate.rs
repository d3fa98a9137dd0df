//! `aggregate`.

use ::bson::spec::ElementType;
use ::bson::{DateTime, RawArray, RawArrayBuf, RawBsonRef, RawDocumentBuf, rawdoc};

use crate::error::{Code, Error};
use crate::operation::attempts::write_conflict;
use crate::operation::pipeline::{Aggregate, aggregate};
use crate::operation::views;
use crate::session::concern::ReadLevel;
use crate::session::id::hash_of_user;
use crate::store::Namespace;

use super::arguments::{Argument, Kind};
use super::context::{Context, Definition, Privilege, ReadConcerns, Running};
use super::current_op;
use super::list_collections::batch_size;
use super::work;

const ARGUMENTS: &[Argument] = &[
    Argument::new(
        "pipeline",
        Kind::Parsed { types: &[ElementType::Array], code: Code::TYPE_MISMATCH },
    )
    .required(),
    Argument::plain_document("cursor"),
    Argument::plain_boolean("allowDiskUse"),
    Argument::lenient_boolean("bypassDocumentValidation"),
    Argument::document("collation"),
    Argument::hint("hint"),
    Argument::document("let"),
    Argument::plain_boolean("explain").unstable(),
    Argument::plain_boolean("needsMerge").unstable(),
    Argument::plain_boolean("fromMongos").unstable(),
    Argument::any("fromRouter").unstable(),
    Argument::document("exchange").unstable(),
    Argument::document("runtimeConstants").unstable(),
    Argument::document("encryptionInformation").unstable(),
    Argument::new("collectionUUID", Kind::Uuid).unstable(),
    Argument::new("sampleId", Kind::Uuid).unstable(),
    Argument::plain_boolean("isMapReduceCommand").unstable(),
    Argument::document("querySettings").unstable(),
    Argument::plain_boolean("includeQueryStatsMetrics").unstable(),
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
        if context.generic.has("writeConcern") {
            return Err(Error::new(
                Code::FAILED_TO_PARSE,
                "Aggregation explain does not support the 'writeConcern' option",
            ));
        }
        return super::explained::explain_aggregate(context, &arguments, "queryPlanner").await;
    }
    if !arguments.has("cursor") && !arguments.has("explain") {
        return Err(Error::new(
            Code::FAILED_TO_PARSE,
            "The 'cursor' option is required, except for aggregate with the explain argument",
        ));
    }
    let batch_size = batch_size("aggregate.cursor", &arguments)?;
    let empty = RawArrayBuf::new();
    let has_collection = matches!(context.value, RawBsonRef::String(_));
    let gateway = of_gateway(context, arguments.array("pipeline").unwrap_or(&empty));
    let asked = Aggregate {
        pipeline: arguments.array("pipeline").unwrap_or(&empty),
        hint: arguments.value("hint"),
        collation: arguments.document("collation"),
        allow_disk_use: arguments.optional_boolean("allowDiskUse").unwrap_or(true),
        bypass_validation: arguments.boolean("bypassDocumentValidation"),
        database: context.database,
        has_collection,
        gateway: &gateway,
    };
    let namespace = match context.value {
        RawBsonRef::String(name) => Some(Namespace::new(context.database, name)?),
        _ => None,
    };
    let name = match &namespace {
        Some(namespace) => namespace.to_string(),
        None => format!("{}.$cmd.aggregate", context.database),
    };
    check_read_concern(context, arguments.array("pipeline").unwrap_or(&empty))?;
    let mut work = work::work(context).await?;
    let mut tries = work.tries();
    let mut cursor = loop {
        let resolved = match &namespace {
            Some(namespace) => Some(views::resolve(&mut work, namespace).await?),
            None => None,
        };
        if let Some(view) = resolved.as_ref().and_then(|resolved| resolved.view.as_ref()) {
            views::check_collation(view, asked.collation)?;
        }
        let mut cursor = aggregate(&mut work, resolved.as_ref(), &asked).await?;
        if batch_size == Some(0) || cursor.begin(&mut work).await? {
            break cursor;
        }
        tries.next(write_conflict()).await?;
    };
    let batch = cursor.first_batch(&mut work, batch_size).await?;
    drop(work);
    let token = cursor.resume_token().map(ToOwned::to_owned);
    let is_over = match cursor.is_change_stream() {
        true => cursor.has_ended(),
        false => cursor.is_finished(),
    };
    let id = if is_over { 0 } else { work::keep(context, cursor, &name, false) };
    Ok(work::first_batch_read(context, batch.into_documents(), id, &name, token.as_deref()))
}

/// Stages that write, and change streams, do not go with every read concern.
fn check_read_concern(context: &Context<'_>, stages: &RawArray) -> Result<(), Error> {
    let level = context.read_concern.level;
    if !matches!(level, None | Some(ReadLevel::Majority))
        && let Some(Ok(RawBsonRef::Document(stage))) = stages.into_iter().next()
        && let Some(Ok((name, _))) = stage.iter().next()
        && name.as_str() == "$changeStream"
    {
        return Err(Error::new(
            Code::INVALID_OPTIONS,
            "$changeStream cannot run with a readConcern other than 'majority'",
        ));
    }
    if context.read_concern.level != Some(ReadLevel::Linearizable) {
        return Ok(());
    }
    for stage in stages.into_iter().map_while(Result::ok).filter_map(RawBsonRef::as_document) {
        let name = stage.iter().next().and_then(Result::ok).map(|(name, _)| name.as_str());
        if let Some(name @ ("$out" | "$merge")) = name {
            return Err(Error::new(
                Code::INVALID_OPTIONS,
                format!(
                    "Aggregation stage {name} cannot run with readConcern level 'linearizable'"
                ),
            ));
        }
    }
    Ok(())
}

/// What a first stage gives that looks at the gateway itself.
fn of_gateway(context: &Context<'_>, stages: &RawArray) -> Vec<RawDocumentBuf> {
    let Some(Ok(RawBsonRef::Document(stage))) = stages.into_iter().next() else {
        return Vec::new();
    };
    let Some(Ok((name, options))) = stage.iter().next() else { return Vec::new() };
    match name.as_str() {
        "$currentOp" => {
            let everybody =
                options.as_document().and_then(|options| options.get_bool("allUsers").ok());
            current_op::all(context, everybody != Some(true))
        }
        "$listSessions" | "$listLocalSessions" => sessions(context, options),
        _ => Vec::new(),
    }
}

/// The sessions of who asks, or of all users.
fn sessions(context: &Context<'_>, options: RawBsonRef<'_>) -> Vec<RawDocumentBuf> {
    let all =
        options.as_document().is_some_and(|options| options.get_bool("allUsers").unwrap_or(false));
    let own = hash_of_user(context.connection.user().as_deref());
    let now = DateTime::now().timestamp_millis();
    let all_sessions = context.gateway.sessions.all();
    let wanted = all_sessions.iter().filter(|session| all || session.id.user == own);
    wanted
        .map(|session| {
            let idle = i64::try_from(session.used().elapsed().as_millis()).unwrap_or(0);
            rawdoc! {
                "_id": session.id.to_document(),
                "lastUse": DateTime::from_millis(now.saturating_sub(idle)),
            }
        })
        .collect()
}
