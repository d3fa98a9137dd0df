//! A row of the Rust client: columns by number or name, as Rust values.

use std::sync::Arc;

use kecoa_proto::{Format, RowDescription, Rows};
use kecoa_types::FromSql;

use crate::error::Error;
use crate::result::ResultSet;

/// One row of a result. Cheap to clone: rows share the bytes they arrived in.
#[derive(Clone, Debug)]
pub struct Row {
    description: Arc<RowDescription>,
    rows: Rows,
    offset: usize,
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
        format!("column {self:?}")
    }
}

impl Row {
    /// How many columns the row has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.description.fields.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The columns: names, types, forms.
    #[must_use]
    pub fn description(&self) -> &RowDescription {
        &self.description
    }

    /// A column's value. Read what may be NULL as `Option`.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) when there is no such column;
    /// [`Conversion`](crate::ErrorKind::Conversion) when its value is no `T`.
    pub fn get<T: FromSql>(&self, index: impl ColumnIndex) -> Result<T, Error> {
        let number = index.find(&self.description);
        let field = number.and_then(|number| self.description.fields.get(number));
        let (Some(number), Some(field)) = (number, field) else {
            return Err(Error::usage(format!(
                "expected one of {} columns, found {}",
                self.len(),
                index.describe()
            )));
        };
        let value = self.rows.row_at(self.offset).and_then(|(row, _)| row.get(number)).flatten();
        let decoded = match value {
            None => T::decode_null(),
            Some(_) if !T::accepts(field.type_oid) => {
                let name = kecoa_types::oid::name_of(field.type_oid).unwrap_or("another type");
                return Err(Error::conversion(format!(
                    "{}: expected a type that {} can be read from, found {name} (oid {})",
                    index.describe(),
                    std::any::type_name::<T>(),
                    field.type_oid
                )));
            }
            Some(bytes) if field.format == Format::Binary => {
                T::decode_binary(field.type_oid, bytes)
            }
            Some(bytes) => T::decode_text(field.type_oid, bytes),
        };
        decoded.map_err(|error| Error::conversion(index.describe()).with_source(error))
    }
}

/// The rows of a result, one by one.
pub(crate) fn rows_of(set: ResultSet) -> Vec<Row> {
    let Some(description) = set.description else { return Vec::new() };
    let mut found = Vec::with_capacity(set.rows.iter().map(Rows::len).sum());
    for rows in set.rows {
        let mut offset = 0;
        while let Some((_, next)) = rows.row_at(offset) {
            found.push(Row { description: description.clone(), rows: rows.clone(), offset });
            offset = next;
        }
    }
    found
}
