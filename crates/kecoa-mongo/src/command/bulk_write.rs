//! `bulkWrite`: writes of several kinds to several collections, in one command.

mod operations;
mod summary;

use std::collections::HashSet;

use ::bson::RawDocumentBuf;

use crate::error::{Code, Error};
use crate::operation::delete::delete;
use crate::operation::insert::{self, insert};
use crate::operation::update::update;
use crate::operation::{self, Cursor};
use crate::store::Namespace;

use super::arguments::{Argument, Kind, read_nested};
use super::context::{Context, Definition, Privilege, Running};
use super::insert::check_count;
use super::list_collections::CURSOR;
use super::{update as update_command, work};
use operations::Operation;
use summary::Summary;

const ARGUMENTS: &[Argument] = &[
    Argument::documents("ops").required(),
    Argument::documents("nsInfo").required(),
    Argument::boolean("ordered").or(true),
    Argument::boolean("errorsOnly"),
    Argument::lenient_boolean("bypassDocumentValidation"),
    Argument::document("let"),
    Argument::document("cursor"),
    Argument::array("stmtIds").unstable(),
];

const NAMESPACE: &[Argument] = &[
    Argument::string("ns").required(),
    Argument::new("collectionUUID", Kind::Uuid),
    Argument::document("encryptionInformation"),
    Argument::plain_boolean("isTimeseriesNamespace"),
];

/// `bulkWrite`.
pub const BULK_WRITE: Definition = Definition::new("bulkWrite", run)
    .arguments(ARGUMENTS)
    .stable()
    .needs(Privilege::Write)
    .admin()
    .in_transaction()
    .retryable()
    .write_concern()
    .help("insert, update and delete in several collections");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(answer(context))
}

async fn answer(context: &mut Context<'_>) -> Result<RawDocumentBuf, Error> {
    let arguments = context.arguments.clone();
    let cursor_options = match arguments.document("cursor") {
        Some(cursor) => Some(read_nested("bulkWrite.cursor", cursor, CURSOR)?),
        None => None,
    };
    let batch_size = cursor_options
        .and_then(|options| options.integer("batchSize"))
        .and_then(|size| usize::try_from(size).ok());
    check_count(arguments.documents("ops"))?;
    let (mut namespaces, mut seen) = (Vec::new(), HashSet::new());
    for info in arguments.documents("nsInfo").iter().flat_map(|list| list.iter()) {
        let values = read_nested("bulkWrite.nsInfo", info?, NAMESPACE)?;
        let namespace = full_name(values.string("ns").unwrap_or_default())?;
        if !seen.insert(namespace.clone()) {
            return Err(Error::new(
                Code::BAD_VALUE,
                format!("BulkWrite nsInfo contains duplicate namespace {namespace}"),
            ));
        }
        work::check_writable(&namespace, context.transaction().is_some())?;
        namespaces.push(namespace);
    }
    let bypass = arguments.boolean("bypassDocumentValidation");
    let mut parsed = Vec::new();
    for operation in arguments.documents("ops").iter().flat_map(|list| list.iter()) {
        let operation = Operation::parse(operation?, namespaces.len(), bypass)?;
        if operation.is_multi() && context.retryable_write().is_some() {
            return Err(update_command::not_retryable());
        }
        parsed.push(operation);
    }
    let mut work = work::work(context).await?;
    let mut summary = Summary::new(arguments.boolean("errorsOnly"));
    let ordered = arguments.boolean("ordered");
    write(&mut work, &namespaces, &parsed, ordered, bypass, &mut summary).await?;
    let failed = summary.errors() > 0;
    let mut reply = RawDocumentBuf::new();
    let documents = summary.append_to(&mut reply);
    let mut cursor = Cursor::of_documents(documents, work.variables.clone());
    let batch = cursor.first_batch(&mut work, batch_size).await?;
    drop(work);
    context.aborts = failed;
    let name = "admin.$cmd.bulkWrite";
    let id = if cursor.is_finished() { 0 } else { work::keep(context, cursor, name, false) };
    let mut whole = work::first_batch(batch.into_documents(), id, name);
    for (name, value) in reply.iter().map_while(Result::ok) {
        whole.append(name, value);
    }
    Ok(whole)
}

fn full_name(name: &str) -> Result<Namespace, Error> {
    let Some((database, collection)) = name.split_once('.') else {
        return Err(Error::new(
            Code::INVALID_NAMESPACE,
            format!("Invalid namespace specified for bulkWrite: '{name}'"),
        ));
    };
    super::namespace::check_database(database)?;
    super::namespace::check_collection(database, collection)?;
    Namespace::new(database, collection)
}

async fn write(
    work: &mut operation::Context<'_>,
    namespaces: &[Namespace],
    operations: &[Operation<'_>],
    ordered: bool,
    bypass_validation: bool,
    summary: &mut Summary,
) -> Result<(), Error> {
    let mut index = 0;
    while let Some(operation) = operations.get(index) {
        let Some(namespace) = namespaces.get(operation.namespace()) else { return Ok(()) };
        let next = match operation {
            Operation::Insert { namespace: number, .. } => {
                // Those that follow go in together.
                let documents: Vec<_> = operations
                    .iter()
                    .skip(index)
                    .map_while(|next| match next {
                        Operation::Insert { namespace, document } if namespace == number => {
                            Some(*document)
                        }
                        _ => None,
                    })
                    .collect();
                let count = documents.len();
                let options = insert::Options {
                    ordered,
                    bypass_validation,
                    first_statement: index,
                    are_storable: false,
                };
                let outcome = insert(work, namespace, documents.into_iter(), options).await;
                match work::of_statement(outcome, work)? {
                    Ok(result) => summary.inserted(index, count, result, ordered),
                    Err(error) => {
                        for place in index..index + if ordered { 1 } else { count } {
                            summary.failed(place, &error, false);
                        }
                    }
                }
                index + count
            }
            Operation::Update { statement, .. } => {
                let outcome = update(work, namespace, statement, index).await;
                match work::of_statement(outcome, work)? {
                    Ok(done) => summary.updated(index, done, work.retry.as_ref()),
                    Err(error) => summary.failed(index, &error, true),
                }
                index + 1
            }
            Operation::Delete { statement, .. } => {
                let outcome = delete(work, namespace, statement, index).await;
                match work::of_statement(outcome, work)? {
                    Ok(done) => summary.deleted(index, done, work.retry.as_ref()),
                    Err(error) => summary.failed(index, &error, false),
                }
                index + 1
            }
        };
        if ordered && summary.errors() > 0 {
            return Ok(());
        }
        index = next;
    }
    Ok(())
}
