//! `cursor.fetch_arrow` and `cursor.execute_arrow`: the rows of a result as Arrow record batches.

use std::sync::Arc;

use kecoa_proto::{Field, Row, Rows};
use pyo3::prelude::*;

use super::abi::ArrowSchema;
use super::batch::{BATCH_BYTES, BATCH_ROWS, BatchBuilder, Batching, Built, Columns};
use super::capsule;
use super::export::{self, Batch, Batches};

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
/// The batches of `fetch_arrow` are made when a consumer asks for them, straight from the bytes of the
/// rows, and as often as it is asked for a stream; those of `execute_arrow` while the rows came.
#[pyclass(frozen, name = "ArrowResult", module = "kecoa._kecoa")]
pub(crate) struct ArrowResult {
    source: Source,
    columns: Arc<Columns>,
}

/// Where batches come from.
#[derive(Clone)]
enum Source {
    Rows(RowSource),
    Built(Arc<Built>),
}

impl Source {
    fn rows(&self) -> usize {
        match self {
            Source::Rows(rows) => rows.left,
            Source::Built(built) => built.rows,
        }
    }
}

impl ArrowResult {
    pub(crate) fn new(source: RowSource, fields: &[Field]) -> ArrowResult {
        ArrowResult { source: Source::Rows(source), columns: Arc::new(Columns::of(fields)) }
    }

    /// Of rows that became batches as they came.
    pub(crate) fn built(batching: Batching) -> ArrowResult {
        let (columns, built) = batching.finish();
        ArrowResult { source: Source::Built(Arc::new(built)), columns }
    }
}

#[pymethods]
impl ArrowResult {
    /// How many rows there are.
    #[getter]
    fn num_rows(&self) -> usize {
        self.source.rows()
    }

    /// How many columns there are.
    #[getter]
    fn num_columns(&self) -> usize {
        self.columns.named.len()
    }

    /// The names of the columns.
    #[getter]
    fn column_names(&self) -> Vec<String> {
        self.columns.named.iter().map(|(name, _)| name.clone()).collect()
    }

    /// Names and Arrow types of the columns, a line each.
    #[getter]
    fn schema(&self) -> String {
        let lines = self.columns.named.iter().map(|(name, kind)| format!("{name}: {kind}"));
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
        let batches =
            ResultBatches { source: self.source.clone(), columns: self.columns.clone(), next: 0 };
        capsule::wrap(py, export::stream(Box::new(batches)))
    }

    /// A capsule `arrow_schema` with the columns' types.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        capsule::wrap(py, export::table_schema(&self.columns.named))
    }

    fn __len__(&self) -> usize {
        self.source.rows()
    }

    fn __repr__(&self) -> String {
        format!("<ArrowResult of {} rows\n{}>", self.source.rows(), self.schema())
    }
}

struct ResultBatches {
    source: Source,
    columns: Arc<Columns>,
    /// The number of the next row, for errors; of the next batch, where they were built before.
    next: usize,
}

impl Batches for ResultBatches {
    fn schema(&self) -> ArrowSchema {
        export::table_schema(&self.columns.named)
    }

    fn next(&mut self) -> Result<Option<Batch>, String> {
        match &mut self.source {
            Source::Built(built) => {
                let batch = built.batch(self.next)?;
                self.next += 1;
                Ok(batch)
            }
            Source::Rows(rows) => {
                let mut batch = BatchBuilder::new(&self.columns);
                let columns = &self.columns;
                let next = &mut self.next;
                let length = rows.batch(|row| {
                    batch.push(columns, row, *next)?;
                    *next += 1;
                    Ok::<(), String>(())
                })?;
                Ok((length > 0).then(|| batch.finish()))
            }
        }
    }
}
