//! `createIndexes`.

use ::bson::RawDocumentBuf;
use ::bson::raw::cstr;
use ::bson::spec::ElementType;

use crate::error::{Code, Error};
use crate::index::Index;
use crate::operation::write_result::position;

use super::arguments::{Argument, Kind};
use super::context::{Context, Definition, Privilege, Running};
use super::work;

const ARGUMENTS: &[Argument] = &[
    Argument::documents("indexes").required(),
    Argument::lenient_boolean("ignoreUnknownIndexOptions").unstable(),
    Argument::one_of(
        "commitQuorum",
        &[ElementType::String, ElementType::Int32, ElementType::Int64, ElementType::Double],
    )
    .unstable(),
    Argument::integer("v"),
    Argument::plain_boolean("returnOnStart").unstable(),
    Argument::new("collectionUUID", Kind::Uuid).unstable(),
];

/// `createIndexes`.
pub const CREATE_INDEXES: Definition = Definition::new("createIndexes", run)
    .typed_collection()
    .arguments(ARGUMENTS)
    .stable()
    .needs(Privilege::Administrate)
    .in_transaction()
    .write_concern()
    .help("make indexes");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(answer(context))
}

async fn answer(context: &mut Context<'_>) -> Result<RawDocumentBuf, Error> {
    let arguments = context.arguments.clone();
    let namespace = work::writable_namespace(context)?;
    let mut work = work::work(context).await?;
    let collection = work.writable(&namespace).await?;
    let collator = collection.as_ref().map(|collection| collection.collator().clone());
    let collator = collator.unwrap_or_default();
    let mut indexes = Vec::new();
    let tolerant = arguments.boolean("ignoreUnknownIndexOptions");
    for specification in arguments.documents("indexes").iter().flat_map(|list| list.iter()) {
        let specification = specification?;
        indexes.push(match tolerant {
            true => Index::parse(&Index::known_options(specification), &collator)?,
            false => Index::parse(specification, &collator)?,
        });
    }
    if indexes.iter().any(Index::prepares_unique) {
        return Err(Error::new(
            Code::NOT_IMPLEMENTED,
            "prepareUnique is not supported: make the index with unique: true",
        ));
    }
    let is_capped = collection
        .as_ref()
        .is_some_and(|collection| collection.options().get_bool("capped").unwrap_or(false));
    if is_capped && indexes.iter().any(|index| index.expire_after_seconds().is_some()) {
        return Err(Error::new(
            Code::CANNOT_CREATE_INDEX,
            "Cannot create TTL index on a capped collection",
        ));
    }
    if indexes.is_empty() {
        return Err(Error::new(Code::BAD_VALUE, "Must specify at least one index to create"));
    }
    if collection.is_none() {
        work.writable_or_new(&namespace).await?;
    }
    let created = work.handle().create_indexes(&namespace, indexes).await?;
    let mut reply = RawDocumentBuf::new();
    reply.append(cstr!("numIndexesBefore"), position(created.before));
    reply.append(cstr!("numIndexesAfter"), position(created.after));
    reply.append(cstr!("createdCollectionAutomatically"), collection.is_none());
    if created.before == created.after {
        reply.append(cstr!("note"), "all indexes already exist");
    } else if !work.is_in_transaction() {
        reply.append(cstr!("commitQuorum"), "votingMembers");
    }
    Ok(reply)
}
