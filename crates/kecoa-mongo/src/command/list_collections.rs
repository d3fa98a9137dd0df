//! `listCollections`.

use ::bson::raw::cstr;
use ::bson::spec::BinarySubtype;
use ::bson::{Binary, RawDocumentBuf, rawdoc};

use crate::error::Error;
use crate::operation::Cursor;
use crate::query::Filter;
use crate::store::{Collection, CollectionKind};

use super::arguments::{Argument, Values, read_nested};
use super::context::{Context, Definition, Privilege, Running};
use super::work;

const ARGUMENTS: &[Argument] = &[
    Argument::document("filter"),
    Argument::boolean("nameOnly"),
    Argument::boolean("authorizedCollections"),
    Argument::document("cursor"),
    Argument::lenient_boolean("includePendingDrops").unstable(),
];

/// The fields of `cursor`.
pub(super) const CURSOR: &[Argument] = &[Argument::count("batchSize")];

/// `listCollections`.
pub const LIST_COLLECTIONS: Definition = Definition::new("listCollections", run)
    .arguments(ARGUMENTS)
    .stable()
    .needs(Privilege::Read)
    .help("the collections and views of a database");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(answer(context))
}

/// `cursor.batchSize`.
pub(super) fn batch_size(
    place: &'static str,
    arguments: &Values<'_>,
) -> Result<Option<usize>, Error> {
    let Some(cursor) = arguments.document("cursor") else { return Ok(None) };
    let cursor = read_nested(place, cursor, CURSOR)?;
    Ok(cursor.integer("batchSize").and_then(|size| usize::try_from(size).ok()))
}

async fn answer(context: &mut Context<'_>) -> Result<RawDocumentBuf, Error> {
    let arguments = context.arguments.clone();
    let batch_size = batch_size("listCollections.cursor", &arguments)?;
    let database = context.database;
    let name_only = arguments.boolean("nameOnly");
    let login = context.connection.login.as_ref();
    let access = login
        .filter(|_| context.gateway.options.authentication)
        .filter(|_| arguments.boolean("authorizedCollections"))
        .map(|login| login.access.clone());
    let is_shown = |collection: &str| {
        access.as_ref().is_none_or(|access| access.allows_anything_on(database, collection))
    };
    let mut work = work::work(context).await?;
    let filter = match arguments.document("filter") {
        Some(filter) => Some(Filter::parse(filter, &work.scope)?),
        None => None,
    };
    let mut documents = Vec::new();
    for collection in work.handle().collections(database).await? {
        if !is_shown(collection.namespace().collection()) {
            continue;
        }
        let document = describe(&collection, name_only);
        let wanted = match &filter {
            Some(filter) => filter.matches(&document, &work.variables)?,
            None => true,
        };
        if wanted {
            documents.push(document);
        }
    }
    let mut cursor = Cursor::of_documents(documents, work.variables.clone());
    let batch = cursor.first_batch(&mut work, batch_size).await?;
    drop(work);
    let name = format!("{database}.$cmd.listCollections");
    let id = if cursor.is_finished() { 0 } else { work::keep(context, cursor, &name, false) };
    Ok(work::first_batch(batch.into_documents(), id, &name))
}

fn describe(collection: &Collection, name_only: bool) -> RawDocumentBuf {
    let is_view = collection.kind() == CollectionKind::View;
    let kind = match is_view {
        true => "view",
        false if matches!(collection.options().get("timeseries"), Ok(Some(_))) => "timeseries",
        false => "collection",
    };
    let mut document = RawDocumentBuf::new();
    document.append(cstr!("name"), collection.namespace().collection());
    document.append(cstr!("type"), kind);
    if name_only {
        return document;
    }
    document.append(cstr!("options"), collection.options());
    let mut info = rawdoc! { "readOnly": is_view };
    if !is_view {
        let uuid =
            Binary { subtype: BinarySubtype::Uuid, bytes: collection.uuid().as_bytes().to_vec() };
        info.append(cstr!("uuid"), uuid);
    }
    document.append(cstr!("info"), info);
    if !is_view {
        document.append(cstr!("idIndex"), rawdoc! { "v": 2, "key": { "_id": 1 }, "name": "_id_" });
    }
    document
}
