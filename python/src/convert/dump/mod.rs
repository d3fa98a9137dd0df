//! From Python values to SQL literals, byte for byte psycopg2's.

pub(crate) mod adapters;
mod datetime;
mod list;
pub(crate) mod protocol;
mod scalar;
mod string;

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};

use crate::convert::codec::Codec;
use crate::convert::parameters::{Rules, is_row_statement};
use crate::dbapi::connection::Connection;
use crate::dbapi::cursor::Binding;
use crate::globals::{self, BuiltinAdapter};

/// What a connection decides about literals.
#[derive(Clone)]
pub(crate) struct Settings {
    /// How text is encoded.
    pub(crate) codec: Arc<Codec>,
    /// `standard_conforming_strings`: a backslash is a plain character in `'…'`.
    pub(crate) standard_strings: bool,
    /// There is a connection. Without one, libpq writes bytea in its old escape format.
    pub(crate) connected: bool,
}

/// What the last connection said, for adapters that quote without one (libpq keeps the same).
static LAST_STANDARD_STRINGS: AtomicBool = AtomicBool::new(false);

/// Remembers the setting of the connection that was last used.
pub(crate) fn remember_standard_strings(on: bool) {
    LAST_STANDARD_STRINGS.store(on, Ordering::Relaxed);
}

impl Settings {
    /// Where no connection is known.
    pub(crate) fn unconnected(codec: Codec) -> Settings {
        Settings {
            codec: Arc::new(codec),
            standard_strings: LAST_STANDARD_STRINGS.load(Ordering::Relaxed),
            connected: false,
        }
    }

    /// How the server reads literals; its integers may be `wide`.
    pub(crate) fn rules(&self, wide: bool) -> Rules {
        let characters = self.codec.characters();
        Rules { characters, standard_strings: self.standard_strings, wide }
    }
}

/// The types that have a fast path, in the order of `Globals::builtin_adapters`.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Builtin {
    Bool,
    Int,
    Float,
    Decimal,
    Str,
    Bytes,
    Bytearray,
    Memoryview,
    List,
    Tuple,
    Date,
    Time,
    Datetime,
    Timedelta,
    NoneType,
}

/// Where literals are others than psycopg2's: on connections that bind on the server, for what has to be
/// merged there after all.
#[derive(Clone, Copy, Default)]
pub(crate) struct Departures {
    /// Infinite decimals stay what they are.
    infinite: bool,
    /// The smallest integers are put in parentheses: in `-2147483648::int4` the cast comes first.
    enclosed: bool,
}

impl Departures {
    /// For a statement, or a piece of one, on a connection that binds in that way.
    pub(crate) fn of(binding: Binding, sql: &[u8]) -> Departures {
        if binding == Binding::Client {
            return Departures::default();
        }
        // SET, ALTER SEQUENCE and the like take a number without parentheses only.
        let takes_any = is_row_statement(sql) || sql.trim_ascii_start().first() == Some(&b'(');
        Departures { infinite: true, enclosed: takes_any }
    }

    /// The same for literals that may travel beside the statement; where they do not, their text is for
    /// [`enclose_smallest`](Departures::enclose_smallest).
    pub(crate) fn beside(binding: Binding, sql: &[u8]) -> (Departures, Departures) {
        let merged = Departures::of(binding, sql);
        (Departures { enclosed: false, ..merged }, merged)
    }

    /// Puts the smallest integers among the literals of a text, in order, into parentheses.
    pub(crate) fn enclose_smallest(self, literals: &[Range<usize>], text: &mut Vec<u8>) {
        if !self.enclosed {
            return;
        }
        for literal in literals.iter().rev() {
            let found = text.get(literal.clone()).unwrap_or_default();
            if scalar::SMALLEST.iter().any(|smallest| smallest.as_bytes() == found) {
                text.insert(literal.end, b')');
                text.insert(literal.start, b'(');
            }
        }
    }
}

/// Writes literals for one statement.
pub(crate) struct Dumper<'a, 'py> {
    pub(crate) py: Python<'py>,
    pub(crate) settings: &'a Settings,
    pub(crate) connection: Option<&'a Bound<'py, Connection>>,
    /// What of psycopg2's literals is not kept.
    pub(crate) departs: Departures,
    /// For each [`Builtin`]: 0 not looked up yet, 1 its adapter is ours, 2 it was replaced.
    seen: [u8; 15],
    depth: u32,
}

impl<'a, 'py> Dumper<'a, 'py> {
    pub(crate) fn new(
        py: Python<'py>,
        settings: &'a Settings,
        connection: Option<&'a Bound<'py, Connection>>,
    ) -> Dumper<'a, 'py> {
        Dumper { py, settings, connection, departs: Departures::default(), seen: [0; 15], depth: 0 }
    }

    /// Whether `adapters` still holds our own adapter for a type. Looked up once a statement: the
    /// dictionary is the user's to change, and a lookup a value would cost more than the literal.
    #[inline]
    fn is_ours(&mut self, builtin: Builtin) -> PyResult<bool> {
        let index = usize::from(builtin as u8);
        let Some(seen) = self.seen.get_mut(index) else { return Ok(false) };
        if *seen == 0 {
            let globals = globals::get(self.py)?;
            *seen = match globals.builtin_adapters.get(index) {
                Some(BuiltinAdapter { key, adapter }) => {
                    let found = globals.adapters.bind(self.py).get_item(key)?;
                    if found.is_some_and(|found| found.is(adapter)) { 1 } else { 2 }
                }
                None => 2,
            };
        }
        Ok(*seen == 1)
    }

    /// Appends the literal of `value`.
    pub(crate) fn dump(&mut self, value: &Bound<'py, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
        match scalar::builtin(value) {
            Some(Builtin::NoneType) => {
                // As in psycopg2: never through the adapters.
                out.extend_from_slice(b"NULL");
                Ok(())
            }
            Some(builtin) if self.is_ours(builtin)? => self.dump_builtin(builtin, value, out),
            _ => self.dump_adapted(value, out),
        }
    }

    fn dump_builtin(
        &mut self,
        builtin: Builtin,
        value: &Bound<'py, PyAny>,
        out: &mut Vec<u8>,
    ) -> PyResult<()> {
        match builtin {
            Builtin::Bool => scalar::boolean(value, out),
            Builtin::Int if self.departs.enclosed => scalar::int_enclosed(value, out),
            Builtin::Int => scalar::int(value, out),
            Builtin::Float => scalar::float(value, out),
            Builtin::Decimal => scalar::decimal(value, self.departs.infinite, out),
            Builtin::Str => string::text(value, self.settings, out),
            Builtin::Bytes | Builtin::Bytearray | Builtin::Memoryview => {
                string::binary(value, self.settings, out)
            }
            Builtin::List => self.nested(|dumper| list::array(dumper, value, out)),
            Builtin::Tuple => self.nested(|dumper| list::tuple(dumper, value, out)),
            Builtin::Date => datetime::date(value, out),
            Builtin::Time => datetime::time(value, out),
            Builtin::Datetime => datetime::datetime(value, out),
            Builtin::Timedelta => datetime::interval(value, out),
            Builtin::NoneType => {
                out.extend_from_slice(b"NULL");
                Ok(())
            }
        }
    }

    /// Lists in lists: as deep as Python's own recursion limit is by default.
    fn nested(&mut self, work: impl FnOnce(&mut Self) -> PyResult<()>) -> PyResult<()> {
        if self.depth >= 500 {
            return Err(pyo3::exceptions::PyRecursionError::new_err(
                "maximum nesting exceeded while adapting a list",
            ));
        }
        self.depth += 1;
        let done = work(self);
        self.depth -= 1;
        done
    }

    /// Through psycopg2's protocol: adapt, prepare, getquoted.
    fn dump_adapted(&mut self, value: &Bound<'py, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
        let adapted = protocol::adapt_to_quote(value)?;
        self.dump_adapter(&adapted, out)
    }

    /// Appends text as a string literal, in UTF-8. Where a byte of it could pass for a backslash to the
    /// server it is to be ASCII.
    pub(crate) fn text_literal(&self, text: &str, out: &mut Vec<u8>) -> PyResult<()> {
        if self.settings.codec.characters().embeds_ascii() && !text.is_ascii() {
            return Err(globals::get(self.py)?.exceptions.not_supported(
                self.py,
                format!(
                    "expected ASCII in a name or separator on a connection in {}, found {text:?}: \
                     set its client_encoding to UTF8",
                    self.settings.codec.python_name()
                ),
            ));
        }
        string::escape_str(text, self.settings, out)
    }

    /// Appends what an adapter quotes.
    pub(crate) fn dump_adapter(
        &mut self,
        adapted: &Bound<'py, PyAny>,
        out: &mut Vec<u8>,
    ) -> PyResult<()> {
        if let Some(connection) = self.connection {
            protocol::prepare(adapted, connection.as_any())?;
        }
        let quoted = protocol::quoted(adapted, &self.settings.codec)?;
        out.extend_from_slice(quoted.as_bytes());
        Ok(())
    }
}

/// Makes `adapters`, with the keys by which a fast path knows that an entry is ours.
pub(crate) fn install(
    module: &Bound<'_, PyModule>,
    dict: &Bound<'_, PyDict>,
    isqlquote: &Bound<'_, PyType>,
    decimal: &Bound<'_, PyAny>,
) -> PyResult<Vec<BuiltinAdapter>> {
    let py = module.py();
    let builtins = py.import("builtins")?;
    let datetime = py.import("datetime")?;
    let builtin = |name: &str| builtins.getattr(name);
    let class = |name: &str| module.getattr(name);
    // In the order of `Builtin`.
    let entries = [
        (builtin("bool")?, class("Boolean")?),
        (builtin("int")?, class("Int")?),
        (builtin("float")?, class("Float")?),
        (decimal.clone(), class("Decimal")?),
        (builtin("str")?, class("QuotedString")?),
        (builtin("bytes")?, class("Binary")?),
        (builtin("bytearray")?, class("Binary")?),
        (builtin("memoryview")?, class("Binary")?),
        (builtin("list")?, class("List")?),
        (builtin("tuple")?, class("SQL_IN")?),
        (datetime.getattr("date")?, class("DateFromPy")?),
        (datetime.getattr("time")?, class("TimeFromPy")?),
        (datetime.getattr("datetime")?, class("TimestampFromPy")?),
        (datetime.getattr("timedelta")?, class("IntervalFromPy")?),
        (py.None().into_bound(py).get_type().into_any(), class("NoneAdapter")?),
    ];
    let mut known = Vec::with_capacity(entries.len());
    for (class, adapter) in entries {
        let key = PyTuple::new(py, [class, isqlquote.clone().into_any()])?;
        dict.set_item(&key, &adapter)?;
        known.push(BuiltinAdapter { key: key.unbind(), adapter: adapter.unbind() });
    }
    Ok(known)
}
