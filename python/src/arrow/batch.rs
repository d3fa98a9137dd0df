//! Record batches from rows: one at a time, or as the rows come.

use std::sync::Arc;

use kecoa::ResultSet;
use kecoa_proto::{Field, Format, Row, Rows};

use super::build::Builder;
use super::export::Batch;
use super::kind::Kind;

/// How many rows a record batch has at most, and how many bytes of them begin no further row.
pub(super) const BATCH_ROWS: usize = 65_536;
pub(super) const BATCH_BYTES: usize = 16 << 20;

/// The columns of a result.
pub(super) struct Columns {
    pub(super) named: Vec<(String, Kind)>,
    formats: Vec<Format>,
}

impl Columns {
    pub(super) fn of(fields: &[Field]) -> Columns {
        let name = |field: &Field| String::from_utf8_lossy(&field.name).into_owned();
        Columns {
            named: fields.iter().map(|field| (name(field), Kind::of(field))).collect(),
            formats: fields.iter().map(|field| field.format).collect(),
        }
    }
}

/// The forms in which columns are best asked for.
pub(crate) fn forms(fields: &[Field]) -> Vec<Format> {
    let form = |field| match Kind::of(field).is_better_in_binary() {
        true => Format::Binary,
        false => Format::Text,
    };
    fields.iter().map(form).collect()
}

/// A batch that is not full.
pub(super) struct BatchBuilder {
    builders: Vec<Builder>,
    length: usize,
}

impl BatchBuilder {
    pub(super) fn new(columns: &Columns) -> BatchBuilder {
        let forms = columns.named.iter().zip(&columns.formats);
        let builders = forms.map(|((_, kind), format)| Builder::new(kind, *format)).collect();
        BatchBuilder { builders, length: 0 }
    }

    /// Appends a row, which is number `number` of the result.
    ///
    /// # Errors
    /// A value that has no place in Arrow, with its column and row.
    pub(super) fn push(
        &mut self,
        columns: &Columns,
        row: &Row<'_>,
        number: usize,
    ) -> Result<(), String> {
        let mut fields = row.fields();
        for (builder, (name, _)) in self.builders.iter_mut().zip(&columns.named) {
            builder
                .push(fields.next().flatten())
                .map_err(|error| format!("column \"{name}\", row {number}: {error}"))?;
        }
        self.length += 1;
        Ok(())
    }

    pub(super) fn finish(self) -> Batch {
        let columns = self.builders.into_iter().map(Builder::finish).collect();
        Batch { length: self.length, columns }
    }
}

/// Batches of a whole result.
pub(super) struct Built {
    batches: Vec<Batch>,
    pub(super) rows: usize,
    /// What ended them.
    error: Option<String>,
}

impl Built {
    /// Batch number `number`, which shares its memory; None behind the last.
    ///
    /// # Errors
    /// What a consumer is told behind the last batch, where a value had no place in Arrow.
    pub(super) fn batch(&self, number: usize) -> Result<Option<Batch>, String> {
        match (self.batches.get(number), &self.error) {
            (Some(batch), _) => Ok(Some(batch.clone())),
            (None, Some(error)) => Err(error.clone()),
            (None, None) => Ok(None),
        }
    }
}

/// Makes batches of rows as they come. The bytes of the rows are given back.
pub(crate) struct Batching {
    columns: Arc<Columns>,
    current: BatchBuilder,
    bytes: usize,
    built: Built,
}

impl Batching {
    pub(crate) fn new(fields: &[Field]) -> Batching {
        let columns = Columns::of(fields);
        Batching {
            current: BatchBuilder::new(&columns),
            columns: Arc::new(columns),
            bytes: 0,
            built: Built { batches: Vec::new(), rows: 0, error: None },
        }
    }

    /// Appends rows. Behind a value that has no place in Arrow they are only counted.
    pub(crate) fn push(&mut self, rows: &Rows) {
        let mut offset = 0;
        while let Some((row, next)) = rows.row_at(offset) {
            let bytes = next - offset;
            offset = next;
            let number = self.built.rows;
            self.built.rows += 1;
            if self.built.error.is_some() {
                continue;
            }
            if let Err(error) = self.current.push(&self.columns, &row, number) {
                self.built.error = Some(error);
                continue;
            }
            self.bytes += bytes;
            if self.current.length >= BATCH_ROWS || self.bytes >= BATCH_BYTES {
                self.end_batch();
            }
        }
    }

    fn end_batch(&mut self) {
        let full = std::mem::replace(&mut self.current, BatchBuilder::new(&self.columns));
        self.bytes = 0;
        self.built.batches.push(full.finish());
    }

    /// How many rows there were.
    pub(crate) fn rows(&self) -> usize {
        self.built.rows
    }

    pub(super) fn finish(mut self) -> (Arc<Columns>, Built) {
        if self.built.error.is_none() && self.current.length > 0 {
            self.end_batch();
        }
        (self.columns, self.built)
    }
}

/// Makes batches of the rows of a result that have come so far.
pub(crate) fn work_ahead(result: &mut ResultSet) {
    let Some(description) = &result.description else { return };
    if result.made.is_none() {
        result.made = Some(Arc::new(Batching::new(&description.fields)));
    }
    let made = result.made.as_mut().and_then(Arc::get_mut);
    if let Some(batching) = made.and_then(|made| made.downcast_mut::<Batching>()) {
        result.rows.drain(..).for_each(|rows| batching.push(&rows));
    }
}

/// The batches of a result that is over; None where it has no columns.
pub(crate) fn batching_of(result: &mut ResultSet) -> Option<Batching> {
    work_ahead(result);
    let made = result.made.take()?.downcast::<Batching>().ok()?;
    Arc::into_inner(made)
}
