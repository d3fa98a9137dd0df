//! One statement by the extended protocol, for entry points that encode parameters and wait by themselves.
//!
//! A call is planned, submitted and settled; what happens between the last two, the waiting, is the
//! caller's: [`blocking::Client`](crate::blocking::Client) drives it at once, an event loop when the
//! socket is ready. A statement is sent unnamed at its first use, prepared at its second, and run by
//! its name from the third on.

use std::sync::Arc;

use kecoa_proto::{
    Format, Parameter, Request, RequestId, RowDescription, ServerError, Step, Target,
    TransactionStatus,
};

use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::row::ResultSet;
use crate::session::cache::Plan;
use crate::session::core::Session;
use crate::session::outcome::Outcome;
use crate::session::{placeholders, statement};

const UNNAMED: &[u8] = b"";
const RUN_UNNAMED: Step<'static> = Step::Execute { portal: UNNAMED, max_rows: 0 };

/// The form in which columns are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Results<'a> {
    /// One form for all columns.
    All(Format),
    /// A form for each column of [`CallPlan::description`]. A statement whose columns are not known,
    /// or not the same any more, is answered in text form.
    Each(&'a [Format]),
}

/// A statement and the values of its parameters.
#[derive(Clone, Copy, Debug)]
pub struct CallRequest<'a> {
    /// A whole BEGIN statement without semicolon that goes in front, in the same request: the server
    /// skips the statement if BEGIN fails, and one Sync ends both.
    pub begin: Option<&'a [u8]>,
    /// One statement with parameters `$1`, `$2`, …, in the client's encoding.
    pub sql: &'a [u8],
    /// Oids of the parameters' types; 0 for the server to find out.
    pub types: &'a [u32],
    /// The values, as many as `types`.
    pub parameters: &'a [Parameter<'a>],
    /// The form of the result.
    pub results: Results<'a>,
}

/// How a statement is to be sent; see [`Client::plan_call`](crate::blocking::Client::plan_call).
#[derive(Clone, Debug)]
pub struct CallPlan(Plan);

impl CallPlan {
    /// The columns of the statement's rows, when it was prepared before and returns rows.
    #[must_use]
    pub fn description(&self) -> Option<&Arc<RowDescription>> {
        self.0.columns()
    }
}

/// A call that was submitted and waits to be settled.
#[derive(Debug)]
pub struct PendingCall {
    id: RequestId,
    plan: Plan,
    /// How many statements the request holds before the call's own.
    before: usize,
    /// No transaction was open and nothing else in flight: where BEGIN is in front, an error has
    /// undone no work but that of this call.
    free: bool,
    began: bool,
}

impl PendingCall {
    /// Which request it is.
    pub(crate) fn id(&self) -> RequestId {
        self.id
    }

    /// The columns of its rows, where they are not described again.
    pub(crate) fn columns(&self) -> Option<&Arc<RowDescription>> {
        self.plan.columns()
    }

    /// Nobody waits for the call any more: a name that the server may have learnt is to be closed.
    #[cfg(feature = "tokio")]
    pub(crate) fn forget(self, session: &mut Session) {
        if let Plan::Prepare(name) = &self.plan {
            session.statements().drop_name(name);
        }
    }
}

/// What came of a call.
#[derive(Debug)]
pub enum Settled {
    /// Its result.
    Done(ResultSet),
    /// The server had lost the prepared statement or a type in it, or its columns look different now;
    /// nothing of it is left, and it was submitted once more.
    Again(PendingCall),
}

/// How to send this statement now.
pub(crate) fn plan(session: &mut Session, sql: &[u8], types: &[u32]) -> CallPlan {
    CallPlan(session.statements().plan(sql, types))
}

/// How to send this statement when others are to follow before it is answered. One that changes
/// rows and returns them goes without its name: were its columns to look different now, it could not
/// be sent anew behind those.
pub(crate) fn plan_pipelined(session: &mut Session, sql: &[u8], types: &[u32]) -> CallPlan {
    let plan = plan(session, sql, types);
    match plan.0 {
        Plan::Prepared(_, Some(_))
            if !only_reads(sql) && session.transaction_status() == TransactionStatus::Idle =>
        {
            CallPlan(Plan::Unnamed)
        }
        _ => plan,
    }
}

/// Whether a statement is sure to change nothing that others would see.
fn only_reads(sql: &[u8]) -> bool {
    let sql = sql.trim_ascii_start();
    let word = sql.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let word = sql.get(..word).unwrap_or_default();
    let reads = ["select", "show", "table", "values"];
    reads.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
        && memchr::memchr(b'(', sql).is_none()
        && !sql
            .split(|byte| !byte.is_ascii_alphabetic())
            .any(|word| word.eq_ignore_ascii_case(b"into"))
}

/// Queues a call.
pub(crate) fn submit(
    session: &mut Session,
    plan: CallPlan,
    request: &CallRequest<'_>,
) -> Result<PendingCall, Error> {
    let CallPlan(mut plan) = plan;
    if let Plan::Prepared(name, description) = &mut plan {
        if !session.statements().is_known(name) {
            // It made room for another one since it was planned.
            plan = Plan::Unnamed;
        } else if let Some(description) = description
            && ask_for(description, request.results)?
        {
            session.statements().describe(name, description);
        }
    }
    send(session, plan, request, false, None)
}

/// Notes in the description in which form its columns will come; whether that changed.
pub(super) fn ask_for(
    description: &mut Arc<RowDescription>,
    results: Results<'_>,
) -> Result<bool, Error> {
    let expected = description.fields.len();
    let form = |index: usize| match results {
        Results::All(format) => Some(format),
        Results::Each(formats) => formats.get(index).copied(),
    };
    if let Results::Each(formats) = results
        && formats.len() != expected
    {
        let found = formats.len();
        let message = format!("expected a form for each of {expected} columns, found {found}");
        return Err(Error::usage(message));
    }
    let fields = description.fields.iter().enumerate();
    if fields.map(|(index, field)| (form(index), field.format)).all(|(a, b)| a == Some(b)) {
        return Ok(false);
    }
    for (index, field) in Arc::make_mut(description).fields.iter_mut().enumerate() {
        field.format = form(index).unwrap_or_default();
    }
    Ok(true)
}

fn send(
    session: &mut Session,
    plan: Plan,
    request: &CallRequest<'_>,
    again: bool,
    first: Option<&[u8]>,
) -> Result<PendingCall, Error> {
    if !matches!(plan, Plan::Prepared(..)) {
        placeholders::check(request.sql, request.parameters.len())?;
    }
    let free = session.transaction_status() == TransactionStatus::Idle
        && session.connection().pending() == 0;
    let closing = session.statements().take_closing();
    let mut steps = Vec::with_capacity(closing.len() + 10);
    for name in &closing {
        steps.push(Step::Close(Target::Statement(name.as_bytes())));
    }
    let mut before = 0;
    for sql in first.into_iter().chain(request.begin) {
        push_bare(&mut steps, sql);
        before += 1;
    }
    let (name, known) = match &plan {
        Plan::Unnamed => (UNNAMED, false),
        Plan::Prepare(name) => (name.as_bytes(), false),
        Plan::Prepared(name, _) => (name.as_bytes(), true),
    };
    let all;
    let results = match request.results {
        Results::All(format) => {
            all = [format];
            all.as_slice()
        }
        Results::Each(formats) if known => formats,
        Results::Each(_) => &[],
    };
    if !known {
        steps.push(Step::Parse { name, sql: request.sql, types: request.types });
    }
    let (portal, parameters) = (UNNAMED, request.parameters);
    steps.push(Step::Bind { portal, statement: name, parameters, results });
    if !known {
        steps.push(Step::Describe(Target::Portal(UNNAMED)));
    }
    steps.push(RUN_UNNAMED);
    let named = known.then_some(request.sql);
    // Only what others are sent behind has to be looked at.
    let reads = (again || session.connection().pending() > 0)
        && request.begin.is_none()
        && only_reads(request.sql);
    let submitted = match reads {
        true => session.submit_read(&Request::Extended(&steps), named),
        false => session.submit_named(&Request::Extended(&steps), named),
    };
    match submitted {
        Ok(id) => Ok(PendingCall { id, plan, before, free, began: request.begin.is_some() }),
        Err(error) => {
            session.statements().put_back(closing);
            Err(error)
        }
    }
}

/// A statement without parameters or rows.
pub(super) fn push_bare<'a>(steps: &mut Vec<Step<'a>>, sql: &'a [u8]) {
    steps.push(Step::Parse { name: UNNAMED, sql, types: &[] });
    steps.push(Step::Bind { portal: UNNAMED, statement: UNNAMED, parameters: &[], results: &[] });
    steps.push(RUN_UNNAMED);
}

/// Drives a call to its end, and once more where that is called for. `request` is what was submitted.
pub(crate) fn finish(
    session: &mut Session,
    mut pending: PendingCall,
    request: &CallRequest<'_>,
    hook: &mut dyn Interrupt,
) -> Result<ResultSet, Error> {
    loop {
        match settle(session, pending, request, hook)? {
            Settled::Done(set) => return Ok(set),
            Settled::Again(again) => pending = again,
        }
    }
}

/// Takes what a call answered; waits for it where it has not come yet.
pub(crate) fn settle(
    session: &mut Session,
    pending: PendingCall,
    request: &CallRequest<'_>,
    hook: &mut dyn Interrupt,
) -> Result<Settled, Error> {
    let PendingCall { id, plan, before, free, began } = pending;
    let mut outcome = statement::outcome_of(session, id, plan.columns(), hook)?;
    match plan {
        Plan::Unnamed => {}
        Plan::Prepare(name) if outcome.error.is_none() => {
            let description = outcome.sets.last().and_then(|set| set.description.clone());
            session.statements().remember(request.sql, request.types, name, description);
        }
        Plan::Prepare(name) => {
            if outcome.parsed > before {
                session.statements().drop_name(&name);
            }
        }
        Plan::Prepared(name, description) => {
            if is_stale(&outcome, before) {
                forget_stale(session, &outcome, &name);
                // In a transaction that was open the error has ended it. Outside nobody needs to
                // know, unless something was sent behind it that must come after it.
                let alone = match began {
                    true => free && session.is_last(id),
                    false => {
                        session.transaction_status() == TransactionStatus::Idle
                            && session.only_read_behind(id)
                    }
                };
                if alone && !session.is_closed() {
                    let rollback = began.then_some(&b"ROLLBACK"[..]);
                    return send(session, Plan::Unnamed, request, true, rollback)
                        .map(Settled::Again);
                }
            } else if outcome.error.is_none()
                && let Some(set) = outcome.sets.last_mut()
            {
                check_columns(set, description.as_deref())?;
                set.description = description;
            }
        }
    }
    let mut sets = outcome.into_result()?;
    sets.pop()
        .map(Settled::Done)
        .ok_or_else(|| Error::unexpected("expected a result of the statement, found none"))
}

/// Whether a prepared statement failed only because it was prepared: the server does not know its
/// name or a type in it (any more), or its rows look different now.
fn is_stale(outcome: &Outcome, bound_before: usize) -> bool {
    let Some(error) = &outcome.error else { return false };
    is_stale_error(error, outcome.bound > bound_before)
}

/// The same of an error that came before or after the statement was bound.
pub(super) fn is_stale_error(error: &ServerError, bound: bool) -> bool {
    match error.sqlstate().as_str() {
        "26000" => !bound,
        // PostgreSQL finds out at Bind; CockroachDB at Execute, and does not translate its messages.
        "0A000" => !bound || error.message() == "cached plan must not change result type",
        _ => is_of_lost_type(error, bound),
    }
}

/// Whether an error says that a type is gone which the statement was prepared with. Its name may be
/// that of another one by now, so that the text is right still.
fn is_of_lost_type(error: &ServerError, bound: bool) -> bool {
    match error.sqlstate().as_str() {
        // A parameter's. What the program's own value names is looked up here, too: that error comes
        // again.
        "42704" => !bound,
        // Found out as late as where a value is written, when it is a column's; PostgreSQL does not
        // translate it. With a context it is a function's, which may have ended a transaction.
        "XX000" => {
            error.message().starts_with("cache lookup failed for type ")
                && (!bound || error.context().is_none())
        }
        _ => false,
    }
}

/// Forgets a statement that is stale; all of them when a type is gone, which others may have, too:
/// within a transaction each would end one.
pub(super) fn forget_stale(session: &mut Session, outcome: &Outcome, name: &Arc<str>) {
    session.statements().drop_name(name);
    if outcome.error.as_ref().is_some_and(|error| is_of_lost_type(error, false)) {
        session.statements().forget();
    }
}

/// Rows must look as they did when they were described.
pub(super) fn check_columns(
    set: &ResultSet,
    description: Option<&RowDescription>,
) -> Result<(), Error> {
    let expected = description.map_or(0, |description| description.fields.len());
    for rows in &set.rows {
        let found = rows.columns();
        if found != expected {
            return Err(Error::unexpected(format!(
                "expected rows of {expected} columns of a prepared statement, found {found}"
            )));
        }
    }
    Ok(())
}

/// Queues one statement with several sets of parameters, as one request: it is parsed once, an error
/// ends the whole, and outside a transaction all of it is one. The results come in order, BEGIN's own
/// in front when there is one.
pub(crate) fn submit_many(
    session: &mut Session,
    begin: Option<&[u8]>,
    sql: &[u8],
    types: &[u32],
    rows: &[&[Parameter<'_>]],
) -> Result<RequestId, Error> {
    placeholders::check(sql, rows.iter().map(|row| row.len()).max().unwrap_or(0))?;
    let mut steps = Vec::with_capacity(2 * rows.len() + 4);
    if let Some(begin) = begin {
        push_bare(&mut steps, begin);
    }
    steps.push(Step::Parse { name: UNNAMED, sql, types });
    for parameters in rows {
        let (portal, statement) = (UNNAMED, UNNAMED);
        steps.push(Step::Bind { portal, statement, parameters, results: &[] });
        steps.push(RUN_UNNAMED);
    }
    session.submit(&Request::Extended(&steps))
}
