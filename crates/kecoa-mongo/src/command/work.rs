//! From a command to its operation: where statements go, cursors, namespaces.

use std::time::Instant;

use ::bson::raw::{CStr, cstr};
use ::bson::{DateTime, RawArrayBuf, RawBsonRef, RawDocument, RawDocumentBuf, Timestamp};

use crate::error::{Code, Error};
use crate::expression::{Scope, Variables};
use crate::operation::{self, Cursor, Retry};
use crate::session::CursorOwner;
use crate::session::concern::ReadLevel;
use crate::store::Namespace;

use super::context::Context;

/// What an operation knows of the command: the transaction begins here, if this is its first statement.
///
/// # Errors
///
/// Those of `let`; 251 for a transaction that is gone; 462 when there are too many.
pub(super) async fn work<'c>(
    context: &'c mut Context<'_>,
) -> Result<operation::Context<'c>, Error> {
    let store = context.gateway.store()?.clone();
    let time = context.gateway.time(context.definition.write_concern);
    let mut scope = Scope::new().with_interrupt(context.interrupt.clone());
    let mut variables =
        Variables::new(DateTime::now(), time).with_interrupt(context.interrupt.clone());
    if let Some(declared) = context.arguments.document("let") {
        variables = variables.with_let(declared, &mut scope)?;
    }
    let retry = match (context.retryable_write(), context.session) {
        (Some(number), Some(session)) => {
            let numbers = statement_numbers(context);
            Some(Retry::new(session.to_bytes().to_vec(), number, numbers))
        }
        _ => None,
    };
    let in_transaction = context.transaction();
    let deadline = context.deadline.filter(|_| !context.definition.waits);
    let mut work = operation::Context::new(store.clone(), scope, variables, time);
    work.deadline = deadline.map(Into::into);
    work.retry = retry;
    if let (Some(number), Some(state)) = (in_transaction, context.state.as_mut()) {
        if state.open.is_none() {
            if matches!(context.statement, crate::session::Statement::Proceed(_)) {
                return Err(Error::new(
                    Code::NO_SUCH_TRANSACTION,
                    format!(
                        "Given transaction number {number} does not match any in-progress transactions."
                    ),
                ));
            }
            state.open = Some(store.begin().await?);
        }
        if let Some(open) = state.open.as_mut() {
            work = work.within(open);
        }
    }
    Ok(work)
}

/// The numbers of the statements, where the client gave them.
fn statement_numbers(context: &Context<'_>) -> Option<Vec<i32>> {
    if let Some(numbers) = context.arguments.array("stmtIds") {
        return Some(
            numbers.into_iter().map_while(Result::ok).filter_map(RawBsonRef::as_i32).collect(),
        );
    }
    context.generic.value("stmtId").and_then(RawBsonRef::as_i32).map(|number| vec![number])
}

/// The collection that the command names by its first field.
///
/// # Errors
///
/// 73.
pub(super) fn namespace(context: &Context<'_>) -> Result<Namespace, Error> {
    match context.value {
        RawBsonRef::String(name) => Namespace::new(context.database, name),
        _ => Err(Error::new(
            Code::INVALID_NAMESPACE,
            format!("collection name has invalid type for {}", context.definition.name),
        )),
    }
}

/// The same for a command that writes.
///
/// # Errors
///
/// 73, and 263 for a write of the server's own databases in a transaction.
pub(super) fn writable_namespace(context: &Context<'_>) -> Result<Namespace, Error> {
    let namespace = namespace(context)?;
    check_writable(&namespace, context.transaction().is_some())?;
    Ok(namespace)
}

/// Check that clients may write to a collection.
///
/// # Errors
///
/// 73, and 263 for a write of the server's own databases in a transaction.
pub(super) fn check_writable(namespace: &Namespace, in_transaction: bool) -> Result<(), Error> {
    let name = namespace.collection();
    if name.starts_with("system.") && !matches!(name, "system.js" | "system.users" | "system.views")
    {
        return Err(Error::new(Code::INVALID_NAMESPACE, format!("cannot write to '{namespace}'")));
    }
    if in_transaction && matches!(namespace.database(), "admin" | "config" | "local") {
        return Err(Error::new(
            Code::OPERATION_NOT_SUPPORTED_IN_TRANSACTION,
            format!(
                "Cannot write to collection {namespace} in a transaction: its database is the server's own"
            ),
        ));
    }
    Ok(())
}

/// What one statement of several came to; those that follow may run even if it failed.
///
/// # Errors
///
/// Failures that end the command: an interruption, or one that ends the transaction and is to be answered by running
/// that again.
pub(super) fn of_statement<T>(
    outcome: Result<T, Error>,
    work: &operation::Context<'_>,
) -> Result<Result<T, Error>, Error> {
    match outcome {
        Err(error) if ends_command(&error, work.is_in_transaction()) => Err(error),
        outcome => Ok(outcome),
    }
}

fn ends_command(error: &Error, in_transaction: bool) -> bool {
    let number = error.code().number();
    let interrupted = error.code() == Code::MAX_TIME_MS_EXPIRED
        || error.code() == Code::INTERRUPTED
        || crate::session::labels::is_retryable(number)
        || error.code() == Code::INGRESS_REQUEST_RATE_LIMIT_EXCEEDED;
    let transient = matches!(number, 24 | 112 | 239 | 246 | 251 | 267);
    interrupted || (in_transaction && transient)
}

/// Keep a cursor; gives its id.
pub(super) fn keep(
    context: &Context<'_>,
    mut cursor: Cursor,
    namespace: &str,
    no_timeout: bool,
) -> i64 {
    cursor.is_timed = context.generic.integer("maxTimeMS").is_some_and(|limit| limit > 0);
    let owner = CursorOwner {
        namespace: namespace.to_owned(),
        user: context.connection.user(),
        session: context.session,
        transaction: context.transaction(),
        no_timeout,
        watches: cursor.is_change_stream(),
    };
    context.gateway.cursors.open(cursor, owner, Instant::now())
}

/// The reply of a command that opens a cursor.
pub(super) fn first_batch(batch: RawArrayBuf, id: i64, namespace: &str) -> RawDocumentBuf {
    cursor_reply(cstr!("firstBatch"), batch, id, namespace)
}

/// The same for a command that reads; with the time of a snapshot, where it reads one, and with what a change stream
/// goes on with.
pub(super) fn first_batch_read(
    context: &Context<'_>,
    batch: RawArrayBuf,
    id: i64,
    namespace: &str,
    token: Option<&RawDocument>,
) -> RawDocumentBuf {
    let mut cursor = cursor_document(cstr!("firstBatch"), batch, id, namespace);
    if let Some(token) = token {
        cursor.append(cstr!("postBatchResumeToken"), token);
    }
    if let Some(time) = snapshot_time(context) {
        cursor.append(cstr!("atClusterTime"), time);
    }
    let mut reply = RawDocumentBuf::new();
    reply.append(cstr!("cursor"), cursor);
    reply
}

/// The time of the snapshot that a command outside of transactions reads.
pub(super) fn snapshot_time(context: &Context<'_>) -> Option<Timestamp> {
    let is_snapshot = context.read_concern.level == Some(ReadLevel::Snapshot);
    (is_snapshot && context.transaction().is_none())
        .then(|| context.read_concern.at.unwrap_or_else(|| context.gateway.time(false)))
}

/// The reply of a command that reads on; `token`: what a change stream goes on with.
pub(super) fn next_batch(
    batch: RawArrayBuf,
    id: i64,
    namespace: &str,
    token: Option<&RawDocument>,
) -> RawDocumentBuf {
    let mut cursor = cursor_document(cstr!("nextBatch"), batch, id, namespace);
    if let Some(token) = token {
        cursor.append(cstr!("postBatchResumeToken"), token);
    }
    let mut reply = RawDocumentBuf::new();
    reply.append(cstr!("cursor"), cursor);
    reply
}

fn cursor_reply(name: &CStr, batch: RawArrayBuf, id: i64, namespace: &str) -> RawDocumentBuf {
    let mut reply = RawDocumentBuf::new();
    reply.append(cstr!("cursor"), cursor_document(name, batch, id, namespace));
    reply
}

fn cursor_document(name: &CStr, batch: RawArrayBuf, id: i64, namespace: &str) -> RawDocumentBuf {
    let mut cursor = RawDocumentBuf::new();
    cursor.append(name, batch);
    cursor.append(cstr!("id"), id);
    cursor.append(cstr!("ns"), namespace);
    cursor
}
