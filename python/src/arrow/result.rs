//! `cursor.fetch_arrow`: the rows of a result as Arrow record batches.

use kecoa_proto::{Field, Row, Rows};
use pyo3::prelude::*;

use super::abi::ArrowSchema;
use super::build::Builder;
use super::capsule;
use super::export::{self, Batch, Batches};
use super::kind::Kind;

/// How many rows a record batch has at most, and how many bytes of them begin no further row.
const BATCH_ROWS: usize = 65_536;
const BATCH_BYTES: usize = 16 << 20;

/// Rows as the server sent them, from a place on.
#[derive(Clone)]
pub(crate) struct RowSource {
    pub(crate) rows: Vec<Rows>,
    pub(crate) run: usize,
    pub(crate) offset: usize,
    pub(crate) left: usize,
}

impl RowSource {
    /// Hands the rows of the next batch to `put`; how many there were.
    fn batch<E>(&mut self, mut put: impl FnMut(&Row<'_>) -> Result<(), E>) -> Result<usize, E> {
        let (mut count, mut bytes) = (0, 0);
        while count < BATCH_ROWS.min(self.left) && bytes < BATCH_BYTES {
            let Some(run) = self.rows.get(self.run) else { break };
            match run.row_at(self.offset) {
                Some((row, next)) => {
                    put(&row)?;
                    count += 1;
                    bytes += next - self.offset;
                    self.offset = next;
                }
                None => {
                    self.run += 1;
                    self.offset = 0;
                }
            }
        }
        self.left -= count;
        Ok(count)
    }
}

/// Rows of a result for Arrow's consumers: `pyarrow.table(…)`, `polars.DataFrame(…)` and whatever
/// else takes an object with `__arrow_c_stream__` (the Arrow PyCapsule interface).
///
/// The batches are made when a consumer asks for them, straight from the bytes of the rows, and as
/// often as it is asked for a stream.
#[pyclass(frozen, name = "ArrowResult", module = "kecoa._kecoa")]
pub(crate) struct ArrowResult {
    source: RowSource,
    columns: Vec<(String, Kind)>,
    formats: Vec<kecoa_proto::Format>,
}

impl ArrowResult {
    pub(crate) fn new(source: RowSource, fields: &[Field]) -> ArrowResult {
        let name = |field: &Field| String::from_utf8_lossy(&field.name).into_owned();
        ArrowResult {
            source,
            columns: fields.iter().map(|field| (name(field), Kind::of(field))).collect(),
            formats: fields.iter().map(|field| field.format).collect(),
        }
    }
}

#[pymethods]
impl ArrowResult {
    /// How many rows there are.
    #[getter]
    fn num_rows(&self) -> usize {
        self.source.left
    }

    /// How many columns there are.
    #[getter]
    fn num_columns(&self) -> usize {
        self.columns.len()
    }

    /// The names of the columns.
    #[getter]
    fn column_names(&self) -> Vec<String> {
        self.columns.iter().map(|(name, _)| name.clone()).collect()
    }

    /// Names and Arrow types of the columns, a line each.
    #[getter]
    fn schema(&self) -> String {
        let lines = self.columns.iter().map(|(name, kind)| format!("{name}: {kind}"));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// A capsule `arrow_array_stream` with all rows. `requested_schema` is passed over: the types
    /// are those of the result's columns, which the interface allows.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let _ = requested_schema;
        let batches = ResultBatches {
            source: self.source.clone(),
            columns: self.columns.clone(),
            formats: self.formats.clone(),
            row: 0,
        };
        capsule::wrap(py, export::stream(Box::new(batches)))
    }

    /// A capsule `arrow_schema` with the columns' types.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        capsule::wrap(py, export::table_schema(&self.columns))
    }

    fn __len__(&self) -> usize {
        self.source.left
    }

    fn __repr__(&self) -> String {
        format!("<ArrowResult of {} rows\n{}>", self.source.left, self.schema())
    }
}

struct ResultBatches {
    source: RowSource,
    columns: Vec<(String, Kind)>,
    formats: Vec<kecoa_proto::Format>,
    /// The number of the next row, for errors.
    row: usize,
}

impl Batches for ResultBatches {
    fn schema(&self) -> ArrowSchema {
        export::table_schema(&self.columns)
    }

    fn next(&mut self) -> Result<Option<Batch>, String> {
        let mut builders: Vec<Builder> = self
            .columns
            .iter()
            .zip(&self.formats)
            .map(|((_, kind), format)| Builder::new(kind, *format))
            .collect();
        let mut row = self.row;
        let (columns, count) = (&self.columns, &mut row);
        let length = self.source.batch(|fields| {
            let mut fields = fields.fields();
            for (builder, (name, _)) in builders.iter_mut().zip(columns) {
                builder
                    .push(fields.next().flatten())
                    .map_err(|error| format!("column \"{name}\", row {count}: {error}"))?;
            }
            *count += 1;
            Ok::<(), String>(())
        })?;
        self.row = row;
        if length == 0 {
            return Ok(None);
        }
        let columns = builders.into_iter().map(Builder::finish).collect();
        Ok(Some(Batch { length, columns }))
    }
}
