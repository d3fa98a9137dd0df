//! From a request to its reply: what all commands go through.

use std::time::{Duration, Instant};

use ::bson::{RawBsonRef, RawDocumentBuf};
use bson::raw::cstr;

use crate::error::{Code, Error};
use crate::interrupt::Reason;
use crate::session::labels::{Situation, is_retryable, label};
use crate::session::{Held, Statement};
use crate::wire::{Reply, Request};

use super::arguments::{Kind, Values};
use super::authentication::prepare;
use super::checked::{Checked, check};
use super::connection::{Connection, application_name};
use super::context::{Again, Context, Definition};
use super::fail_points::{self, FAIL_GET_MORE, Injected, Subject, TRANSACTIONAL_WRITE, Tripped};
use super::gateway::{Gateway, OpenTransaction};
use super::reply::{append_labels, append_write_concern_error, failure, success};
use super::table;

/// What became of a request.
#[derive(Debug)]
pub struct Outcome {
    /// What goes back; `None` when nothing does.
    pub reply: Option<Reply>,
    /// What happens to the connection.
    pub next: Next,
}

/// What happens to a connection after a reply.
#[derive(Debug)]
pub enum Next {
    /// The client sends the next request.
    Await,
    /// It is closed.
    Close,
    /// The reply says that another follows: the answer to this request.
    Again(Request),
}

impl Gateway {
    /// Answers a request. A client that goes away may be left alone at any time: dropping the future ends the
    /// command, and with it the transaction that it belongs to.
    pub async fn handle(&self, connection: &mut Connection, request: Request) -> Outcome {
        let (answer, again) = answer(self, connection, &request).await;
        let document = match answer {
            Answer::Reply(document) => document,
            Answer::Close => return Outcome { reply: None, next: Next::Close },
        };
        let next = match again.filter(|_| request.is_exhaust_allowed()) {
            None => Next::Await,
            Some(Again::Same) => Next::Again(request.clone()),
            Some(Again::Body(body)) => {
                Next::Again(Request::new(body).with_envelope(*request.envelope()))
            }
        };
        let reply = request.is_reply_expected().then(|| Reply::new(document));
        Outcome { reply, next }
    }
}

enum Answer {
    Reply(RawDocumentBuf),
    Close,
}

async fn answer(
    gateway: &Gateway,
    connection: &mut Connection,
    request: &Request,
) -> (Answer, Option<Again>) {
    let prepared = prepare(gateway, connection, request).await;
    let checked = match prepared.and_then(|()| check(gateway, connection, request)) {
        Ok(checked) => checked,
        Err(error) => return (Answer::Reply(failure(&error, gateway.time(false))), None),
    };
    let definition = checked.definition;
    let situation = situation(gateway, &checked);
    let concern = checked.write_concern.clone();
    // As a mongos does: clients send it along with commit, which needs it no more.
    let is_statement = situation == Situation::Statement;
    let injected = inject(gateway, connection, &checked);
    if let Some(block) = injected.block {
        tokio::time::sleep(block).await;
    }
    if injected.close {
        return (Answer::Close, None);
    }
    let with_labels = |error| match &injected.labels {
        Some(labels) => labels.iter().fold(error, |error: Error, one| error.with_label(*one)),
        // The command has not come to its cursor.
        None if situation == Situation::ChangeStream => label(error, Situation::Plain),
        None => label(error, situation),
    };
    let writes = fail_points::writes(checked.statement, &checked.arguments);
    let tripped = trip(gateway, &checked, writes);
    if let Some(Tripped { close: true, error: Some(_) }) = tripped {
        return (Answer::Close, None);
    }
    let met = tripped.and_then(|tripped| tripped.error).map(|error| match injected.labels {
        Some(_) => with_labels(error),
        None => label(error, situation),
    });
    if let Some(error) = injected.error.clone().map(with_labels).or(met) {
        return (Answer::Reply(failure(&error, gateway.time(false))), None);
    }
    let ended = run(gateway, connection, request, checked).await;
    if ended.closes || closes_after(gateway, writes, &ended.result) {
        return (Answer::Close, None);
    }
    let time = gateway.time(definition.write_concern);
    let may_pass =
        ended.result.as_ref().err().is_some_and(|error| is_retryable(error.code().number()));
    let document = match ended.result {
        Ok(mut fields) => {
            if is_statement && gateway.options.replica_set.is_none() {
                fields.append(cstr!("recoveryToken"), RawDocumentBuf::new());
            }
            if let Some(error) = injected.write_concern_error {
                let code = error.get_i32("code").unwrap_or_default();
                fields.append(cstr!("writeConcernError"), error);
                // The write of a statement waits for its commit.
                if !is_statement || injected.labels.is_some() {
                    let labelled = with_labels(Error::new(Code::location(code), ""));
                    append_labels(&mut fields, &labelled);
                }
            } else if let Some(concern) = &concern
                && let Some(error) = concern.failure()
            {
                append_write_concern_error(&mut fields, &label(error, situation), concern);
            }
            success(fields, time)
        }
        Err(error) => {
            // What failed waits for its write concern, too. A transaction that is not there might have been
            // committed then: that cannot begin again.
            let missed = concern.as_ref().and_then(|concern| Some((concern.failure()?, concern)));
            let is_final = missed.is_some() && error.code() == Code::NO_SUCH_TRANSACTION;
            let labelled = match is_final {
                true => Error::new(error.code(), error.message()),
                false => label(error, situation),
            };
            let mut document = failure(&labelled, time);
            if let Some((error, concern)) = missed {
                append_write_concern_error(&mut document, &error, concern);
            }
            // With it a driver knows that this server has not changed, and tries again at once.
            if let Some(version) = gateway.topology_version().filter(|_| may_pass) {
                document.append(cstr!("topologyVersion"), version);
            }
            document
        }
    };
    (Answer::Reply(document), ended.again)
}

/// What fault injection does to the command.
fn inject(gateway: &Gateway, connection: &Connection, checked: &Checked<'_>) -> Injected {
    if !gateway.options.test_commands {
        return Injected::default();
    }
    let definition = checked.definition;
    let namespace = match (definition.value, checked.value) {
        (Kind::Collection { .. } | Kind::CollectionOrOne, RawBsonRef::String(name)) => {
            format!("{}.{name}", checked.database)
        }
        _ => checked.database.to_owned(),
    };
    let other = definition.aliases.first().copied().unwrap_or(definition.name);
    let mut injected = gateway.fail_points.command(Subject {
        names: [definition.name, other],
        namespace: &namespace,
        application: application(connection, definition, &checked.arguments),
    });
    if injected.error.is_none()
        && checked.generic.has("maxTimeMS")
        && gateway.fail_points.times_out()
    {
        injected.error =
            Some(Error::new(Code::MAX_TIME_MS_EXPIRED, "operation exceeded time limit"));
    }
    injected
}

/// The application's name of the connection; a first hello is about to give it.
fn application<'a>(
    connection: &'a Connection,
    definition: &Definition,
    arguments: &Values<'a>,
) -> Option<&'a str> {
    let introduces = matches!(definition.name, "hello" | "isMaster");
    connection
        .application()
        .or_else(|| arguments.document("client").filter(|_| introduces).and_then(application_name))
}

/// What the fail point of the command's kind does before it runs; `writes`: how many retryable writes it asks for.
fn trip(gateway: &Gateway, checked: &Checked<'_>, writes: usize) -> Option<Tripped> {
    if !gateway.options.test_commands {
        return None;
    }
    if checked.definition.name == "getMore" {
        return gateway.fail_points.trip(FAIL_GET_MORE, 1);
    }
    if !gateway.fail_points.fails_before(TRANSACTIONAL_WRITE) {
        return None;
    }
    gateway.fail_points.trip(TRANSACTIONAL_WRITE, writes)
}

/// Whether the fail point of retryable writes closes the connection once they are done. Those that were done before
/// do not meet it.
fn closes_after(gateway: &Gateway, writes: usize, result: &Result<RawDocumentBuf, Error>) -> bool {
    let Ok(reply) = result else { return false };
    let new = writes.saturating_sub(fail_points::retried(reply));
    new > 0
        && gateway.options.test_commands
        && !gateway.fail_points.fails_before(TRANSACTIONAL_WRITE)
        && gateway.fail_points.trip(TRANSACTIONAL_WRITE, new).is_some_and(|tripped| tripped.close)
}

fn situation(gateway: &Gateway, checked: &Checked<'_>) -> Situation {
    let reads_on = checked.definition.name == "getMore";
    match checked.statement {
        Statement::Plain
            if reads_on && gateway.cursors.watches(checked.value.as_i64().unwrap_or_default()) =>
        {
            Situation::ChangeStream
        }
        Statement::Plain => Situation::Plain,
        Statement::RetryableWrite(_) => Situation::RetryableWrite,
        Statement::Begin(_) | Statement::Proceed(_) if checked.definition.ends => Situation::End,
        Statement::Begin(_) | Statement::Proceed(_) => Situation::Statement,
    }
}

/// How a command has ended.
struct Ended {
    result: Result<RawDocumentBuf, Error>,
    again: Option<Again>,
    closes: bool,
}

/// Runs a command within its time, and ends the transaction when it fails.
async fn run(
    gateway: &Gateway,
    connection: &mut Connection,
    request: &Request,
    checked: Checked<'_>,
) -> Ended {
    let started = Instant::now();
    let definition = checked.definition;
    let limit =
        checked.generic.integer("maxTimeMS").filter(|limit| *limit > 0 && !definition.waits);
    let deadline =
        limit.and_then(|limit| started.checked_add(Duration::from_millis(limit.unsigned_abs())));
    let listed = gateway.operations.begin(
        definition.name,
        checked.database,
        checked.session,
        deadline,
        (connection, request.is_reply_expected()),
    );
    let state = within(deadline, listed.killed(), enter(gateway, &checked, started)).await;
    let state = match state {
        Ok(state) => state,
        Err(error) => return Ended { result: Err(error), again: None, closes: false },
    };
    let mut context = Context {
        gateway,
        connection,
        definition,
        commands: table::COMMANDS,
        request,
        value: checked.value,
        arguments: checked.arguments,
        generic: checked.generic,
        database: checked.database,
        session: checked.session,
        statement: checked.statement,
        state,
        read_concern: checked.read_concern,
        write_concern: checked.write_concern.unwrap_or_default(),
        deadline,
        interrupt: listed.interrupt().clone(),
        aborts: false,
        closes: false,
        again: None,
    };
    let result = within(deadline, listed.killed(), (definition.run)(&mut context)).await;
    let (again, closes) = (context.again.take(), context.closes);
    let failed = result.is_err() || context.aborts;
    if let Some(mut state) = context.state.take() {
        let ends_here = failed && checked.statement.transaction().is_some() && !definition.ends;
        let open = if ends_here { state.abort() } else { None };
        // A commit that was cut off in the middle leaves nobody who knows what became of it.
        if !(definition.ends && failed) {
            state.settle();
        }
        let number = state.numbers.number();
        // The client was told that it may send the same command again.
        if let (Statement::Begin(begun), Err(error), None) = (checked.statement, &result, &open)
            && error.code() == Code::INGRESS_REQUEST_RATE_LIMIT_EXCEEDED
        {
            state.numbers.refused(begun);
        }
        drop(state);
        if ends_here {
            gateway.close_transaction(checked.session, number, open).await;
        }
    }
    Ended { result, again, closes }
}

/// Takes the session's state, and says what the statement is to it.
async fn enter(
    gateway: &Gateway,
    checked: &Checked<'_>,
    now: Instant,
) -> Result<Option<Held<OpenTransaction>>, Error> {
    let Some(id) = checked.session else {
        return Ok(None);
    };
    let session = gateway.sessions.touch(id, now)?;
    let number = match checked.statement {
        Statement::Plain => return Ok(None),
        Statement::RetryableWrite(number)
        | Statement::Begin(number)
        | Statement::Proceed(number) => number,
    };
    let mut state = session.hold(checked.definition.ends).await;
    let leaves_open = match checked.statement {
        Statement::Begin(_) => {
            let leaves_open = state.numbers.begin(number)?;
            state.since = Some(now);
            leaves_open
        }
        Statement::RetryableWrite(_) => state.numbers.write(number)?,
        // Commit and abort look for themselves.
        _ if checked.definition.ends => false,
        _ => {
            state.numbers.proceed(number)?;
            false
        }
    };
    if let Some(open) = state.open.take_if(|_| leaves_open) {
        open.abort().await;
    }
    Ok(Some(state))
}

/// Waits for a part of a command: 50 when its time is over, 11601 and others when it is stopped.
async fn within<T>(
    deadline: Option<Instant>,
    killed: impl Future<Output = Reason>,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let expired = async {
        match deadline {
            Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        result = work => result,
        () = expired => Err(Reason::TimeUp.error()),
        reason = killed => Err(reason.error()),
    }
}
