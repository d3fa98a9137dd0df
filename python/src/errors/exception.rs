//! PEP 249's exceptions as classes, and psycopg2's attributes on them.

use std::sync::{Arc, Mutex};

use kecoa_proto::ServerError;
use pyo3::exceptions::{PyException, PyTypeError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};

use crate::convert::codec::Codec;
use crate::names;
use crate::sync::{lock, lock_attached};

/// `kecoa.Error`: an exception that knows what the server reported.
#[pyclass(extends = PyException, subclass, frozen, name = "Error", module = "kecoa")]
#[derive(Default)]
pub(crate) struct DriverError {
    details: Mutex<Details>,
}

/// What an error holds beside its message.
#[derive(Default)]
pub(crate) struct Details {
    /// SQLSTATE.
    pub(crate) code: Option<String>,
    /// The message as libpq prints it, severity first.
    pub(crate) message: Option<String>,
    /// The cursor that raised it.
    pub(crate) cursor: Option<Py<PyAny>>,
    /// The server's report.
    pub(crate) report: Option<Report>,
    /// The connection is gone.
    pub(crate) lost: bool,
    /// COMMIT was sent and whether it took effect is not known.
    pub(crate) commit_sent: bool,
}

/// A server's report and the encoding of its texts.
#[derive(Clone)]
pub(crate) struct Report {
    pub(crate) server: Arc<ServerError>,
    pub(crate) codec: Arc<Codec>,
}

impl DriverError {
    fn with<T>(&self, work: impl FnOnce(&mut Details) -> T) -> T {
        work(&mut lock(&self.details))
    }

    /// Stores the details of an error just made; what was there before is dropped unlocked.
    pub(crate) fn set(&self, details: Details) {
        drop(self.with(|old| std::mem::replace(old, details)));
    }

    /// Names the cursor, unless one is named.
    pub(crate) fn set_cursor(&self, cursor: Py<PyAny>) {
        let unused = self.with(|details| match details.cursor {
            Some(_) => Some(cursor),
            None => {
                details.cursor = Some(cursor);
                None
            }
        });
        drop(unused);
    }

    fn report(&self) -> Option<Report> {
        self.with(|details| details.report.clone())
    }

    /// The same details, for an error that says more of the same.
    pub(crate) fn copied(&self, py: Python<'_>) -> Details {
        self.with(|details| Details {
            code: details.code.clone(),
            message: details.message.clone(),
            cursor: details.cursor.as_ref().map(|cursor| cursor.clone_ref(py)),
            report: details.report.clone(),
            lost: details.lost,
            commit_sent: details.commit_sent,
        })
    }

    /// SQLSTATE, connection lost, COMMIT in flight.
    pub(crate) fn facts(&self) -> (Option<String>, bool, bool) {
        self.with(|details| (details.code.clone(), details.lost, details.commit_sent))
    }
}

#[pymethods]
impl DriverError {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs), text_signature = "(*args)")]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> DriverError {
        DriverError::default()
    }

    /// The SQLSTATE, if the server reported one.
    #[getter]
    fn pgcode(&self) -> Option<String> {
        self.with(|details| details.code.clone())
    }

    /// The message as the server reported it, if it did.
    #[getter]
    fn pgerror(&self) -> Option<String> {
        self.with(|details| details.message.clone())
    }

    /// The cursor that raised the error, if one did.
    #[getter]
    fn cursor(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.with(|details| details.cursor.as_ref().map(|cursor| cursor.clone_ref(py)))
    }

    /// All fields of the server's report.
    #[getter]
    fn diag(slf: &Bound<'_, Self>) -> Diagnostics {
        Diagnostics::new(slf)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let py = slf.py();
        let state = PyDict::new(py);
        let (code, message) =
            slf.get().with(|details| (details.code.clone(), details.message.clone()));
        if let Some(message) = message {
            state.set_item("pgerror", message)?;
        }
        if let Some(code) = code {
            state.set_item("pgcode", code)?;
        }
        let (_, lost, commit_sent) = slf.get().facts();
        if lost || commit_sent {
            state.set_item("_facts", (lost, commit_sent))?;
        }
        let mut class = slf.get_type().into_any();
        // A class that was made for a SQLSTATE is found under no name: its first base is.
        if class.getattr("__name__")?.eq("AmbiguousCommitError")? {
            class = names::class(py, "AmbiguousCommitError").into_any();
        }
        let args = slf.getattr("args")?;
        PyTuple::new(py, [class, args, state.into_any()])
    }

    fn __setstate__(&self, state: &Bound<'_, PyAny>) -> PyResult<()> {
        if state.is_none() {
            return Ok(());
        }
        let state = state
            .cast::<PyDict>()
            .map_err(|_| PyTypeError::new_err("state is not a dictionary"))?;
        let text = |key: &str| -> PyResult<Option<String>> {
            match state.get_item(key)? {
                Some(value) => value.extract(),
                None => Ok(None),
            }
        };
        let (lost, commit_sent) = match state.get_item("_facts")? {
            Some(facts) => facts.extract()?,
            None => (false, false),
        };
        self.set(Details {
            code: text("pgcode")?,
            message: text("pgerror")?,
            lost,
            commit_sent,
            ..Details::default()
        });
        Ok(())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // A lock that is held means that a reference is being changed right now: nothing to visit
        // that is garbage.
        if let Ok(details) = self.details.try_lock() {
            visit.call(&details.cursor)?;
        }
        Ok(())
    }

    fn __clear__(&self) {
        drop(self.with(|details| details.cursor.take()));
    }
}

/// `Error.diag`: every field of the server's report, None where there is none.
#[pyclass(subclass, frozen, module = "kecoa.extensions")]
pub(crate) struct Diagnostics {
    report: Option<Report>,
    /// Kept alive with its cursor, as psycopg2 keeps it.
    error: Py<DriverError>,
}

impl Diagnostics {
    fn field(&self, py: Python<'_>, code: u8) -> Option<String> {
        let report = self.report.as_ref()?;
        Some(report.codec.decode_lossy(py, report.server.field(code)?))
    }
}

/// Getters, one a field code (protocol, section "Error and Notice Message Fields").
macro_rules! fields {
    ($($name:ident $code:literal $doc:literal)*) => {
        #[pymethods]
        impl Diagnostics {
            #[new]
            fn new(exc: &Bound<'_, DriverError>) -> Diagnostics {
                Diagnostics { report: exc.get().report(), error: exc.clone().unbind() }
            }

            fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
                visit.call(&self.error)
            }

            $(
                #[doc = $doc]
                #[getter]
                fn $name(&self, py: Python<'_>) -> Option<String> {
                    self.field(py, $code)
                }
            )*
        }
    };
}

fields! {
    severity b'S' "ERROR, FATAL or PANIC, in the server's language."
    severity_nonlocalized b'V' "ERROR, FATAL or PANIC."
    sqlstate b'C' "The SQLSTATE."
    message_primary b'M' "The message."
    message_detail b'D' "More about the problem."
    message_hint b'H' "What to do about it."
    statement_position b'P' "Where in the statement, in characters from 1."
    internal_position b'p' "Where in `internal_query`, in characters from 1."
    internal_query b'q' "The statement that the server made by itself."
    context b'W' "The call stack of the server's functions."
    schema_name b's' "The schema of the object at fault."
    table_name b't' "The table."
    column_name b'c' "The column."
    datatype_name b'd' "The data type."
    constraint_name b'n' "The constraint."
    source_file b'F' "The server's source file."
    source_line b'L' "The line in it."
    source_function b'R' "The function in it."
}

/// Classes of ambiguous commits, by the class that each is caught as, too.
static AMBIGUOUS_CLASSES: Mutex<Vec<(Py<PyType>, Py<PyType>)>> = Mutex::new(Vec::new());

/// Name, base, documentation; a base comes before what derives from it.
const CLASSES: &[(&str, &str, &str)] = &[
    ("InterfaceError", "Error", "Error related to the database interface."),
    ("DatabaseError", "Error", "Error related to the database engine."),
    ("DataError", "DatabaseError", "Error related to problems with the processed data."),
    ("OperationalError", "DatabaseError", "Error related to database operation."),
    ("IntegrityError", "DatabaseError", "Error related to database integrity."),
    ("AmbiguousCommitError", "OperationalError", AMBIGUOUS),
    ("InternalError", "DatabaseError", "The database encountered an internal error."),
    ("ProgrammingError", "DatabaseError", "Error related to database programming."),
    (
        "NotSupportedError",
        "DatabaseError",
        "A method or database API was used which is not supported by the database.",
    ),
    ("QueryCanceledError", "OperationalError", "Error related to SQL query cancellation."),
    (
        "TransactionRollbackError",
        "OperationalError",
        "Error causing transaction rollback (deadlocks, serialization failures, etc).",
    ),
];

const AMBIGUOUS: &str = "What commits was sent, and whether it took effect is unknown.

COMMIT in any form, or a statement outside of a transaction: the connection was lost before it was
answered, or the server says that it does not know. The database's error is `__cause__`. Look up what
would have been written, by a key that it inserts, before doing the work again. Where it was
`run_transaction` that gave up, `attempts` and `elapsed` (seconds) say how long it was tried.";

/// `class name(base)` in the module `home`.
fn make_class<'py>(
    name: &str,
    base: &Bound<'py, PyAny>,
    doc: &str,
    home: &str,
) -> PyResult<Bound<'py, PyType>> {
    let py = base.py();
    let body = PyDict::new(py);
    body.set_item("__module__", home)?;
    body.set_item("__doc__", doc)?;
    let bases = PyTuple::new(py, [base])?;
    Ok(py.get_type::<PyType>().call1((name, bases, body))?.cast_into::<PyType>()?)
}

/// Makes the classes and adds them to the module.
pub(crate) fn install(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let warning = make_class(
        "Warning",
        py.get_type::<PyException>().as_any(),
        "A database warning.",
        "kecoa",
    )?;
    let mut classes =
        vec![("Warning", warning.unbind()), ("Error", py.get_type::<DriverError>().unbind())];
    for (name, base, doc) in CLASSES {
        let base = classes
            .iter()
            .find(|(known, _)| known == base)
            .map(|(_, class)| class.bind(py).clone())
            .ok_or_else(|| PyTypeError::new_err("a base class is missing"))?;
        let home = match *name {
            "QueryCanceledError" | "TransactionRollbackError" => "kecoa.extensions",
            "AmbiguousCommitError" => "kecoa.retry",
            _ => "kecoa",
        };
        classes.push((name, make_class(name, base.as_any(), doc, home)?.unbind()));
    }
    for (name, class) in &classes {
        module.add(*name, class.clone_ref(py))?;
    }
    names::set_classes(py, classes)?;
    let ambiguous = names::class(py, "AmbiguousCommitError");
    ambiguous.setattr("attempts", 0)?;
    ambiguous.setattr("elapsed", 0.0)
}

/// AmbiguousCommitError that is caught as `class`, too: programs know that one by its SQLSTATE.
pub(crate) fn ambiguous<'py>(
    py: Python<'py>,
    class: &Bound<'py, PyType>,
) -> PyResult<Bound<'py, PyType>> {
    let plain = names::class(py, "AmbiguousCommitError");
    if plain.is_subclass(class)? {
        return Ok(plain);
    }
    let known = |made: &[(Py<PyType>, Py<PyType>)]| {
        let known = made.iter().find(|(of, _)| of.bind(py).is(class));
        known.map(|(_, made)| made.clone_ref(py).into_bound(py))
    };
    if let Some(known) = known(&lock_attached(py, &AMBIGUOUS_CLASSES)) {
        return Ok(known);
    }
    let body = PyDict::new(py);
    body.set_item("__module__", plain.getattr("__module__")?)?;
    body.set_item("__doc__", AMBIGUOUS)?;
    let bases = PyTuple::new(py, [&plain, class])?;
    let made = py.get_type::<PyType>().call1((plain.name()?, bases, body))?;
    let made = made.cast_into::<PyType>()?;
    let pair = (class.clone().unbind(), made.clone().unbind());
    let mut classes = lock_attached(py, &AMBIGUOUS_CLASSES);
    // Another thread may have made one meanwhile: there is to be one only.
    if let Some(known) = known(&classes) {
        drop(classes);
        return Ok(known);
    }
    classes.push(pair);
    Ok(made)
}
