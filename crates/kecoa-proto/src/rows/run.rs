//! Consecutive rows that arrived together.

use bytes::{Buf, Bytes, BytesMut};

use super::row::{Row, split_row};
use super::scan::{NAME, Run, scan};
use crate::error::ProtocolError;
use crate::frame::MAX_MESSAGE;

/// Runs shorter than this are copied out, so that a row that is kept does not pin a whole socket
/// buffer. In bytes.
pub const COPY_BELOW: usize = 4096;

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
