//! Rows of which any value is found at once.

use super::row::split_value;
use super::run::Rows;
use crate::frame::HEADER;

/// Rows, and where each of their values lies: four bytes a value more than [`Rows`], for callers that
/// ask for columns in an order of their own.
#[derive(Clone, Debug)]
pub struct IndexedRows {
    rows: Rows,
    /// Where the length of each value stands, row by row.
    places: Vec<u32>,
}

impl IndexedRows {
    /// Walks over the rows once.
    #[must_use]
    pub fn new(rows: Rows) -> IndexedRows {
        let mut places = Vec::with_capacity(rows.len().saturating_mul(rows.columns()));
        let mut at = 0;
        for row in &rows {
            at += HEADER + size_of::<u16>();
            for value in row.fields() {
                // Rows that arrived together are fewer bytes than a u32 can count: see MAX_RUN.
                places.push(u32::try_from(at).unwrap_or(u32::MAX));
                at += size_of::<u32>() + value.map_or(0, <[u8]>::len);
            }
        }
        IndexedRows { rows, places }
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The value of a column of a row, both counted from 0: `None` if there is no such row or column,
    /// `Some(None)` for NULL.
    #[inline]
    #[must_use]
    pub fn value(&self, row: usize, column: usize) -> Option<Option<&[u8]>> {
        let columns = self.rows.columns();
        if column >= columns {
            return None;
        }
        let place = self.places.get(row.checked_mul(columns)?.checked_add(column)?)?;
        let rest = self.rows.bytes().get(usize::try_from(*place).ok()?..)?;
        split_value(rest).map(|(value, _)| value)
    }
}
