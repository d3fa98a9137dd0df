//! `cursor.copy_arrow`: record batches into a table, through COPY FROM STDIN.

use std::ffi::CStr;
use std::io::{self, Read};

use kecoa::blocking::Client;
use kecoa::{Error, Interrupt};
use kecoa_proto::Request;
use kecoa_types::literal;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

use super::abi::{ArrowArray, ArrowArrayStream, ArrowSchema, Release};
use super::capsule::{self, Taken};
use super::import;
use super::source::{self, SourceField};
use super::target::{self, Target};
use crate::convert::formats::is_utc;
use crate::errors::error::PANDAS_INDEX;

/// How many bytes are encoded before they are sent; one row more at most.
const CHUNK: usize = 64 * 1024;

/// The front of COPY's binary form: a signature, no flags, no extension.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// Its end: a row of -1 fields.
const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();

/// Where batches come from.
enum Batches {
    Stream(Taken<ArrowArrayStream>),
    One(Option<Taken<ArrowArray>>),
}

/// A table from outside: its columns, and its batches.
pub(crate) struct Input {
    fields: Vec<SourceField>,
    batches: Batches,
}

impl Input {
    /// Takes over what `__arrow_c_stream__` or `__arrow_c_array__` gives.
    ///
    /// # Errors
    /// `TypeError` when the object has neither, `ValueError` when what it gives is no table of
    /// types that a table can take.
    pub(crate) fn new(data: &Bound<'_, PyAny>) -> PyResult<Input> {
        if data.hasattr("__arrow_c_stream__")? {
            let capsule = data.call_method0("__arrow_c_stream__")?;
            let mut stream = capsule::take::<ArrowArrayStream>(&capsule)?;
            let schema = stream_schema(&mut stream).map_err(PyValueError::new_err)?;
            return Input::of(&schema, Batches::Stream(stream));
        }
        if data.hasattr("__arrow_c_array__")? {
            let pair = data.call_method0("__arrow_c_array__")?;
            let schema = capsule::take::<ArrowSchema>(&pair.get_item(0)?)?;
            let array = capsule::take::<ArrowArray>(&pair.get_item(1)?)?;
            return Input::of(&schema, Batches::One(Some(array)));
        }
        Err(PyTypeError::new_err(format!(
            "expected data with __arrow_c_stream__ or __arrow_c_array__ (a table of pyarrow, polars \
             or another Arrow library), found {}",
            data.get_type().name()?
        )))
    }

    fn of(schema: &Taken<ArrowSchema>, batches: Batches) -> PyResult<Input> {
        // SAFETY: the schema was just taken from its producer.
        let fields = unsafe { source::columns(&schema.0) }.map_err(PyValueError::new_err)?;
        if fields.is_empty() {
            return Err(PyValueError::new_err("expected a table with columns, found none"));
        }
        Ok(Input { fields, batches })
    }

    /// The names of the columns.
    fn names(&self) -> Vec<String> {
        self.fields.iter().map(|field| field.name.clone()).collect()
    }
}

fn stream_schema(stream: &mut Taken<ArrowArrayStream>) -> Result<Taken<ArrowSchema>, String> {
    let mut schema = Taken(ArrowSchema::empty());
    let Some(get_schema) = stream.0.get_schema else {
        return Err("expected an Arrow stream, found one without get_schema".to_owned());
    };
    // SAFETY: the stream is ours and not released; the schema is space for the answer.
    let code = unsafe { get_schema(&raw mut stream.0, &raw mut schema.0) };
    if code != 0 {
        return Err(stream_error(stream, code));
    }
    if schema.0.release.is_none() {
        return Err("expected a schema of the Arrow stream, found a released one".to_owned());
    }
    Ok(schema)
}

fn stream_error(stream: &mut Taken<ArrowArrayStream>, code: i32) -> String {
    let said = stream.0.get_last_error.map(|last| {
        // SAFETY: the stream is ours and not released; the text, if there is one, lives until the
        // next call.
        unsafe {
            let text = last(&raw mut stream.0);
            let text = (!text.is_null()).then(|| CStr::from_ptr(text).to_string_lossy());
            text.map_or_else(String::new, std::borrow::Cow::into_owned)
        }
    });
    let said = said.filter(|said| !said.is_empty());
    format!("the Arrow stream failed: {}", said.unwrap_or_else(|| format!("error {code}")))
}

impl Batches {
    fn next(&mut self) -> Result<Option<Taken<ArrowArray>>, String> {
        match self {
            Batches::One(array) => Ok(array.take()),
            Batches::Stream(stream) => {
                let mut array = Taken(ArrowArray::empty());
                let Some(get_next) = stream.0.get_next else {
                    return Err("expected an Arrow stream, found one without get_next".to_owned());
                };
                // SAFETY: the stream is ours and not released; the array is space for the answer.
                let code = unsafe { get_next(&raw mut stream.0, &raw mut array.0) };
                if code != 0 {
                    return Err(stream_error(stream, code));
                }
                Ok(array.0.release.is_some().then_some(array))
            }
        }
    }
}

/// Where the rows go.
pub(crate) enum Destination {
    /// A table's name, quoted, and the columns if the caller named them.
    Table { quoted: String, columns: Option<Vec<String>> },
    /// A COPY statement of the caller's, in text form.
    Statement(String),
}

/// What went wrong on our side of a COPY.
#[derive(Debug)]
pub(crate) enum CopyError {
    /// A value that does not fit, or a name that is not there.
    Data(String),
    /// The stream itself.
    Stream(String),
}

/// Encodes batches row by row, a chunk at a time.
struct Encoder<'a> {
    input: Input,
    targets: Vec<Target>,
    binary: bool,
    batch: Option<Taken<ArrowArray>>,
    /// The next row of the batch, and of all.
    row: usize,
    total: u64,
    chunk: Vec<u8>,
    taken: usize,
    ended: bool,
    failed: &'a mut Option<CopyError>,
}

impl Encoder<'_> {
    /// Fills the chunk; leaves it empty at the end.
    fn refill(&mut self) -> Result<(), CopyError> {
        self.chunk.clear();
        self.taken = 0;
        if self.total == 0 && self.row == 0 && self.batch.is_none() && self.binary && !self.ended {
            self.chunk.extend_from_slice(SIGNATURE);
        }
        while self.chunk.len() < CHUNK && !self.ended {
            if self.batch.is_none() {
                self.row = 0;
                self.batch = self.input.batches.next().map_err(CopyError::Stream)?;
            }
            if self.batch.is_some() {
                self.encode_rows()?;
            } else {
                self.ended = true;
                if self.binary {
                    self.chunk.extend_from_slice(&TRAILER);
                }
            }
        }
        Ok(())
    }

    /// Encodes rows of the batch until the chunk is full or the batch is over.
    fn encode_rows(&mut self) -> Result<(), CopyError> {
        let Some(batch) = &self.batch else { return Ok(()) };
        // SAFETY: the array was filled in by its producer, of the schema that the fields were read
        // from, and is released after the views are gone.
        let viewed = unsafe { import::batch(&batch.0, &self.input.fields) };
        let (length, views) = viewed.map_err(CopyError::Data)?;
        let count = i16::try_from(views.len()).map(i16::to_be_bytes);
        let count =
            count.map_err(|_| CopyError::Data("expected at most 32767 columns".to_owned()))?;
        while self.row < length && self.chunk.len() < CHUNK {
            if self.binary {
                self.chunk.extend_from_slice(&count);
            }
            for (index, ((view, target), field)) in
                views.iter().zip(&self.targets).zip(&self.input.fields).enumerate()
            {
                let done = view.value(self.row).map_err(target::contradiction).and_then(|value| {
                    if self.binary {
                        return target.push_binary(view, &value, &mut self.chunk);
                    }
                    if index > 0 {
                        self.chunk.push(b'\t');
                    }
                    target.push_text(field, view, &value, &mut self.chunk)
                });
                done.map_err(|error| {
                    let row = self.total;
                    let name = &target.name;
                    let kind = &target.type_name;
                    CopyError::Data(match kind.is_empty() {
                        true => format!("column \"{name}\", row {row}: {error}"),
                        false => format!("column \"{name}\" ({kind}), row {row}: {error}"),
                    })
                })?;
            }
            if !self.binary {
                self.chunk.push(b'\n');
            }
            self.row += 1;
            self.total += 1;
        }
        if self.row >= length {
            self.batch = None;
            self.row = 0;
        }
        Ok(())
    }
}

impl Read for Encoder<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.taken >= self.chunk.len()
            && let Err(failed) = self.refill()
        {
            let message = match &failed {
                CopyError::Data(message) | CopyError::Stream(message) => message.clone(),
            };
            *self.failed = Some(failed);
            return Err(io::Error::other(message));
        }
        let rest = self.chunk.get(self.taken..).unwrap_or_default();
        let count = rest.len().min(out.len());
        if let (Some(to), Some(from)) = (out.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.taken += count;
        Ok(count)
    }
}

/// The columns of a table that COPY can fill.
fn look_up(
    client: &mut Client,
    quoted: &str,
    hook: &mut dyn Interrupt,
) -> Result<Vec<Target>, Error> {
    let name = literal::quote_literal(quoted.as_bytes()).unwrap_or_default();
    let sql = format!(
        "SELECT a.attname, b.oid, b.typtype = 'e', pg_catalog.format_type(a.atttypid, a.atttypmod) \
         FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
         JOIN pg_catalog.pg_type b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END \
         WHERE a.attrelid = pg_catalog.to_regclass({}) AND a.attnum > 0 AND NOT a.attisdropped \
         ORDER BY a.attnum",
        String::from_utf8_lossy(&name)
    );
    let results = client.run(&Request::Query(sql.as_bytes()), hook)?;
    let text = |field: Option<Option<&[u8]>>| {
        String::from_utf8_lossy(field.flatten().unwrap_or_default()).into_owned()
    };
    let rows = results.iter().flat_map(|result| &result.rows).flatten();
    Ok(rows
        .map(|row| Target {
            name: text(row.get(0)),
            type_oid: text(row.get(1)).parse().unwrap_or(0),
            is_enum: text(row.get(2)) == "t",
            type_name: text(row.get(3)),
        })
        .collect())
}

/// The columns to fill, in the order of the data's.
fn choose(names: Vec<String>, known: Option<Vec<Target>>) -> Result<Vec<Target>, String> {
    let Some(known) = known else {
        return Ok(names.into_iter().map(|name| Target { name, ..Target::default() }).collect());
    };
    names
        .into_iter()
        .map(|name| {
            known.iter().find(|target| target.name == name).cloned().ok_or_else(|| {
                let there: Vec<_> = known.iter().map(|target| target.name.as_str()).collect();
                let message = format!(
                    "expected a column of the table ({}), found \"{name}\"",
                    there.join(", ")
                );
                match name.starts_with("__index_level_") {
                    true => format!("{message}: {PANDAS_INDEX}"),
                    false => message,
                }
            })
        })
        .collect()
}

fn statement(quoted: &str, targets: &[Target], binary: bool) -> String {
    let names = targets.iter().map(|target| {
        let quoted = literal::quote_ident(target.name.as_bytes()).unwrap_or_default();
        String::from_utf8_lossy(&quoted).into_owned()
    });
    let names = names.collect::<Vec<_>>().join(", ");
    let form = if binary { " WITH (FORMAT binary)" } else { "" };
    format!("COPY {quoted} ({names}) FROM STDIN{form}")
}

/// Copies all batches; how many rows the server counted. What went wrong on our side is left in
/// `failed`.
pub(crate) fn copy_in(
    client: &mut Client,
    input: Input,
    destination: Destination,
    hook: &mut dyn Interrupt,
    failed: &mut Option<CopyError>,
) -> Result<Option<u64>, Error> {
    let (sql, targets, binary) = match destination {
        Destination::Statement(sql) => (sql, choose(input.names(), None), false),
        Destination::Table { quoted, columns } => {
            // CockroachDB reads the binary form of few types, and its own names for the others.
            let known = match client.crdb_version() {
                Some(_) => None,
                // Nothing is found where there is no table: COPY's own error says so.
                None => Some(look_up(client, &quoted, hook)?).filter(|known| !known.is_empty()),
            };
            let targets = choose(columns.unwrap_or_else(|| input.names()), known);
            let fits = targets.as_ref().is_ok_and(|targets| {
                targets.iter().zip(&input.fields).all(|(target, field)| target.takes_binary(field))
            });
            let sql = targets.as_ref().map(|targets| statement(&quoted, targets, fits));
            (sql.unwrap_or_default(), targets, fits)
        }
    };
    let targets = match targets {
        Ok(targets) => targets,
        Err(message) => {
            *failed = Some(CopyError::Data(message));
            return Ok(None);
        }
    };
    let zoned = targets.iter().zip(&input.fields).find(|(target, field)| target.drops_zone(field));
    if let (Some((target, _)), false) = (zoned, is_utc(client.parameter("TimeZone"))) {
        *failed = Some(CopyError::Data(format!(
            "column \"{}\" ({}): expected timestamps without a time zone, as the session's TimeZone is not \
             UTC, found some with one: convert them to that zone and drop it, or SET TIME ZONE 'UTC'",
            target.name, target.type_name
        )));
        return Ok(None);
    }
    let mut encoder = Encoder {
        input,
        targets,
        binary,
        batch: None,
        row: 0,
        total: 0,
        chunk: Vec::with_capacity(CHUNK),
        taken: 0,
        ended: false,
        failed,
    };
    client.copy_in(&sql, &mut encoder, hook)
}

/// The destination that the caller's arguments name.
pub(crate) fn destination(
    table: Option<String>,
    statement: Option<String>,
    columns: Option<Vec<String>>,
    input: &Input,
) -> PyResult<Destination> {
    if let Some(columns) = &columns
        && columns.len() != input.fields.len()
    {
        return Err(PyValueError::new_err(format!(
            "expected {} names of columns, one for each column of the data, found {}",
            input.fields.len(),
            columns.len()
        )));
    }
    match (table, statement) {
        (Some(quoted), _) => Ok(Destination::Table { quoted, columns }),
        (None, Some(_)) if columns.is_some() => Err(PyValueError::new_err(
            "expected the columns in the COPY statement, found the argument columns as well",
        )),
        (None, Some(sql)) => {
            let words = sql.to_ascii_lowercase();
            if words.contains("binary") || words.contains("csv") {
                return Err(PyValueError::new_err(
                    "expected a COPY statement in text form, or the name of a table, for which \
                     kecoa chooses the form; found BINARY or CSV in the statement",
                ));
            }
            Ok(Destination::Statement(sql))
        }
        (None, None) => Err(PyValueError::new_err("expected the name of a table, found none")),
    }
}
