//! `commitTransaction` and `abortTransaction`.

use ::bson::RawDocumentBuf;

use crate::error::{Code, Error};
use crate::session::numbers::{Commit, no_such_transaction};
use crate::store::{Committed, Record, RecordId};

use super::context::{Context, Definition, Running};

/// `commitTransaction`.
pub const COMMIT_TRANSACTION: Definition = Definition::new("commitTransaction", commit)
    .admin()
    .stable()
    .ends()
    .write_concern()
    .help("makes the writes of a transaction last");

/// `abortTransaction`.
pub const ABORT_TRANSACTION: Definition = Definition::new("abortTransaction", abort)
    .admin()
    .stable()
    .ends()
    .write_concern()
    .help("undoes the writes of a transaction");

fn commit<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        let number = number(context)?;
        let id = commit_record(context, number)?;
        let store = context.gateway.store();
        let deadline = context.deadline.map(Into::into);
        let state = context.state.as_mut().ok_or_else(no_state)?;
        match state.numbers.commit(number)? {
            Commit::Again => {}
            Commit::Open => {
                if let Some(open) = state.open.take() {
                    let record = Record { id, reply: RawDocumentBuf::new().into_bytes() };
                    if let Err(error) = open.commit(record, deadline).await {
                        state.abort();
                        // Nobody knows what became of it: the next commit asks the database.
                        if error.code() == Code::SHUTDOWN_IN_PROGRESS {
                            state.numbers.lost();
                        }
                        return Err(error);
                    }
                }
                state.commit(number);
                let session = context.session;
                drop(context.gateway.cursors.kill_where(|owner| {
                    owner.session == session && owner.transaction == Some(number)
                }));
            }
            Commit::Unknown => match store?.settle_commit(&id, deadline).await? {
                Committed::Yes(_) => state.commit(number),
                Committed::No => {
                    state.numbers.aborted(number);
                    return Err(no_such_transaction(format!(
                        "Transaction {number} is not in progress."
                    )));
                }
            },
        }
        Ok(RawDocumentBuf::new())
    })
}

fn abort<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        let number = number(context)?;
        let state = context.state.as_mut().ok_or_else(no_state)?;
        state.numbers.abort(number)?;
        let open = state.abort();
        context.gateway.close_transaction(context.session, number, open).await;
        Ok(RawDocumentBuf::new())
    })
}

fn number(context: &Context<'_>) -> Result<i64, Error> {
    context.transaction().ok_or_else(no_state)
}

fn commit_record(context: &Context<'_>, number: i64) -> Result<RecordId, Error> {
    let session = context.session.ok_or_else(no_state)?;
    Ok(RecordId {
        session: session.to_bytes().to_vec(),
        transaction: number,
        statement: RecordId::COMMIT,
    })
}

fn no_state() -> Error {
    no_such_transaction("No transaction is in progress on this session.")
}
