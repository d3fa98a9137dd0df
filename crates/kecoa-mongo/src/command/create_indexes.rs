//! `createIndexes`.

use ::bson::RawDocumentBuf;
use ::bson::raw::cstr;
use ::bson::spec::ElementType;

use crate::error::{Code, Error};
use crate::index::Index;
use crate::operation::write_result::position;

use super::arguments::Argument;
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
    Argument::any("v").unstable(),
    Argument::any("returnOnStart").unstable(),
];

/// `createIndexes`.
pub const CREATE_INDEXES: Definition = Definition::new("createIndexes", run)
    .collection()
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
    for specification in arguments.documents("indexes").iter().flat_map(|list| list.iter()) {
        indexes.push(Index::parse(specification?, &collator)?);
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
