//! One row, and how rows and values are split off bytes that were checked.

use crate::frame::HEADER;

/// One row.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// What stands after the number of columns.
    fields: &'a [u8],
    columns: u16,
}

impl<'a> Row<'a> {
    /// How many columns it has.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::from(self.columns)
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.columns == 0
    }

    /// The values, first to last; `None` is NULL.
    #[inline]
    #[must_use]
    pub fn fields(&self) -> Fields<'a> {
        Fields { rest: self.fields, left: self.columns }
    }

    /// The value of a column, counted from 0: `None` if there is no such column, `Some(None)` for
    /// NULL. It walks over the columns before it: use [`fields`](Row::fields) for all of them,
    /// [`IndexedRows`](crate::IndexedRows) for some of many rows.
    #[must_use]
    pub fn get(&self, column: usize) -> Option<Option<&'a [u8]>> {
        self.fields().nth(column)
    }
}

/// The values of a row.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
    left: u16,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Option<&'a [u8]>;

    #[inline]
    fn next(&mut self) -> Option<Option<&'a [u8]>> {
        self.left = self.left.checked_sub(1)?;
        let (value, rest) = split_value(self.rest)?;
        self.rest = rest;
        Some(value)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::from(self.left), Some(usize::from(self.left)))
    }
}

impl ExactSizeIterator for Fields<'_> {}

/// Splits the first row off rows that were checked.
#[inline]
pub(super) fn split_row(rest: &[u8]) -> Option<(Row<'_>, &[u8])> {
    let length = rest.get(1..HEADER)?.first_chunk::<4>()?;
    let total = usize::try_from(u32::from_be_bytes(*length)).ok()?.checked_add(1)?;
    let (row, more) = rest.split_at_checked(total)?;
    let (columns, fields) = row.get(HEADER..)?.split_first_chunk::<2>()?;
    Some((Row { fields, columns: u16::from_be_bytes(*columns) }, more))
}

/// Splits the first value off values that were checked; `None` in its place is NULL.
#[inline]
pub(super) fn split_value(rest: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let (length, rest) = rest.split_first_chunk::<4>()?;
    // Lengths were checked when the rows were made: only NULL has a negative one.
    let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
        return Some((None, rest));
    };
    let (value, rest) = rest.split_at_checked(length)?;
    Some((Some(value), rest))
}
