//! Statements with parameters, by the extended protocol.

use kecoa_proto::{Format, Parameter, Request, RowDescription, Step, Target, TransactionStatus};
use kecoa_types::{IsNull, ToSql};

use crate::error::Error;
use crate::result::ResultSet;
use crate::row::{Row, rows_of};
use crate::session::{Interrupt, Session};
use crate::statement::{self, Outcome};
use crate::statement_cache::Plan;

/// A statement and the values of its parameters, in binary form.
struct Call<'a> {
    /// BEGIN goes in front of the statement in the same request: the server skips the statement if
    /// BEGIN fails, and one Sync ends both.
    begin: Option<&'a [u8]>,
    sql: &'a str,
    types: &'a [u32],
    parameters: &'a [Parameter<'a>],
}

/// Runs one statement with binary parameters and results, in one round trip. What the server knows
/// by name is run by its name.
fn run(
    session: &mut Session,
    begin: Option<&[u8]>,
    sql: &str,
    params: &[&dyn ToSql],
    hook: &mut dyn Interrupt,
) -> Result<ResultSet, Error> {
    let types: Vec<u32> = params.iter().map(|param| param.type_oid()).collect();
    let (values, ends) = encode(params)?;
    let mut start = 0;
    let parameters: Vec<Parameter<'_>> = ends
        .iter()
        .map(|end| {
            let value = end.and_then(|end| values.get(std::mem::replace(&mut start, end)..end));
            Parameter { format: Format::Binary, value }
        })
        .collect();
    let call = Call { begin, sql, types: &types, parameters: &parameters };
    let plan = session.statements().plan(sql, &types);
    let free = session.transaction_status() == TransactionStatus::Idle;
    let mut outcome = call.send(session, &plan, hook)?;
    let before = usize::from(begin.is_some());
    match &plan {
        Plan::Unnamed => {}
        Plan::Prepare(name) if outcome.error.is_none() => {
            let description = outcome.sets.last().and_then(|set| set.description.clone());
            session.statements().remember(sql, &types, name.clone(), description);
        }
        Plan::Prepare(name) => {
            if outcome.parsed > before {
                session.statements().drop_name(name);
            }
        }
        Plan::Prepared(name, description) => {
            if is_stale(&outcome, before) {
                session.statements().drop_name(name);
                // Nothing of the statement ran. In a transaction that is open the error has already
                // ended it; outside nobody needs to know.
                if free && !session.is_closed() {
                    if begin.is_some() {
                        statement::run(session, &Request::Query(b"ROLLBACK"), hook)?;
                    }
                    outcome = call.send(session, &Plan::Unnamed, hook)?;
                }
            } else if let Some(set) = outcome.sets.last_mut() {
                check_columns(set, description.as_deref())?;
                set.description.clone_from(description);
            }
        }
    }
    let mut sets = outcome.into_result()?;
    sets.pop().ok_or_else(|| Error::unexpected("expected a result of the statement, found none"))
}

/// Whether a prepared statement failed only because it was prepared: the server does not know its
/// name (any more), or its rows look different now.
fn is_stale(outcome: &Outcome, bound_before: usize) -> bool {
    let Some(error) = &outcome.error else { return false };
    let bound = outcome.bound > bound_before;
    match error.sqlstate().as_str() {
        "26000" => !bound,
        // PostgreSQL finds out at Bind; CockroachDB at Execute, and does not translate its messages.
        "0A000" => !bound || error.message() == "cached plan must not change result type",
        _ => false,
    }
}

/// Rows must look as they did when they were described.
fn check_columns(set: &ResultSet, description: Option<&RowDescription>) -> Result<(), Error> {
    let expected = description.map_or(0, |description| description.fields.len());
    for rows in &set.rows {
        let found = rows.row_at(0).map_or(expected, |(row, _)| row.len());
        if found != expected {
            return Err(Error::unexpected(format!(
                "expected rows of {expected} columns of a prepared statement, found {found}"
            )));
        }
    }
    Ok(())
}

impl Call<'_> {
    fn send(
        &self,
        session: &mut Session,
        plan: &Plan,
        hook: &mut dyn Interrupt,
    ) -> Result<Outcome, Error> {
        let unnamed: &[u8] = b"";
        let run_unnamed = Step::Execute { portal: unnamed, max_rows: 0 };
        let closing = session.statements().take_closing();
        let mut steps = Vec::with_capacity(closing.len() + 7);
        for name in &closing {
            steps.push(Step::Close(Target::Statement(name.as_bytes())));
        }
        if let Some(begin) = self.begin {
            steps.push(Step::Parse { name: unnamed, sql: begin, types: &[] });
            let (portal, statement) = (unnamed, unnamed);
            steps.push(Step::Bind { portal, statement, parameters: &[], results: &[] });
            steps.push(run_unnamed);
        }
        let (name, known) = match plan {
            Plan::Unnamed => (unnamed, false),
            Plan::Prepare(name) => (name.as_bytes(), false),
            Plan::Prepared(name, _) => (name.as_bytes(), true),
        };
        if !known {
            steps.push(Step::Parse { name, sql: self.sql.as_bytes(), types: self.types });
        }
        steps.push(Step::Bind {
            portal: unnamed,
            statement: name,
            parameters: self.parameters,
            results: &[Format::Binary],
        });
        if !known {
            steps.push(Step::Describe(Target::Portal(unnamed)));
        }
        steps.push(run_unnamed);
        let driven = statement::drive(session, &Request::Extended(&steps), hook);
        if driven.as_ref().is_err_and(Error::nothing_was_sent) {
            session.statements().put_back(closing);
        }
        driven
    }
}

/// All values behind each other, and where each ends; no end for NULL.
fn encode(params: &[&dyn ToSql]) -> Result<(Vec<u8>, Vec<Option<usize>>), Error> {
    let mut values = Vec::new();
    let mut ends = Vec::with_capacity(params.len());
    for (index, param) in params.iter().enumerate() {
        let start = values.len();
        match param.encode_binary(&mut values) {
            Ok(IsNull::No) => ends.push(Some(values.len())),
            Ok(IsNull::Yes) => {
                values.truncate(start);
                ends.push(None);
            }
            Err(error) => {
                let parameter = format!("parameter ${}", index + 1);
                return Err(Error::conversion(parameter).with_source(error).unsent());
            }
        }
    }
    Ok((values, ends))
}

pub(crate) fn query(
    session: &mut Session,
    begin: Option<&[u8]>,
    sql: &str,
    params: &[&dyn ToSql],
    hook: &mut dyn Interrupt,
) -> Result<Vec<Row>, Error> {
    run(session, begin, sql, params, hook).map(rows_of)
}

pub(crate) fn execute(
    session: &mut Session,
    begin: Option<&[u8]>,
    sql: &str,
    params: &[&dyn ToSql],
    hook: &mut dyn Interrupt,
) -> Result<u64, Error> {
    let set = run(session, begin, sql, params, hook)?;
    Ok(set.tag.and_then(|tag| tag.rows()).unwrap_or(0))
}

pub(crate) fn exactly_one(rows: Vec<Row>) -> Result<Row, Error> {
    at_most_one(rows)?
        .ok_or_else(|| Error::usage_after_the_fact("expected exactly one row, found none"))
}

pub(crate) fn at_most_one(rows: Vec<Row>) -> Result<Option<Row>, Error> {
    if rows.len() > 1 {
        let found = rows.len();
        return Err(Error::usage_after_the_fact(format!("expected one row, found {found}")));
    }
    Ok(rows.into_iter().next())
}
