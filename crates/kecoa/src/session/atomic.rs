//! Several statements as one request: the server skips what is behind an error, up to the one Sync at the end.

use std::sync::Arc;

use kecoa_proto::{Format, Request, RequestId, Step, Target, TransactionStatus};

use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::retry::{Block, effect_of};
use crate::row::ResultSet;
use crate::session::cache::Plan;
use crate::session::call::{self, Results};
use crate::session::core::Session;
use crate::session::extended::Encoded;
use crate::session::outcome::Outcome;
use crate::session::{placeholders, statement};

const UNNAMED: &[u8] = b"";
const RUN: Step<'static> = Step::Execute { portal: UNNAMED, max_rows: 0 };
const BINARY: &[Format] = &[Format::Binary];

/// A statement and its parameters.
pub(crate) type Bound<'a> = (&'a str, &'a Encoded);

/// Statements that were submitted as one request.
#[derive(Debug)]
pub(crate) struct PendingAtomic {
    id: RequestId,
    plans: Vec<Plan>,
    /// How many statements are in front that the caller knows nothing of.
    before: usize,
    /// No transaction was open and nothing else in flight: an error has undone no work but that of this request.
    free: bool,
}

impl PendingAtomic {
    /// The names that the server is about to learn.
    #[cfg(feature = "tokio")]
    pub(crate) fn names(&self) -> Vec<Arc<str>> {
        let name = |plan: &Plan| match plan {
            Plan::Prepare(name) => Some(name.clone()),
            Plan::Unnamed | Plan::Prepared(..) => None,
        };
        self.plans.iter().filter_map(name).collect()
    }
}

/// What came of them.
#[derive(Debug)]
pub(crate) enum SettledAtomic {
    /// A result for each.
    Done(Vec<ResultSet>),
    /// The server had lost a prepared statement or a type in it, or its columns look different now; all was undone, and
    /// submitted once more.
    Again(PendingAtomic),
}

/// Queues statements.
pub(crate) fn submit(
    session: &mut Session,
    statements: &[Bound<'_>],
) -> Result<PendingAtomic, Error> {
    let mut plans = Vec::with_capacity(statements.len());
    for (sql, encoded) in statements {
        let mut plan = session.statements().plan(sql.as_bytes(), encoded.types());
        if let Plan::Prepared(name, Some(description)) = &mut plan
            && call::ask_for(description, Results::All(Format::Binary))?
        {
            session.statements().describe(name, description);
        }
        plans.push(plan);
    }
    send(session, statements, plans, None)
}

fn send(
    session: &mut Session,
    statements: &[Bound<'_>],
    plans: Vec<Plan>,
    first: Option<&[u8]>,
) -> Result<PendingAtomic, Error> {
    let free = session.transaction_status() == TransactionStatus::Idle
        && session.connection().pending() == 0;
    let parameters: Vec<_> = statements.iter().map(|(_, encoded)| encoded.parameters()).collect();
    for ((sql, _), parameters) in statements.iter().zip(&parameters) {
        placeholders::check(sql.as_bytes(), parameters.len())?;
    }
    let closing = session.statements().take_closing();
    let mut steps = Vec::with_capacity(closing.len() + 4 * statements.len() + 3);
    // The same as if each had its text with it, for who must know what may commit.
    let mut told = Vec::with_capacity(3 * statements.len() + 3);
    for name in &closing {
        steps.push(Step::Close(Target::Statement(name.as_bytes())));
    }
    if let Some(sql) = first {
        call::push_bare(&mut steps, sql);
        call::push_bare(&mut told, sql);
    }
    for (((sql, encoded), plan), parameters) in statements.iter().zip(&plans).zip(&parameters) {
        let (name, known) = match plan {
            Plan::Unnamed => (UNNAMED, false),
            Plan::Prepare(name) => (name.as_bytes(), false),
            Plan::Prepared(name, _) => (name.as_bytes(), true),
        };
        let sql = sql.as_bytes();
        call::push_bare(&mut told, sql);
        if !known {
            steps.push(Step::Parse { name, sql, types: encoded.types() });
        }
        steps.push(Step::Bind { portal: UNNAMED, statement: name, parameters, results: BINARY });
        if !known {
            steps.push(Step::Describe(Target::Portal(UNNAMED)));
        }
        steps.push(RUN);
    }
    let submitted = session.submit_as(&Request::Extended(&steps), &Request::Extended(&told));
    match submitted {
        Ok(id) => Ok(PendingAtomic { id, plans, before: usize::from(first.is_some()), free }),
        Err(error) => {
            session.statements().put_back(closing);
            Err(error)
        }
    }
}

/// Drives statements to their end, and once more where that is called for.
pub(crate) fn finish(
    session: &mut Session,
    statements: &[Bound<'_>],
    mut pending: PendingAtomic,
    hook: &mut dyn Interrupt,
) -> Result<Vec<ResultSet>, Error> {
    loop {
        match settle(session, statements, pending, hook)? {
            SettledAtomic::Done(sets) => return Ok(sets),
            SettledAtomic::Again(again) => pending = again,
        }
    }
}

/// Takes what was answered; waits for it where it has not come yet.
pub(crate) fn settle(
    session: &mut Session,
    statements: &[Bound<'_>],
    pending: PendingAtomic,
    hook: &mut dyn Interrupt,
) -> Result<SettledAtomic, Error> {
    let PendingAtomic { id, plans, before, free } = pending;
    let mut outcome = statement::outcome(session, id, hook)?;
    if outcome.error.is_some() {
        for plan in &plans {
            if let Plan::Prepare(name) = plan {
                session.statements().drop_name(name);
            }
        }
        let stale = stale(&outcome, &plans, before);
        if let Some((number, name)) = stale {
            call::forget_stale(session, &outcome, &name);
            let ran = statements.get(..number).unwrap_or(statements);
            if free
                && session.is_last(id)
                && !session.is_closed()
                && !ran.iter().any(|(sql, _)| may_end(sql))
            {
                let is_idle = session.transaction_status() == TransactionStatus::Idle;
                let rollback = (!is_idle).then_some(&b"ROLLBACK"[..]);
                let plans = vec![Plan::Unnamed; statements.len()];
                return send(session, statements, plans, rollback).map(SettledAtomic::Again);
            }
        }
        return outcome.into_result().map(SettledAtomic::Done);
    }
    let described = outcome.sets.iter_mut().skip(before).zip(plans).zip(statements);
    for ((set, plan), (sql, encoded)) in described {
        match plan {
            Plan::Unnamed => {}
            Plan::Prepare(name) => {
                let (sql, types) = (sql.as_bytes(), encoded.types());
                session.statements().remember(sql, types, name, set.description.clone());
            }
            Plan::Prepared(_, description) => {
                call::check_columns(set, description.as_deref())?;
                set.description = description;
            }
        }
    }
    let mut sets = outcome.into_result()?;
    sets.drain(..before.min(sets.len()));
    if sets.len() != statements.len() {
        let (expected, found) = (statements.len(), sets.len());
        return Err(Error::unexpected(format!("expected {expected} results, found {found}")));
    }
    Ok(SettledAtomic::Done(sets))
}

/// The statement that failed only because it was prepared: its number, and its name.
fn stale(outcome: &Outcome, plans: &[Plan], before: usize) -> Option<(usize, Arc<str>)> {
    let error = outcome.error.as_ref()?;
    let number = outcome.sets.len().checked_sub(before)?;
    let Some(Plan::Prepared(name, _)) = plans.get(number) else { return None };
    call::is_stale_error(error, outcome.bound > outcome.sets.len()).then(|| (number, name.clone()))
}

/// Whether a statement may end a transaction, so that what ran before it stands.
fn may_end(sql: &str) -> bool {
    let effect = effect_of(sql.as_bytes(), Block::Open, true);
    effect.may_commit || effect.after != Block::Open
}
