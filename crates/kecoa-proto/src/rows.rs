//! Rows as they lie in the socket buffer, checked once and not copied.

mod indexed;

use bytes::{Buf, Bytes, BytesMut};

use crate::error::ProtocolError;
use crate::frame::{HEADER, MAX_MESSAGE};
pub use indexed::IndexedRows;

/// Runs shorter than this are copied out, so that a row that is kept does not pin a whole socket
/// buffer. In bytes.
pub const COPY_BELOW: usize = 4096;

/// The most bytes of rows that are one [`Rows`], so that a place in them is a `u32`.
const MAX_RUN: usize = u32::MAX as usize;

const NAME: &str = "DataRow";

/// One or more consecutive DataRow messages with the same number of columns: frame lengths, column
/// counts and field lengths are checked, and the values are where they arrived.
///
/// Cheap to clone. Clones share the bytes.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Rows {
    /// The messages with their headers.
    data: Bytes,
    count: usize,
    columns: u16,
}

impl Rows {
    /// Checks that `data` is nothing but DataRow messages, headers included.
    ///
    /// # Errors
    /// It is something else.
    pub fn from_bytes(data: Bytes) -> Result<Rows, ProtocolError> {
        let run = scan(&data, None, MAX_MESSAGE)?;
        if run.end != data.len() {
            return Err(ProtocolError::malformed(
                NAME,
                "complete rows with the same number of columns, below 4 GiB",
                format!("something else at byte {}", run.end),
            ));
        }
        Ok(Rows { data, count: run.rows, columns: run.columns.unwrap_or(0) })
    }

    /// Takes the run that `scan` found off the front of `buffer`.
    pub(crate) fn take(buffer: &mut BytesMut, run: &Run) -> Rows {
        let data = if run.end < COPY_BELOW {
            let data = Bytes::copy_from_slice(buffer.get(..run.end).unwrap_or_default());
            buffer.advance(data.len());
            data
        } else {
            buffer.split_to(run.end).freeze()
        };
        Rows { data, count: run.rows, columns: run.columns.unwrap_or(0) }
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none. Rows that a connection hands out are never empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How many columns each row has.
    #[must_use]
    pub fn columns(&self) -> usize {
        usize::from(self.columns)
    }

    /// The messages as they came, headers included: what a proxy sends on.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.data
    }

    /// The rows, first to last.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        Iter { rest: &self.data, left: self.count }
    }

    /// The row that starts `offset` bytes into [`bytes`](Rows::bytes), and the offset of the next:
    /// for a cursor that keeps its place while it does not borrow. The first offset is 0; the last
    /// row's next is the length of `bytes()`, where the answer is `None`.
    #[must_use]
    pub fn row_at(&self, offset: usize) -> Option<(Row<'_>, usize)> {
        let rest = self.data.get(offset..)?;
        let (row, more) = split_row(rest)?;
        Some((row, self.data.len() - more.len()))
    }
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rows({} x {}, {} bytes)", self.count, self.columns, self.data.len())
    }
}

impl<'a> IntoIterator for &'a Rows {
    type Item = Row<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// The rows of [`Rows`].
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    rest: &'a [u8],
    left: usize,
}

impl<'a> Iterator for Iter<'a> {
    type Item = Row<'a>;

    #[inline]
    fn next(&mut self) -> Option<Row<'a>> {
        let (row, rest) = split_row(self.rest)?;
        self.rest = rest;
        self.left = self.left.saturating_sub(1);
        Some(row)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Iter<'_> {}

/// One row.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// What stands behind the number of columns.
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
    /// [`IndexedRows`] for some of many rows.
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
fn split_row(rest: &[u8]) -> Option<(Row<'_>, &[u8])> {
    let length = rest.get(1..HEADER)?.first_chunk::<4>()?;
    let total = usize::try_from(u32::from_be_bytes(*length)).ok()?.checked_add(1)?;
    let (row, more) = rest.split_at_checked(total)?;
    let (columns, fields) = row.get(HEADER..)?.split_first_chunk::<2>()?;
    Some((Row { fields, columns: u16::from_be_bytes(*columns) }, more))
}

/// Splits the first value off values that were checked; `None` in its place is NULL.
#[inline]
fn split_value(rest: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let (length, rest) = rest.split_first_chunk::<4>()?;
    // Lengths were checked when the rows were made: only NULL has a negative one.
    let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
        return Some((None, rest));
    };
    let (value, rest) = rest.split_at_checked(length)?;
    Some((Some(value), rest))
}

/// What a scan found at the head of a buffer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Run {
    /// Where the last complete row ends.
    pub(crate) end: usize,
    /// How many rows are complete.
    pub(crate) rows: usize,
    /// How many columns each has, once that is known.
    pub(crate) columns: Option<u16>,
}

/// Finds the run of complete, correct DataRow messages at the head of `buffer`: one pass, up to the
/// first byte that is no part of one. A row that is wrong behind right ones ends the run; it is an
/// error when it is the first, so that how the bytes were split over reads makes no difference.
pub(crate) fn scan(
    buffer: &[u8],
    columns: Option<u16>,
    limit: usize,
) -> Result<Run, ProtocolError> {
    let mut run = Run { end: 0, rows: 0, columns };
    let mut rest = buffer;
    while let Some(&[b'D', a, b, c, d]) = rest.first_chunk::<HEADER>() {
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        let checked = if length > limit {
            Err(ProtocolError::TooLong { message: NAME, length, limit })
        } else {
            let Some((frame, more)) = rest.split_at_checked(length.saturating_add(1)) else {
                break;
            };
            check(frame.get(HEADER..).unwrap_or_default(), run.columns).map(|found| (found, more))
        };
        match checked {
            // What is left is the next run.
            Ok(_) if run.end + length >= MAX_RUN => break,
            Ok((found, more)) => {
                run.columns = Some(found);
                run.rows += 1;
                run.end += length + 1;
                rest = more;
            }
            Err(_) if run.rows > 0 => break,
            Err(error) => return Err(error),
        }
    }
    Ok(run)
}

/// Checks the body of one row. Returns its number of columns.
#[inline]
fn check(body: &[u8], expected: Option<u16>) -> Result<u16, ProtocolError> {
    let Some((columns, mut rest)) = body.split_first_chunk::<2>() else {
        return Err(ProtocolError::malformed(
            NAME,
            "a number of columns",
            format!("{} bytes", body.len()),
        ));
    };
    let columns = u16::from_be_bytes(*columns);
    if let Some(expected) = expected
        && expected != columns
    {
        return Err(ProtocolError::malformed(
            NAME,
            format!("{expected} columns"),
            columns.to_string(),
        ));
    }
    for column in 0..columns {
        let Some((length, behind)) = rest.split_first_chunk::<4>() else {
            return Err(ProtocolError::malformed(
                NAME,
                format!("{columns} columns"),
                format!("the end of the message in column {column}"),
            ));
        };
        let length = i32::from_be_bytes(*length);
        rest = if length == -1 {
            behind
        } else if let Some(behind) =
            usize::try_from(length).ok().and_then(|length| behind.get(length..))
        {
            behind
        } else {
            return Err(ProtocolError::malformed(
                NAME,
                format!("a value of -1 to {} bytes in column {column}", behind.len()),
                format!("length {length}"),
            ));
        };
    }
    if !rest.is_empty() {
        return Err(ProtocolError::malformed(
            NAME,
            format!("the end of the message behind {columns} columns"),
            format!("{} more bytes", rest.len()),
        ));
    }
    Ok(columns)
}
