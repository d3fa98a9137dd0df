//! Checks rows, once, where they arrived.

use crate::error::ProtocolError;
use crate::frame::HEADER;
use crate::message::tags::backend as tags;

/// The most bytes of rows that are one [`Rows`](crate::Rows), so that a place in them is a `u32`.
const MAX_RUN: usize = u32::MAX as usize;

pub(super) const NAME: &str = tags::name(tags::DATA_ROW);

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
/// first byte that is no part of one. A row that is wrong after right ones ends the run; it is an
/// error when it is the first, so that how the bytes were split over reads makes no difference.
pub(crate) fn scan(
    buffer: &[u8],
    columns: Option<u16>,
    limit: usize,
) -> Result<Run, ProtocolError> {
    let mut run = Run { end: 0, rows: 0, columns };
    let mut rest = buffer;
    while let Some(&[tags::DATA_ROW, a, b, c, d]) = rest.first_chunk::<HEADER>() {
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
