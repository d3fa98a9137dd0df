//! The literal of any value.

use pyo3::exceptions::PyRecursionError;
use pyo3::prelude::*;

use super::literal_options::LiteralOptions;
use super::registered::{self, Builtin};
use super::settings::Settings;
use super::{datetime, protocol, scalar, string};
use crate::names;

/// Writes literals for one statement.
pub(crate) struct Dumper<'a, 'py> {
    pub(crate) py: Python<'py>,
    pub(crate) settings: &'a Settings,
    pub(crate) connection: Option<&'a Bound<'py, PyAny>>,
    /// Where the literals differ from psycopg2's.
    pub(crate) options: LiteralOptions,
    /// For each [`Builtin`]: 0 not looked up yet, 1 its adapter is ours, 2 it was replaced.
    seen: [u8; 15],
    depth: u32,
}

impl<'a, 'py> Dumper<'a, 'py> {
    pub(crate) fn new(
        py: Python<'py>,
        settings: &'a Settings,
        connection: Option<&'a Bound<'py, PyAny>>,
    ) -> Dumper<'a, 'py> {
        Dumper {
            py,
            settings,
            connection,
            options: LiteralOptions::default(),
            seen: [0; 15],
            depth: 0,
        }
    }

    /// Whether `adapters` still holds our own adapter for a type. Looked up once a statement: the
    /// dictionary is the user's to change, and a lookup a value would cost more than the literal.
    #[inline]
    fn is_ours(&mut self, builtin: Builtin) -> PyResult<bool> {
        let index = usize::from(builtin as u8);
        let Some(seen) = self.seen.get_mut(index) else { return Ok(false) };
        if *seen == 0 {
            *seen = if registered::is_ours(self.py, builtin)? { 1 } else { 2 };
        }
        Ok(*seen == 1)
    }

    /// Forgets which adapters are ours: code of the program's may have changed that.
    pub(crate) fn look_anew(&mut self) {
        self.seen = [0; 15];
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
            Builtin::Int if self.options.enclosed => scalar::int_enclosed(value, out),
            Builtin::Int => scalar::int(value, out),
            Builtin::Float => scalar::float(value, out),
            Builtin::Decimal => scalar::decimal(value, self.options.infinite, out),
            Builtin::Str => string::text(value, self.settings, out),
            Builtin::Bytes | Builtin::Bytearray | Builtin::Memoryview => {
                string::binary(value, self.settings, out)
            }
            Builtin::List => self.nested(|dumper| dumper.array(value, out)),
            Builtin::Tuple => self.nested(|dumper| dumper.tuple(value, out)),
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
            return Err(PyRecursionError::new_err(
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
        let dumped = self.dump_adapter(&adapted, out);
        self.look_anew();
        dumped
    }

    /// Appends text as a string literal, in UTF-8. Where a byte of it could pass for a backslash to the
    /// server it is to be ASCII.
    pub(crate) fn text_literal(&self, text: &str, out: &mut Vec<u8>) -> PyResult<()> {
        if self.settings.codec.characters().embeds_ascii() && !text.is_ascii() {
            return Err(names::not_supported_error(
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
            protocol::prepare(adapted, connection)?;
        }
        let quoted = protocol::quoted(adapted, &self.settings.codec)?;
        out.extend_from_slice(quoted.as_bytes());
        Ok(())
    }
}
