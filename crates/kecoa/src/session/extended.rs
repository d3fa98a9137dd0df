//! Statements with parameters, by the extended protocol.

use kecoa_proto::{Format, Parameter, RequestId};
use kecoa_types::{IsNull, ToSql};

use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::observability::spans;
use crate::row::ResultSet;
use crate::session::call::{self, CallRequest, Results};
use crate::session::core::Session;
use crate::session::statement;

/// The parameters of one statement, encoded.
#[derive(Clone, Debug)]
pub(crate) struct Encoded {
    types: Vec<u32>,
    /// All values behind each other.
    values: Vec<u8>,
    /// The form of each, and where it ends; no end for NULL.
    ends: Vec<(Format, Option<usize>)>,
}

impl Encoded {
    pub(crate) fn new(params: &[&dyn ToSql]) -> Result<Encoded, Error> {
        let mut encoded = Encoded {
            types: Vec::with_capacity(params.len()),
            values: Vec::new(),
            ends: Vec::with_capacity(params.len()),
        };
        for (index, param) in params.iter().enumerate() {
            let values = &mut encoded.values;
            let start = values.len();
            let format = if param.is_sent_as_text() { Format::Text } else { Format::Binary };
            let null = match format {
                Format::Text => param.encode_text(values),
                Format::Binary => param.encode_binary(values),
            };
            match null {
                Ok(IsNull::No) => encoded.ends.push((format, Some(values.len()))),
                Ok(IsNull::Yes) => {
                    values.truncate(start);
                    encoded.ends.push((format, None));
                }
                Err(error) => {
                    let parameter = format!("parameter ${}", index + 1);
                    return Err(Error::conversion(parameter).with_source(error).unsent());
                }
            }
            encoded.types.push(param.type_oid());
        }
        Ok(encoded)
    }

    /// Oids of the parameters' types.
    pub(crate) fn types(&self) -> &[u32] {
        &self.types
    }

    pub(crate) fn parameters(&self) -> Vec<Parameter<'_>> {
        let mut start = 0;
        let parameter = |&(format, end): &(Format, Option<usize>)| {
            let value =
                end.and_then(|end| self.values.get(std::mem::replace(&mut start, end)..end));
            Parameter { format, value }
        };
        self.ends.iter().map(parameter).collect()
    }

    /// The call of a statement with these parameters, whose results come in binary form.
    pub(crate) fn request<'a>(
        &'a self,
        begin: Option<&'a [u8]>,
        sql: &'a str,
        parameters: &'a [Parameter<'a>],
    ) -> CallRequest<'a> {
        let (sql, types) = (sql.as_bytes(), &self.types);
        CallRequest { begin, sql, types, parameters, results: Results::All(Format::Binary) }
    }
}

/// Several sets of parameters for one statement.
pub(crate) struct EncodedRows(Vec<Encoded>);

impl EncodedRows {
    pub(crate) fn new(rows: &[&[&dyn ToSql]]) -> Result<EncodedRows, Error> {
        let rows: Vec<_> = rows.iter().map(|row| Encoded::new(row)).collect::<Result<_, _>>()?;
        if let Some((first, others)) = rows.split_first()
            && let Some(other) = others.iter().position(|row| row.types != first.types)
        {
            return Err(Error::usage(format!(
                "expected the parameters of row {} to be of the types of row 1 (oids {:?}), found \
                 {:?}",
                other + 2,
                first.types,
                others.get(other).map_or(&[][..], |row| &row.types)
            )));
        }
        Ok(EncodedRows(rows))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn submit(
        &self,
        session: &mut Session,
        begin: Option<&[u8]>,
        sql: &str,
    ) -> Result<RequestId, Error> {
        let rows: Vec<_> = self.0.iter().map(Encoded::parameters).collect();
        let rows: Vec<_> = rows.iter().map(Vec::as_slice).collect();
        let types = self.0.first().map_or(&[][..], |first| &first.types);
        call::submit_many(session, begin, sql.as_bytes(), types, &rows)
    }
}

/// How many rows several results count together.
pub(crate) fn count_all(sets: &[ResultSet]) -> u64 {
    sets.iter().map(count).sum()
}

/// How many rows a result counts.
pub(crate) fn count(set: &ResultSet) -> u64 {
    set.tag.as_ref().and_then(kecoa_proto::CommandTag::rows).unwrap_or(0)
}

/// Runs one statement with binary parameters and results, in one round trip, in a span of its own.
pub(crate) fn run(
    session: &mut Session,
    begin: Option<&[u8]>,
    sql: &str,
    params: &[&dyn ToSql],
    hook: &mut dyn Interrupt,
) -> Result<ResultSet, Error> {
    spans::query(session, sql.as_bytes(), |session| {
        let encoded = Encoded::new(params)?;
        let parameters = encoded.parameters();
        let request = encoded.request(begin, sql, &parameters);
        let plan = call::plan(session, request.sql, request.types);
        let pending = call::submit(session, plan, &request)?;
        call::finish(session, pending, &request, hook)
    })
}

/// Runs one statement once for each set of parameters, as one request.
pub(crate) fn run_many(
    session: &mut Session,
    begin: Option<&[u8]>,
    sql: &str,
    rows: &[&[&dyn ToSql]],
    hook: &mut dyn Interrupt,
) -> Result<u64, Error> {
    let rows = EncodedRows::new(rows)?;
    if rows.is_empty() {
        return Ok(0);
    }
    let id = rows.submit(session, begin, sql)?;
    Ok(count_all(&statement::finish_request(session, id, hook)?))
}

pub(crate) fn exactly_one<T>(rows: Vec<T>) -> Result<T, Error> {
    at_most_one(rows)?
        .ok_or_else(|| Error::usage_after_the_fact("expected exactly one row, found none"))
}

pub(crate) fn at_most_one<T>(rows: Vec<T>) -> Result<Option<T>, Error> {
    if rows.len() > 1 {
        let found = rows.len();
        return Err(Error::usage_after_the_fact(format!("expected one row, found {found}")));
    }
    Ok(rows.into_iter().next())
}
