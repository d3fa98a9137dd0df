//! `listIndexes`.

use ::bson::RawDocumentBuf;
use ::bson::raw::cstr;

use crate::error::{Code, Error};
use crate::operation::Cursor;
use crate::store::{Collection, CollectionKind, Namespace};

use super::arguments::Argument;
use super::context::{Context, Definition, Privilege, Running};
use super::list_collections::batch_size;
use super::work;

const ARGUMENTS: &[Argument] = &[
    Argument::document("cursor"),
    Argument::plain_boolean("includeBuildUUIDs").unstable(),
    Argument::plain_boolean("includeIndexBuildInfo").unstable(),
    Argument::boolean("isTimeseriesNamespace").unstable(),
];

/// `listIndexes`.
pub const LIST_INDEXES: Definition = Definition::new("listIndexes", run)
    .collection()
    .arguments(ARGUMENTS)
    .stable()
    .needs(Privilege::Read)
    .help("the indexes of a collection");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(answer(context))
}

async fn answer(context: &mut Context<'_>) -> Result<RawDocumentBuf, Error> {
    let arguments = context.arguments.clone();
    let batch_size = batch_size("listIndexes.cursor", &arguments)?;
    let namespace = work::namespace(context)?;
    let mut work = work::work(context).await?;
    let collection = existing(&mut work, &namespace).await?;
    let clustered = collection.options().get_document("clusteredIndex").ok();
    let documents = collection
        .indexes()
        .iter()
        .map(|index| match clustered {
            Some(clustered) if index.is_id() => {
                let mut shown = clustered.to_owned();
                shown.append(cstr!("clustered"), true);
                shown
            }
            _ => index.to_document(),
        })
        .collect();
    let mut cursor = Cursor::of_documents(documents, work.variables.clone());
    let batch = cursor.first_batch(&mut work, batch_size).await?;
    drop(work);
    let name = namespace.to_string();
    let id = if cursor.is_finished() { 0 } else { work::keep(context, cursor, &name, false) };
    Ok(work::first_batch(batch.into_documents(), id, &name))
}

/// The collection, which must be there and be no view.
///
/// # Errors
///
/// 26, 166.
pub(super) async fn existing(
    work: &mut crate::operation::Context<'_>,
    namespace: &Namespace,
) -> Result<Collection, Error> {
    match work.collection(namespace).await? {
        None => {
            Err(Error::new(Code::NAMESPACE_NOT_FOUND, format!("ns does not exist: {namespace}")))
        }
        Some(view) if view.kind() == CollectionKind::View => Err(Error::new(
            Code::COMMAND_NOT_SUPPORTED_ON_VIEW,
            format!("Namespace {namespace} is a view, not a collection"),
        )),
        Some(collection) => Ok(collection),
    }
}
