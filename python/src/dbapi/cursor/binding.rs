//! Server binding: a statement's values travel beside it, and the server prepares what comes again.

use std::borrow::Cow;
use std::sync::Arc;

use kecoa::ResultSet;
use kecoa::call::{CallRequest, Results};
use kecoa_proto::Format;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use super::Cursor;
use super::Mode;
use super::overlap::{Overlap, Work};
use super::statement::{MarkedText, merge_marked, merge_marked_by, statement};
use crate::convert::dump::{Dumper, LiteralOptions, Settings};
use crate::convert::formats::{Formats, is_utc};
use crate::convert::layout::Layout;
use crate::convert::parameters::{Binding, Template, Values, is_row_statement, template_of};
use crate::dbapi::connection::Connection;
use crate::sync::lock;

/// A statement with its values apart.
pub(crate) struct BoundCall {
    template: Arc<Template>,
    values: Values,
}

impl BoundCall {
    /// The statement with `$1`, `$2`, …: what the server's errors are about.
    pub(crate) fn sql(&self) -> &[u8] {
        &self.template.sql
    }

    /// Its values, and their types.
    pub(crate) fn values(&self) -> &Values {
        &self.values
    }

    /// A statement that has its values in its text, where it is one that touches or gives rows.
    pub(crate) fn of_text(sql: &[u8]) -> Option<BoundCall> {
        is_row_statement(sql).then(|| BoundCall {
            template: Arc::new(Template::of_text(sql)),
            values: Values::default(),
        })
    }

    /// What goes to the server, with the results in the given forms, or in text form.
    pub(crate) fn with_results<T>(
        &self,
        begin: Option<&[u8]>,
        formats: Option<&Formats>,
        work: impl FnOnce(&CallRequest<'_>) -> T,
    ) -> T {
        let parameters = self.values.parameters();
        work(&CallRequest {
            begin,
            sql: &self.template.sql,
            types: &self.values.types,
            parameters: &parameters,
            results: formats
                .map_or(Results::All(Format::Text), |formats| Results::Each(formats.each())),
        })
    }
}

/// A statement as client binding has it, and apart where server binding means the same.
pub(crate) fn bound<'py>(
    slf: &Bound<'py, Cursor>,
    connection: &Bound<'py, Connection>,
    query: &Bound<'py, PyAny>,
    vars: Option<&Bound<'py, PyAny>>,
) -> PyResult<(Vec<u8>, Option<BoundCall>)> {
    let settings = connection.get().settings();
    let sql = statement(query, &settings, slf.as_any())?;
    bind(slf, connection, &settings, sql, vars)
}

/// A statement with each of several sets of arguments: apart, or as text where that does not mean the
/// same. What they share is looked at once.
pub(crate) fn bound_many<'py>(
    slf: &Bound<'py, Cursor>,
    connection: &Bound<'py, Connection>,
    query: &Bound<'py, PyAny>,
    many: &Bound<'py, PyList>,
) -> PyResult<Vec<Result<BoundCall, Vec<u8>>>> {
    if many.is_empty() {
        return Ok(Vec::new());
    }
    let settings = connection.get().settings();
    let sql = statement(query, &settings, slf.as_any())?;
    let rules = settings.rules(connection.get().is_cockroach());
    let template = template_of(&sql, rules.characters);
    let mut out = MarkedText::default();
    let mut calls = Vec::with_capacity(many.len());
    let mut dumper = Dumper::new(slf.py(), &settings, Some(connection.as_any()));
    dumper.options = LiteralOptions::beside(Binding::Server);
    for vars in many {
        if vars.is_none() {
            calls.push(BoundCall::of_text(&sql).ok_or_else(|| sql.to_vec()));
            continue;
        }
        if !vars.is_exact_instance_of::<PyTuple>() && !vars.is_exact_instance_of::<PyList>() {
            // It may be of the program's making.
            dumper.look_anew();
        }
        merge_marked_by(slf, &mut dumper, &sql, &vars, &mut out)?;
        let values = template.as_ref().and_then(|t| Values::of(&t.untyped, out.literals(), rules));
        calls.push(match (&template, values) {
            (Some(template), Some(values)) => Ok(BoundCall { template: template.clone(), values }),
            _ => {
                out.settle(LiteralOptions::of(Binding::Server, &sql));
                let text = std::mem::take(&mut out.text);
                BoundCall::of_text(&text).ok_or(text)
            }
        });
    }
    Ok(calls)
}

/// The same of a statement's text.
fn bind<'py>(
    slf: &Bound<'py, Cursor>,
    connection: &Bound<'py, Connection>,
    settings: &Settings,
    sql: Cow<'_, [u8]>,
    vars: Option<&Bound<'py, PyAny>>,
) -> PyResult<(Vec<u8>, Option<BoundCall>)> {
    let Some(vars) = vars.filter(|vars| !vars.is_none()) else {
        let call = BoundCall::of_text(&sql);
        return Ok((sql.into_owned(), call));
    };
    let mut out = MarkedText::default();
    merge_marked(slf, connection, settings, Binding::Server, &sql, vars, &mut out)?;
    let rules = settings.rules(connection.get().is_cockroach());
    let call = template_of(&sql, rules.characters).and_then(|template| {
        let values = Values::of(&template.untyped, out.literals(), rules)?;
        Some(BoundCall { template, values })
    });
    if call.is_none() {
        out.settle(LiteralOptions::of(Binding::Server, &sql));
    }
    Ok((out.text, call))
}

/// What came of a call, and the layout that was expected, where its columns were known.
type Answer = (Option<Arc<Layout>>, Result<ResultSet, kecoa::Error>);

impl Cursor {
    /// `execute` by server binding, where the statement and its values allow it.
    pub(super) fn execute_bound<'py>(
        slf: &Bound<'py, Cursor>,
        connection: &Bound<'py, Connection>,
        settings: &Settings,
        sql: Cow<'_, [u8]>,
        vars: Option<&Bound<'py, PyAny>>,
        mode: Mode,
    ) -> PyResult<()> {
        let (text, call) = bind(slf, connection, settings, sql, vars)?;
        let text: Arc<[u8]> = text.into();
        slf.get().show_query(text.clone());
        let Some(call) = call else {
            return Cursor::run(slf, connection, &text, mode);
        };
        let old = lock(&slf.get().inner).forget();
        drop(old);
        let (layout, driven) =
            Cursor::run_call(slf, connection, &call, Overlap::in_mode(slf, mode))?;
        match driven {
            Ok(result) => Cursor::store_with(slf, vec![result], mode, layout),
            Err(error) => {
                Cursor::take_driven(slf, connection, &call.template.sql, mode, Err(error))
            }
        }
    }

    /// Runs a call, with BEGIN in front where the connection is to open a transaction.
    fn run_call(
        slf: &Bound<'_, Cursor>,
        connection: &Bound<'_, Connection>,
        call: &BoundCall,
        work: Work,
    ) -> PyResult<Answer> {
        let planned = connection.get().plan_call(&call.template.sql, &call.values.types, false);
        let layout = match planned.as_ref().and_then(|(plan, utc)| Some((plan.description()?, utc)))
        {
            Some((description, utc)) => Some((slf.get().layout_of(slf.py(), description)?, *utc)),
            None => None,
        };
        let formats = layout.as_ref().and_then(|(layout, utc)| layout.formats(*utc));
        let driven = Connection::drive_user(connection, true, |client, begin, hook| {
            hook.work(work);
            let plan = match planned {
                Some((plan, _)) => plan,
                None => client.plan_call(&call.template.sql, &call.values.types),
            };
            // Another thread may have moved the session to another zone meanwhile.
            let formats = formats
                .filter(|formats| !formats.needs_utc() || is_utc(client.parameter("TimeZone")));
            call.with_results(begin, formats, |request| {
                let pending = client.submit_call(plan, request)?;
                client.finish_call(pending, request, hook)
            })
        })?;
        Ok((layout.map(|(layout, _)| layout), driven))
    }
}
