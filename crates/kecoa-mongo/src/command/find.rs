//! `find`.

use ::bson::{RawArrayBuf, RawBsonRef, RawDocumentBuf};

use crate::bson::number::whole;
use crate::error::{Code, Error};
use crate::operation::attempts::write_conflict;
use crate::operation::find::Find;
use crate::operation::{Context as Work, Cursor, Source, Tail, pipeline, views};
use crate::store::Collection;

use super::arguments::{Argument, Kind, Values};
use super::context::{Context, Definition, Privilege, ReadConcerns, Running};
use super::work;

const ARGUMENTS: &[Argument] = &[
    Argument::plain_document("filter"),
    Argument::plain_document("sort"),
    Argument::plain_document("projection"),
    Argument::hint("hint"),
    Argument::count("skip"),
    Argument::count("limit"),
    Argument::count("batchSize"),
    Argument::plain_boolean("singleBatch"),
    Argument::plain_boolean("allowDiskUse"),
    Argument::plain_document("max").unstable(),
    Argument::plain_document("min").unstable(),
    Argument::plain_boolean("returnKey").unstable(),
    Argument::plain_boolean("showRecordId").unstable(),
    Argument::plain_boolean("tailable").unstable(),
    Argument::plain_boolean("oplogReplay").unstable(),
    Argument::plain_boolean("noCursorTimeout").unstable(),
    Argument::plain_boolean("awaitData").unstable(),
    Argument::plain_boolean("allowPartialResults"),
    Argument::plain_document("collation"),
    Argument::document("let"),
    Argument::document("options").unstable(),
    Argument::document("runtimeConstants").unstable(),
    Argument::count("ntoreturn").unstable(),
    Argument::integer("term").unstable(),
    Argument::plain_boolean("readOnce").unstable(),
    Argument::plain_boolean("allowSpeculativeMajorityRead").unstable(),
    Argument::plain_boolean("includeQueryStatsMetrics").unstable(),
    Argument::document("querySettings").unstable(),
    Argument::new("collectionUUID", Kind::Uuid).unstable(),
];

/// `find`.
pub const FIND: Definition = Definition::new("find", run)
    .collection()
    .arguments(ARGUMENTS)
    .stable()
    .needs(Privilege::Read)
    .in_transaction()
    .read_concern(ReadConcerns::Snapshot)
    .help("the documents of a collection that a filter wants");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(answer(context))
}

/// What the arguments ask for.
///
/// # Errors
///
/// 2, 9 for arguments that do not go together.
pub(super) fn find_of<'a>(arguments: &Values<'a>) -> Result<Find<'a>, Error> {
    let number = |name| arguments.integer(name).unwrap_or(0).unsigned_abs();
    let find = Find {
        filter: arguments.document("filter"),
        sort: arguments.document("sort"),
        projection: arguments.document("projection"),
        skip: number("skip"),
        limit: number("limit"),
        hint: arguments.value("hint"),
        min: arguments.document("min"),
        max: arguments.document("max"),
        collation: arguments.document("collation"),
        return_key: arguments.boolean("returnKey"),
        show_record_id: arguments.boolean("showRecordId"),
        allow_disk_use: arguments.optional_boolean("allowDiskUse").unwrap_or(true),
        expected: None,
    };
    check(arguments)?;
    Ok(find)
}

fn check(arguments: &Values<'_>) -> Result<(), Error> {
    for name in ["sort", "hint"] {
        let given = arguments.document(name).and_then(|given| given.get("$natural").ok().flatten());
        if let Some(direction) = given
            && !matches!(whole(direction), Some(1 | -1))
        {
            return Err(Error::new(
                Code::BAD_VALUE,
                format!("$natural {name} cannot be set to a value other than -1 or 1."),
            ));
        }
    }
    if arguments.has("ntoreturn") && arguments.has("batchSize") {
        return Err(Error::new(
            Code::BAD_VALUE,
            "'limit' or 'batchSize' fields can not be set with 'ntoreturn' field.",
        ));
    }
    let tailable = arguments.boolean("tailable");
    if arguments.boolean("awaitData") && !tailable {
        let message = "Cannot set 'awaitData' without also setting 'tailable'";
        return Err(Error::new(Code::FAILED_TO_PARSE, message));
    }
    if tailable && arguments.boolean("singleBatch") {
        let message = "Cannot use tailable option with the 'singleBatch' option";
        return Err(Error::new(Code::BAD_VALUE, message));
    }
    if tailable
        && let Some(sort) = arguments.document("sort").filter(|sort| !sort.is_empty())
        && !(sort.iter_elements().count() == 1
            && sort.get("$natural").ok().flatten().and_then(whole) == Some(1))
    {
        let message = "cannot use tailable option with a sort other than {$natural: 1}";
        return Err(Error::new(Code::BAD_VALUE, message));
    }
    Ok(())
}

async fn answer(context: &mut Context<'_>) -> Result<RawDocumentBuf, Error> {
    let arguments = context.arguments.clone();
    let namespace = work::namespace(context)?;
    let name = namespace.to_string();
    let mut find = find_of(&arguments)?;
    let batch_size = arguments.integer("batchSize").and_then(|size| usize::try_from(size).ok());
    find.expected = Some(batch_size.unwrap_or(crate::operation::batch::DEFAULT_FIRST_BATCH) + 1);
    let tailable = arguments.boolean("tailable");
    let natural = ::bson::rawdoc! { "$natural": 1 };
    let mut work = work::work(context).await?;
    let mut tries = work.tries();
    let cursor = loop {
        let resolved = views::resolve(&mut work, &namespace).await?;
        let mut cursor = match (&resolved.view, &resolved.collection) {
            (Some(view), _) => {
                views::check_collation(view, find.collation)?;
                // In a place of its own: what other finds do not need makes none of them larger.
                Box::pin(pipeline::find_on_view(&mut work, &resolved, &find)).await?
            }
            (None, Some(collection)) => {
                if tailable {
                    // An index is not in the order in which documents come.
                    find.hint = Some(RawBsonRef::Document(&natural));
                }
                open(&work, collection, &find, &arguments)?
            }
            (None, None) => {
                find.check(&work)?;
                drop(work);
                return Ok(work::first_batch_read(context, RawArrayBuf::new(), 0, &name, None));
            }
        };
        // Who asks for no documents opens it before any is read.
        if batch_size == Some(0) || cursor.begin(&mut work).await? {
            break cursor;
        }
        tries.next(write_conflict()).await?;
    };
    drop(work);
    finish(context, cursor, &arguments, &name, batch_size).await
}

/// A cursor over the documents of a collection.
fn open(
    work: &Work<'_>,
    collection: &Collection,
    find: &Find<'_>,
    arguments: &Values<'_>,
) -> Result<Cursor, Error> {
    let mut query = find.open(work, collection)?;
    if !arguments.boolean("tailable") {
        return Ok(Cursor::new(Source::Query(Box::new(query)), work.variables.clone()));
    }
    if !matches!(collection.options().get("capped"), Ok(Some(RawBsonRef::Boolean(true)))) {
        let name = collection.namespace();
        return Err(Error::new(
            Code::BAD_VALUE,
            format!(
                "error processing query: ns={name} tailable cursor requested on non capped collection"
            ),
        ));
    }
    query = query.tailing();
    let mut cursor = Cursor::new(Source::Query(Box::new(query)), work.variables.clone());
    cursor.tail = Some(Tail { awaits: arguments.boolean("awaitData") });
    Ok(cursor)
}

/// The first batch, and the cursor kept if there is more.
async fn finish(
    context: &mut Context<'_>,
    mut cursor: Cursor,
    arguments: &Values<'_>,
    name: &str,
    batch_size: Option<usize>,
) -> Result<RawDocumentBuf, Error> {
    let mut work = work::work(context).await?;
    let batch = cursor.first_batch(&mut work, batch_size).await?;
    drop(work);
    // One that tails goes on, but where there is nothing to begin at.
    let tails = cursor.tail.is_some()
        && matches!(cursor.source(), Source::Query(query) if query.examined().documents > 0);
    let ends = arguments.boolean("singleBatch") || (!tails && cursor.is_finished());
    let id = match ends {
        true => 0,
        false => work::keep(context, cursor, name, arguments.boolean("noCursorTimeout")),
    };
    Ok(work::first_batch_read(context, batch.into_documents(), id, name, None))
}
