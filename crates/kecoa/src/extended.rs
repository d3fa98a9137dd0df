//! Statements with parameters, by the extended protocol.

use kecoa_proto::{Format, Parameter, Request, Step, Target};
use kecoa_types::{IsNull, ToSql};

use crate::error::Error;
use crate::result::ResultSet;
use crate::row::{Row, rows_of};
use crate::session::{Interrupt, Session};
use crate::statement;

/// Runs one statement with binary parameters and results, in one round trip. With `begin`, BEGIN
/// goes in front of it in the same request: the server skips the statement if BEGIN fails, and one
/// Sync ends both.
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
    let unnamed: &[u8] = b"";
    let run_unnamed = Step::Execute { portal: unnamed, max_rows: 0 };
    let mut steps = Vec::with_capacity(7);
    if let Some(begin) = begin {
        steps.push(Step::Parse { name: unnamed, sql: begin, types: &[] });
        let (portal, statement) = (unnamed, unnamed);
        steps.push(Step::Bind { portal, statement, parameters: &[], results: &[] });
        steps.push(run_unnamed);
    }
    steps.push(Step::Parse { name: unnamed, sql: sql.as_bytes(), types: &types });
    steps.push(Step::Bind {
        portal: unnamed,
        statement: unnamed,
        parameters: &parameters,
        results: &[Format::Binary],
    });
    steps.push(Step::Describe(Target::Portal(unnamed)));
    steps.push(run_unnamed);
    let mut sets = statement::run(session, &Request::Extended(&steps), hook)?;
    sets.pop().ok_or_else(|| Error::unexpected("expected a result of the statement, found none"))
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
