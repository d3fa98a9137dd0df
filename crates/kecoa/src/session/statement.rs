//! Runs whole requests on a [`Session`] and gathers what they answer.

use std::sync::Arc;

use kecoa_proto::{Reply, Request, RequestId, RowDescription, ServerError, TransactionStatus};

use crate::error::{Error, ErrorKind};
use crate::interrupt::Interrupt;
use crate::row::ResultSet;
use crate::session::core::Session;
use crate::session::outcome::Outcome;

/// One request, driven to its end: every result, or the first server error.
pub(crate) fn run(
    session: &mut Session,
    request: &Request<'_>,
    hook: &mut dyn Interrupt,
) -> Result<Vec<ResultSet>, Error> {
    drive(session, request, hook)?.into_result()
}

/// One request, driven to its end, with all that is known of how it went.
pub(crate) fn drive(
    session: &mut Session,
    request: &Request<'_>,
    hook: &mut dyn Interrupt,
) -> Result<Outcome, Error> {
    let id = session.submit(request)?;
    outcome(session, id, hook)
}

/// A submitted request, driven to its end, with all that is known of how it went.
pub(crate) fn outcome(
    session: &mut Session,
    id: RequestId,
    hook: &mut dyn Interrupt,
) -> Result<Outcome, Error> {
    outcome_of(session, id, None, hook)
}

/// The same of a request whose rows are not described again: `columns` are known.
pub(crate) fn outcome_of(
    session: &mut Session,
    id: RequestId,
    columns: Option<&Arc<RowDescription>>,
    hook: &mut dyn Interrupt,
) -> Result<Outcome, Error> {
    let mut outcome = session.begin_outcome(id, columns);
    match gather(session, id, hook, &mut outcome) {
        Ok(()) => Ok(outcome),
        // A server says COMMIT when it has: a connection that ends on the last few bytes behind it
        // leaves nothing open, and shows at the next use.
        Err(error)
            if outcome.error.is_none()
                && session.has_ended(id)
                && !matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::ResultTooLarge) =>
        {
            Ok(outcome)
        }
        Err(error) => Err(error),
    }
}

/// Drives a submitted request to its end.
pub(crate) fn finish_request(
    session: &mut Session,
    id: RequestId,
    hook: &mut dyn Interrupt,
) -> Result<Vec<ResultSet>, Error> {
    outcome(session, id, hook)?.into_result()
}

/// What became of a request of several statements.
#[derive(Debug)]
#[non_exhaustive]
pub struct PipelineOutcome {
    /// The results of the statements that ran to their end.
    pub results: Vec<ResultSet>,
    /// How many portals were bound: a statement whose portal was not bound did not run.
    pub bound: usize,
    /// The first server error; the server skipped what follows.
    pub error: Option<Error>,
}

/// A submitted request of several statements, driven to its end.
pub(crate) fn finish_pipeline(
    session: &mut Session,
    id: RequestId,
    hook: &mut dyn Interrupt,
) -> Result<PipelineOutcome, Error> {
    let outcome = outcome(session, id, hook)?;
    let risk = outcome.risk;
    let error = outcome.error.map(|error| risk.answered(Error::from_server(error)));
    Ok(PipelineOutcome { results: outcome.sets, bound: outcome.bound, error })
}

/// Like [`run`] in a transaction that is yet to begin: `BEGIN` travels with the statement.
pub(crate) fn run_in_transaction(
    session: &mut Session,
    begin: &[u8],
    sql: &[u8],
    hook: &mut dyn Interrupt,
) -> Result<Vec<ResultSet>, Error> {
    if session.transaction_status() != TransactionStatus::Idle {
        return run(session, &Request::Query(sql), hook);
    }
    let batch = [begin, b";", sql].concat();
    let notices = session.notice_count();
    let mut outcome = drive(session, &Request::Query(&batch), hook)?;
    if let Some(error) = outcome.error.take() {
        if outcome.complete_before_error > 0 {
            outcome.error = Some(move_position(error, begin));
        } else if is_final_before_begin(session, &error) {
            return Err(Error::from_server(error));
        } else {
            // Nothing of the statement ran: it did not parse, or BEGIN was refused. Sent one by
            // one, both show the error that the server has for them, at its true position.
            session.truncate_notices(notices);
            run(session, &Request::Query(begin), hook)?;
            return run(session, &Request::Query(sql), hook);
        }
    }
    if !outcome.sets.is_empty() {
        outcome.sets.remove(0);
    }
    if outcome.sets.is_empty() && outcome.error.is_none() && outcome.misuse.is_none() {
        // A batch has no EmptyQueryResponse for the empty statement behind BEGIN.
        outcome.sets.push(ResultSet { empty: true, ..ResultSet::default() });
    }
    outcome.into_result()
}

/// Whether an error that came before BEGIN's tag is the last word: the session ended, or BEGIN
/// itself was cancelled (then the statement must not be sent behind the canceller's back).
fn is_final_before_begin(session: &Session, error: &ServerError) -> bool {
    session.is_closed() || error.is_fatal() || error.sqlstate().as_str() == "57014"
}

/// Takes the length of the prefix `begin;` off an error's position, which counts characters.
fn move_position(error: Box<ServerError>, begin: &[u8]) -> Box<ServerError> {
    let Some(position) = error.position() else { return error };
    let characters = begin.iter().filter(|byte| (**byte & 0xc0) != 0x80).count();
    let prefix = u32::try_from(characters).unwrap_or(u32::MAX).saturating_add(1);
    let moved = position.checked_sub(prefix).filter(|position| *position > 0);
    Box::new(error.with_position(moved))
}

fn gather(
    session: &mut Session,
    id: RequestId,
    hook: &mut dyn Interrupt,
    outcome: &mut Outcome,
) -> Result<(), Error> {
    loop {
        if outcome.has_rows() && session.has_to_wait(id) {
            hook.awaiting(&mut outcome.set);
        }
        match session.reply(id, hook)? {
            Reply::CopyIn(_) => {
                outcome.misuse =
                    Some("COPY FROM STDIN waits for data that this call has none of: use copy_in");
                session.refuse_copy()?;
            }
            Reply::CopyOut(_) => {
                outcome.misuse =
                    Some("COPY TO STDOUT sends data that this call has no place for: use copy_out");
            }
            Reply::CopyBoth(_) if session.open_stream(id) => {
                outcome.sets.push(ResultSet { copy_both: true, ..ResultSet::default() });
                break;
            }
            Reply::CopyBoth(_) => return Err(endless(session)),
            Reply::Ready(_) => break,
            reply => outcome.take(reply),
        }
    }
    outcome.end();
    outcome.encoded(&session.encoding_of(id));
    match session.take_excess(id) {
        Some(error) => Err(error),
        None => finish(session, &mut outcome.error),
    }
}

/// Takes what has come of a request that is driven without waiting, and has the hook work on the rows
/// of the result that is not over. [`outcome`] goes on from there.
pub(crate) fn work_ahead(
    session: &mut Session,
    id: RequestId,
    columns: Option<&Arc<RowDescription>>,
    hook: &mut dyn Interrupt,
) {
    let mut outcome = session.begin_outcome(id, columns);
    while let Some(reply) = session.next_plain_reply(id) {
        outcome.take(reply);
    }
    if outcome.has_rows() && session.is_wanted(id) {
        hook.awaiting(&mut outcome.set);
    }
    session.keep_outcome(id, outcome);
}

/// A statement that began a replication stream where none was asked for.
pub(crate) fn endless(session: &mut Session) -> Error {
    session.close();
    Error::usage_after_the_fact(
        "expected a statement with an end, found replication on a connection that was not made for \
         it (set replication=database), so the connection was closed",
    )
    .and_lost()
}

/// A request that was interrupted is over, too: says so, with what the server made of it.
pub(crate) fn finish(
    session: &mut Session,
    error: &mut Option<Box<ServerError>>,
) -> Result<(), Error> {
    if !session.take_cancelled() {
        return Ok(());
    }
    Err(match error.take() {
        Some(error) => Error::interrupted("interrupted").with_server(error),
        None => Error::interrupted("interrupted, but the request had already succeeded"),
    })
}
