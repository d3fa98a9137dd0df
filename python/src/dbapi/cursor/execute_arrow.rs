//! `execute_arrow`: a statement whose rows become Arrow's record batches while they come.

use std::sync::Arc;

use kecoa::ResultSet;
use kecoa::blocking::Client;
use kecoa_proto::{Format, Parameter, Request, Step, Target};
use pyo3::prelude::*;

use super::binding::{BoundCall, bound};
use super::overlap::Work;
use super::rows::Fetched;
use super::{Cursor, Mode};
use crate::arrow::{self, ArrowResult, Batching};
use crate::convert::codec::Codec;
use crate::convert::parameters::Binding;
use crate::dbapi::connection::Connection;
use crate::dbapi::connection::signals::Signals;
use crate::errors::error;
use crate::names;
use crate::sync::lock;

const UNNAMED: &[u8] = b"";
const PARAMETERS: &[Parameter<'_>] = &[];
const RUN: Step<'_> = Step::Execute { portal: UNNAMED, max_rows: 0 };

/// What a statement came to.
pub(crate) struct Batches {
    result: ResultSet,
    batching: Option<Batching>,
}

impl Batches {
    /// Of what a statement answered, whatever came of its rows so far.
    pub(crate) fn of(mut result: ResultSet) -> Batches {
        let batching = arrow::batching_of(&mut result);
        Batches { result, batching }
    }
}

/// The steps of a request, each statement parsed anew: nothing is left between two requests that a proxy
/// could send to different servers.
fn parse<'a>(steps: &mut Vec<Step<'a>>, begin: Option<&'a [u8]>, call: &'a BoundCall) {
    if let Some(begin) = begin {
        steps.push(Step::Parse { name: UNNAMED, sql: begin, types: &[] });
        let (portal, statement) = (UNNAMED, UNNAMED);
        steps.push(Step::Bind { portal, statement, parameters: PARAMETERS, results: &[] });
        steps.push(RUN);
    }
    steps.push(Step::Parse { name: UNNAMED, sql: call.sql(), types: &call.values().types });
}

/// What asks for the columns of a statement, behind BEGIN where a transaction is to begin.
pub(crate) fn describing<'a>(begin: Option<&'a [u8]>, call: &'a BoundCall) -> Vec<Step<'a>> {
    let mut steps = Vec::with_capacity(5);
    parse(&mut steps, begin, call);
    steps.push(Step::Describe(Target::Statement(UNNAMED)));
    steps
}

/// What runs a statement, with its columns in these forms.
pub(crate) fn running<'a>(
    call: &'a BoundCall,
    parameters: &'a [Parameter<'a>],
    results: &'a [Format],
) -> Vec<Step<'a>> {
    let mut steps = Vec::with_capacity(4);
    parse(&mut steps, None, call);
    let (portal, statement) = (UNNAMED, UNNAMED);
    steps.push(Step::Bind { portal, statement, parameters, results });
    steps.push(Step::Describe(Target::Portal(UNNAMED)));
    steps.push(RUN);
    steps
}

/// The forms in which columns are asked for that were described.
pub(crate) fn forms(described: &mut Vec<ResultSet>) -> Vec<Format> {
    let columns = described.pop().and_then(|set| set.description);
    columns.map(|columns| arrow::forms(&columns.fields)).unwrap_or_default()
}

fn drive(
    client: &mut Client,
    begin: Option<&[u8]>,
    call: &BoundCall,
    hook: &mut Signals,
) -> Result<Batches, kecoa::Error> {
    let mut described = client.run(&Request::Extended(&describing(begin, call)), hook)?;
    let forms = forms(&mut described);
    hook.work(Work::Batches);
    let parameters = call.values().parameters();
    let mut sets = client.run(&Request::Extended(&running(call, &parameters, &forms)), hook)?;
    Ok(Batches::of(sets.pop().unwrap_or_default()))
}

impl Cursor {
    /// NotSupportedError where text is not what Arrow's is.
    pub(crate) fn check_arrow(slf: &Bound<'_, Cursor>, codec: &Codec, what: &str) -> PyResult<()> {
        let py = slf.py();
        if *codec == Codec::Utf8 {
            return Ok(());
        }
        let message = format!(
            "Arrow's text is UTF-8: {what} needs a connection whose client_encoding is UTF8"
        );
        Err(error::with_cursor(py, names::not_supported_error(py, message), slf.as_any()))
    }

    /// Runs a statement, and gives its rows for Arrow's consumers. The cursor has none of them.
    pub(super) fn do_execute_arrow<'py>(
        slf: &Bound<'py, Cursor>,
        query: &Bound<'py, PyAny>,
        vars: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<ArrowResult> {
        let py = slf.py();
        let this = slf.get();
        this.check_open(py)?;
        let connection = this.connection_of(py)?;
        connection.get().refuse_waiting(py, "execute_arrow")?;
        connection.get().refuse_prepared(py, "execute_arrow")?;
        Connection::send_queued(&connection)?;
        if lock(&this.inner).name.is_some() {
            let error = names::programming_error(
                py,
                "can't call .execute_arrow() on named cursors: their rows come in parts, by \
                 fetch_arrow",
            );
            return Err(error::with_cursor(py, error, slf.as_any()));
        }
        Cursor::check_arrow(slf, &this.codec(py), "execute_arrow")?;
        this.forget_statement();
        let (text, call) = match connection.get().binding() {
            Binding::Server => bound(slf, &connection, query, vars)?,
            Binding::Client => {
                let text = super::statement::merged(slf, &connection, query, vars)?;
                let call = BoundCall::of_text(&text);
                (text, call)
            }
        };
        let text: Arc<[u8]> = text.into();
        this.show_query(text.clone());
        let Some(call) = call else {
            // SHOW, EXPLAIN and others have few rows, and no other form.
            Cursor::run(slf, &connection, &text, Mode::Normal)?;
            return Cursor::take_arrow(slf, None);
        };
        let old = lock(&this.inner).forget();
        drop(old);
        let driven = Connection::drive_user(&connection, true, |client, begin, hook| {
            drive(client, begin, &call, hook)
        })?;
        Cursor::take_batches(slf, &connection, call.sql(), driven)?;
        Cursor::take_arrow(slf, None)
    }

    /// Keeps what came of a statement whose rows became batches; `fetch_arrow` gives them.
    pub(crate) fn take_batches(
        slf: &Bound<'_, Cursor>,
        connection: &Bound<'_, Connection>,
        sql: &[u8],
        answer: Result<Batches, kecoa::Error>,
    ) -> PyResult<()> {
        let Batches { result, batching } = match answer {
            Ok(batches) => batches,
            Err(error) => {
                return Cursor::take_driven(slf, connection, sql, Mode::Normal, Err(error));
            }
        };
        let description = result.description.clone();
        Cursor::store(slf, vec![result], Mode::CountOnly)?;
        let (Some(description), Some(batching)) = (description, batching) else { return Ok(()) };
        let layout = slf.get().layout_of(slf.py(), &description)?;
        let fetched = Fetched::new(ResultSet::default(), layout, Codec::Utf8.into());
        let old = {
            let mut inner = lock(&slf.get().inner);
            inner.rowcount = i64::try_from(batching.rows()).unwrap_or(i64::MAX);
            inner.batching = Some(batching);
            (inner.fetched.replace(fetched.into()), inner.description.take())
        };
        drop(old);
        Ok(())
    }
}
