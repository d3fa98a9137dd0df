//! A row of the Rust client: columns by number or name, as Rust values.

mod decode;
mod from_row;
mod names;
mod result_set;

use std::sync::Arc;

use kecoa_proto::{IndexedRows, RowDescription, Rows};
use kecoa_types::FromSql;

use crate::error::Error;
use decode::decode;
pub use from_row::{Columns, FromRow, Values};
pub(crate) use from_row::{Reader, read_all};
pub use result_set::ResultSet;

/// One row of a result. Cheap to clone: rows share the bytes they arrived in.
///
/// ```
/// # kecoa::example::blocking(|client| {
/// // What a literal is differs: 7 is an int4 to PostgreSQL and an int8 to CockroachDB.
/// let select = "SELECT 7::int8 AS id, 'seven' AS name, NULL::text AS note";
/// let row = client.query_one(select, &[])?;
/// let id: i64 = row.get(0)?;
/// let name: String = row.get("name")?;
/// let note: Option<String> = row.get("note")?;
/// assert_eq!((id, name.as_str(), note), (7, "seven", None));
///
/// let error = row.get::<i64>("name").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "column \"name\": expected a type that i64 can be read from, found text (oid 25)",
/// );
/// # Ok(()) });
/// ```
#[derive(Clone, Debug)]
pub struct Row {
    run: Arc<Run>,
    number: usize,
}

/// Rows that arrived together.
#[derive(Debug)]
struct Run {
    description: Arc<RowDescription>,
    rows: IndexedRows,
}

/// A way to name a column: by number from 0, or by name.
///
/// Of several columns with the same name the first is found.
pub trait ColumnIndex {
    /// The column's number in this description.
    fn find(&self, description: &RowDescription) -> Option<usize>;
    /// The column as a message names it.
    fn describe(&self) -> String;
}

impl ColumnIndex for usize {
    fn find(&self, description: &RowDescription) -> Option<usize> {
        (*self < description.fields.len()).then_some(*self)
    }

    fn describe(&self) -> String {
        format!("column {self}")
    }
}

impl ColumnIndex for &str {
    fn find(&self, description: &RowDescription) -> Option<usize> {
        description.fields.iter().position(|field| field.name == self.as_bytes())
    }

    fn describe(&self) -> String {
        format!("column {}", names::quoted(self.as_bytes()))
    }
}

impl Row {
    /// How many columns the row has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.run.description.fields.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The columns: names, types, forms.
    #[must_use]
    pub fn description(&self) -> &RowDescription {
        &self.run.description
    }

    /// A column's value. Read what may be NULL as `Option`.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) when there is no such column;
    /// [`Conversion`](crate::ErrorKind::Conversion) when its value is no `T`.
    pub fn get<T: FromSql>(&self, index: impl ColumnIndex) -> Result<T, Error> {
        let description = &*self.run.description;
        let number = index.find(description);
        let field = number.and_then(|number| description.fields.get(number));
        let (Some(number), Some(field)) = (number, field) else {
            return Err(Error::usage_after_the_fact(format!(
                "expected one of {}, found {}",
                names::all(description),
                index.describe()
            )));
        };
        let value = self.run.rows.value(self.number, number).flatten();
        let (oid, format) = (field.type_oid, field.format);
        decode(oid, format, value, || index.describe())
    }

    /// A column's value as the server sent it; nothing for NULL, and where there is no such column.
    #[must_use]
    pub fn raw(&self, number: usize) -> Option<&[u8]> {
        self.run.rows.value(self.number, number).flatten()
    }

    /// The whole row as a tuple or a struct.
    ///
    /// ```
    /// # kecoa::example::blocking(|client| {
    /// let row = client.query_one("SELECT 7::int8, 'seven'", &[])?;
    /// let (id, name): (i64, String) = row.read()?;
    /// assert_eq!((id, name.as_str()), (7, "seven"));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`get`](Row::get).
    pub fn read<T: FromRow>(&self) -> Result<T, Error> {
        let reader = Reader::<T>::new(&self.run.description)?;
        let value = |column| self.run.rows.value(self.number, column).flatten();
        let fields: Vec<_> = (0..self.len()).map(value).collect();
        reader.read(&fields)
    }
}

/// Rows of one run, one by one.
#[derive(Debug)]
pub(crate) struct RunOfRows {
    run: Arc<Run>,
    next: usize,
}

impl RunOfRows {
    pub(crate) fn new(description: Arc<RowDescription>, rows: Rows) -> RunOfRows {
        let rows = IndexedRows::new(rows);
        RunOfRows { run: Arc::new(Run { description, rows }), next: 0 }
    }
}

impl Iterator for RunOfRows {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        if self.next >= self.run.rows.len() {
            return None;
        }
        let row = Row { run: self.run.clone(), number: self.next };
        self.next += 1;
        Some(row)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.run.rows.len().saturating_sub(self.next);
        (left, Some(left))
    }
}

/// The rows of a result, one by one.
pub(crate) fn rows_of(set: ResultSet) -> Vec<Row> {
    let Some(description) = set.description else { return Vec::new() };
    let mut found = Vec::with_capacity(set.rows.iter().map(Rows::len).sum());
    for rows in set.rows {
        found.extend(RunOfRows::new(description.clone(), rows));
    }
    found
}
