//! Statements with parameters, by the extended protocol.

use kecoa_proto::{Format, Parameter};
use kecoa_types::{IsNull, ToSql};

use crate::call::{self, CallRequest, Results};
use crate::error::Error;
use crate::result::ResultSet;
use crate::row::{Row, rows_of};
use crate::session::{Interrupt, Session};

/// Runs one statement with binary parameters and results, in one round trip.
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
    let request = CallRequest {
        begin,
        sql: sql.as_bytes(),
        types: &types,
        parameters: &parameters,
        results: Results::All(Format::Binary),
    };
    let plan = call::plan(session, request.sql, &types);
    let pending = call::submit(session, plan, &request)?;
    call::finish(session, pending, &request, hook)
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
