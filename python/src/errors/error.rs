//! The only place where the client's errors become Python exceptions.

use std::sync::Arc;

use kecoa::retry::{Failure, classify, is_commit};
use kecoa_proto::ServerError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyType};

use crate::convert::codec::Codec;
use crate::errors::exception::{self, Details, DriverError, Report};
use crate::errors::report::{self, Decode, Style};
use crate::limit::Limit;
use crate::names::{self, Installed};
use crate::observe;

/// What is known about the statement that failed.
pub(crate) struct ErrorContext<'a, 'py> {
    /// The statement's text, for the line with the caret.
    pub(crate) statement: Option<&'a [u8]>,
    /// The connection's encoding.
    pub(crate) codec: &'a Arc<Codec>,
    /// The cursor at work.
    pub(crate) cursor: Option<&'a Bound<'py, PyAny>>,
    /// The statement was COMMIT.
    pub(crate) commit: bool,
}

/// Decodes a report's texts with the connection's codec.
pub(crate) struct Decoder<'a, 'py> {
    pub(crate) py: Python<'py>,
    pub(crate) codec: &'a Codec,
}

impl Decode for Decoder<'_, '_> {
    fn decode(&self, bytes: &[u8]) -> String {
        self.codec.decode_lossy(self.py, bytes)
    }
}

/// The class for a SQLSTATE that has none of its own, by its class as psycopg2 groups them.
fn base_class(sqlstate: &str) -> &'static str {
    if sqlstate == "57014" {
        return "QueryCanceledError";
    }
    match sqlstate.get(..2) {
        Some("0A") => "NotSupportedError",
        Some("20" | "21" | "3D" | "3F" | "42" | "44") => "ProgrammingError",
        Some("22") => "DataError",
        Some("23") => "IntegrityError",
        Some("24" | "25" | "2B" | "2D" | "2F" | "38" | "39" | "3B") => "InternalError",
        Some("08" | "26" | "27" | "28" | "34") => "OperationalError",
        Some("40") => "TransactionRollbackError",
        Some(class) if class.starts_with('5') || class.starts_with('H') => "OperationalError",
        Some(class) if class.starts_with(['F', 'P', 'X']) => "InternalError",
        _ => "DatabaseError",
    }
}

/// SQLSTATE -> exception class; filled by the Python package.
static SQLSTATE_ERRORS: Installed<Py<PyDict>> = Installed::new();

/// Adds the empty dictionary of classes by SQLSTATE to the module.
pub(crate) fn install(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let classes = PyDict::new(module.py());
    module.add("sqlstate_errors", &classes)?;
    SQLSTATE_ERRORS.set(module.py(), classes.unbind())
}

/// The class that `sqlstate_errors` (live) has for a SQLSTATE, or the one of its condition class.
fn class_for<'py>(py: Python<'py>, sqlstate: &str) -> PyResult<Bound<'py, PyType>> {
    if let Some(class) = SQLSTATE_ERRORS.get(py)?.bind(py).get_item(sqlstate)?
        && let Ok(class) = class.cast_into::<PyType>()
    {
        return Ok(class);
    }
    Ok(names::class(py, base_class(sqlstate)))
}

/// The exception for a client's error.
pub(crate) fn exception(
    py: Python<'_>,
    error: &kecoa::Error,
    context: &ErrorContext<'_, '_>,
) -> PyErr {
    observe::note_lost(py, error);
    build(py, error, context).unwrap_or_else(|problem| problem)
}

/// The same where neither the statement nor a cursor is known.
pub(crate) fn plain_exception(py: Python<'_>, error: &kecoa::Error, codec: &Arc<Codec>) -> PyErr {
    exception(py, error, &ErrorContext { statement: None, codec, cursor: None, commit: false })
}

fn build(py: Python<'_>, error: &kecoa::Error, context: &ErrorContext<'_, '_>) -> PyResult<PyErr> {
    let failure = classify(error, context.commit);
    let ambiguous = failure == Failure::Ambiguous;
    // What is ambiguous is said on top; behind it is the database's own.
    let plain = match error.last_attempt() {
        Some(cause) if error.kind() == kecoa::ErrorKind::AmbiguousCommit => cause,
        _ => error,
    };
    let details = || Details {
        lost: error.is_connection_lost()
            || matches!(failure, Failure::LostBeforeCommit | Failure::Ambiguous),
        commit_sent: ambiguous,
        cursor: context.cursor.map(|cursor| cursor.clone().unbind()),
        ..Details::default()
    };
    let raised = match error.server() {
        Some(server) => {
            let code = server.sqlstate().as_str().to_owned();
            let class = class_for(py, &code)?;
            let text = server_text(py, server, context);
            let mut shown = report::without_severity(&text).to_owned();
            if is_of_parameter(&code, &shown) {
                shown.push_str(PARAMETER_HINT);
            }
            if let Some(hint) = context.statement.and_then(|sql| dotted_hint(&code, &shown, sql)) {
                shown.push_str(&hint);
            }
            if code == "42703" && shown.contains("\"__index_level_") {
                shown.push_str(&format!("HINT:  {PANDAS_INDEX}\n"));
            }
            let report = Report { server: Arc::new(server.clone()), codec: context.codec.clone() };
            let details = Details {
                code: Some(code),
                report: Some(report),
                message: Some(text),
                ..details()
            };
            make(&class, &shown, details)?
        }
        None => make(&own_class(py, plain)?, &plain.to_string(), details())?,
    };
    if ambiguous { ambiguous_of(&raised, context) } else { Ok(PyErr::from_value(raised)) }
}

/// What to do where a value has a type as a literal and none as a parameter.
const PARAMETER_HINT: &str = "HINT:  the value travels as a parameter, whose type the server has to find \
    out; cast it, as in %s::text, or merge it into the statement: execute(..., binding=\"client\")\n";

/// What to do where the data of `copy_arrow` has a column `__index_level_0__`: pandas gives an index that has no
/// name, and is not 0, 1, 2, as such a column.
pub(crate) const PANDAS_INDEX: &str =
    "it is the index of a pandas DataFrame; give the data without it: df.reset_index(drop=True)";

/// Whether the server has not found out a parameter's type: `indeterminate_datatype` and
/// `ambiguous_parameter`. Literals have no such errors.
fn is_of_parameter(sqlstate: &str, text: &str) -> bool {
    matches!(sqlstate, "42P18" | "42P08")
        && (text.contains("parameter $") || text.contains("placeholder $"))
}

/// What to do where no table was found because its name has a dot in it: as psycopg2 does, `copy_from` and
/// `sql.Identifier` quote what they are given, and `"public.totals"` is one name.
fn dotted_hint(sqlstate: &str, text: &str, statement: &[u8]) -> Option<String> {
    let name = text.split('"').nth(1).filter(|_| sqlstate == "42P01")?;
    let (schema, table) = name.split_once('.')?;
    memchr::memmem::find(statement, format!("\"{name}\"").as_bytes())?;
    // What copy_from and copy_to send.
    let plain = memchr::memmem::find(statement, b" WITH DELIMITER AS ").is_some();
    let also = if plain { "; copy_from and copy_to take no schema, copy_expert does" } else { "" };
    Some(format!(
        "HINT:  in quotes, \"{name}\" is one name with a dot in it; the table of a schema is \
         \"{schema}\".\"{table}\": sql.Identifier(\"{schema}\", \"{table}\"){also}\n"
    ))
}

/// An exception of our own.
fn make<'py>(
    class: &Bound<'py, PyType>,
    text: &str,
    details: Details,
) -> PyResult<Bound<'py, PyAny>> {
    let value = class.call1((PyString::new(class.py(), text),))?;
    if let Ok(driver_error) = value.cast::<DriverError>() {
        driver_error.get().set(details);
    }
    Ok(value)
}

/// The exception that says of another one, its cause, that what commits was in flight.
fn ambiguous_of(cause: &Bound<'_, PyAny>, context: &ErrorContext<'_, '_>) -> PyResult<PyErr> {
    let py = cause.py();
    let class = exception::ambiguous(py, &cause.get_type())?;
    let commit = context.commit || context.statement.is_some_and(is_commit);
    let (sent, subject) = match commit {
        true => ("COMMIT", "The transaction may or may not have been committed"),
        false => ("A statement outside of a transaction", "It may or may not have taken effect"),
    };
    let name = cause.get_type().name()?;
    let said = cause.str()?.to_string();
    let said = said.lines().next().unwrap_or_default().trim();
    let text = format!(
        "{sent} was sent and its outcome is unknown ({name}: {said}). {subject}: look up what it \
         would have written before doing it again"
    );
    let details = cause.cast::<DriverError>().map(|error| error.get().copied(py));
    let value = make(&class, &text, details.unwrap_or_default())?;
    let raised = PyErr::from_value(value);
    raised.set_cause(py, Some(PyErr::from_value(cause.clone())));
    Ok(raised)
}

/// The error of a request that was interrupted, which may be behind that of an ambiguous commit.
pub(crate) fn is_interrupted(error: &kecoa::Error) -> bool {
    let cause = match error.kind() {
        kecoa::ErrorKind::AmbiguousCommit => error.last_attempt().unwrap_or(error),
        _ => error,
    };
    cause.kind() == kecoa::ErrorKind::Interrupted
}

/// The exception for a statement that was cancelled because its time was up: QueryCanceled, whatever
/// the server made of the request to cancel; an ambiguous commit where that is not known.
pub(crate) fn timed_out(
    py: Python<'_>,
    error: &kecoa::Error,
    limit: Limit,
    codec: &Arc<Codec>,
) -> PyErr {
    let build = || {
        let outcome = match error.server() {
            Some(_) => "it was cancelled",
            None if error.is_connection_lost() => {
                "the server did not end it when asked to cancel, so the connection was closed"
            }
            None => "it ended before it could be cancelled, and its result is dropped",
        };
        let time = limit.time;
        let text = format!("the statement took longer than its limit of {time:?}: {outcome}");
        let ambiguous = classify(error, limit.commit) == Failure::Ambiguous;
        let details = Details {
            lost: error.is_connection_lost(),
            commit_sent: ambiguous,
            code: Some("57014".to_owned()),
            report: error
                .server()
                .map(|server| Report { server: Arc::new(server.clone()), codec: codec.clone() }),
            message: Some(text.clone()),
            ..Details::default()
        };
        let raised = make(&class_for(py, "57014")?, &text, details)?;
        if !ambiguous {
            return Ok(PyErr::from_value(raised));
        }
        let commit = limit.commit;
        ambiguous_of(&raised, &ErrorContext { statement: None, codec, cursor: None, commit })
    };
    build().unwrap_or_else(|problem: PyErr| problem)
}

fn server_text(py: Python<'_>, server: &ServerError, context: &ErrorContext<'_, '_>) -> String {
    let statement = context.statement.map(|sql| context.codec.decode_lossy(py, sql));
    let decoder = Decoder { py, codec: context.codec };
    report::format(server, statement.as_deref(), Style::Error, &decoder)
}

/// The class for an error that no server reported.
fn own_class<'py>(py: Python<'py>, error: &kecoa::Error) -> PyResult<Bound<'py, PyType>> {
    use kecoa::ErrorKind;
    let name = match error.kind() {
        ErrorKind::Usage | ErrorKind::Config => "ProgrammingError",
        ErrorKind::Conversion => "DataError",
        // The class of what the server itself says of limits, without its code: it said nothing.
        ErrorKind::ResultTooLarge => return class_for(py, "54000"),
        _ => "OperationalError",
    };
    Ok(names::class(py, name))
}

/// The exception for a connection that could not be made: always OperationalError, as psycopg2
/// raises whatever the server's SQLSTATE.
pub(crate) fn connect_exception(py: Python<'_>, error: &kecoa::Error) -> PyErr {
    let raised = names::operational_error(py, format!("{error}\n"));
    if let Ok(driver_error) = raised.value(py).cast::<DriverError>() {
        let failure = classify(error, false);
        driver_error.get().set(Details {
            code: error.sqlstate().map(ToOwned::to_owned),
            report: error
                .server()
                .map(|server| Report { server: Arc::new(server.clone()), codec: Arc::default() }),
            lost: failure == Failure::LostBeforeCommit,
            ..Details::default()
        });
    }
    raised
}

/// The exception for a call that libpq makes by itself, such as one on a large object: always
/// OperationalError, with the whole report as text and no SQLSTATE.
pub(crate) fn operational(py: Python<'_>, error: &kecoa::Error, codec: &Arc<Codec>) -> PyErr {
    let text = match error.server() {
        Some(server) => {
            report::format(server, None, Style::Error, &Decoder { py, codec: codec.as_ref() })
        }
        None => error.to_string(),
    };
    let raised = names::operational_error(py, text);
    if let Ok(driver_error) = raised.value(py).cast::<DriverError>() {
        let failure = classify(error, false);
        driver_error.get().set(Details {
            lost: error.is_connection_lost() || failure == Failure::LostBeforeCommit,
            ..Details::default()
        });
    }
    raised
}

/// The exception for a connection that ended while no statement waited for it: OperationalError.
pub(crate) fn lost(py: Python<'_>, message: &str) -> PyErr {
    let raised = names::operational_error(py, message);
    if let Ok(driver_error) = raised.value(py).cast::<DriverError>() {
        driver_error.get().set(Details { lost: true, ..Details::default() });
    }
    raised
}

/// A notice's fields, as `Error.diag` shows an error's.
pub(crate) fn diagnostics<'py>(
    py: Python<'py>,
    notice: ServerError,
    codec: &Arc<Codec>,
) -> PyResult<Bound<'py, PyAny>> {
    let holder = names::driver_error(py, "");
    if let Ok(driver_error) = holder.value(py).cast::<DriverError>() {
        let report = Report { server: Arc::new(notice), codec: codec.clone() };
        driver_error.get().set(Details { report: Some(report), ..Details::default() });
    }
    holder.value(py).getattr("diag")
}

/// COPY FROM gave up because the file's `read` raised, and the server did not say so: what its error
/// 57014 would be, which names the cause's class and text.
pub(crate) fn read_failed(py: Python<'_>, cause: PyErr) -> PyErr {
    let class = match class_for(py, "57014") {
        Ok(class) => class,
        Err(error) => return error,
    };
    let name = cause.get_type(py).name().map(|name| name.to_string()).unwrap_or_default();
    let text = cause.value(py).str().map(|text| text.to_string()).unwrap_or_default();
    let raised = PyErr::from_type(
        class,
        (format!("COPY from stdin failed: error in .read() call: {name} {text}\n"),),
    );
    raised.set_cause(py, Some(cause));
    raised
}

/// Puts the cursor on an exception that has none, as psycopg2 does for those it raises itself.
pub(crate) fn with_cursor(py: Python<'_>, error: PyErr, cursor: &Bound<'_, PyAny>) -> PyErr {
    if let Ok(driver_error) = error.value(py).cast::<DriverError>() {
        driver_error.get().set_cursor(cursor.clone().unbind());
    }
    error
}

#[cfg(test)]
mod tests {
    use super::base_class;

    #[test]
    fn groups_sqlstates_as_psycopg2_does() {
        for (sqlstate, class) in [
            ("57014", "QueryCanceledError"),
            ("57P01", "OperationalError"),
            ("40001", "TransactionRollbackError"),
            ("42P99", "ProgrammingError"),
            ("0A000", "NotSupportedError"),
            ("XXUUU", "InternalError"),
            ("XCUBS", "InternalError"),
            ("72000", "DatabaseError"),
            ("", "DatabaseError"),
        ] {
            assert_eq!(base_class(sqlstate), class, "{sqlstate}");
        }
    }
}
