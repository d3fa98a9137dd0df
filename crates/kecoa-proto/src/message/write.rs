//! Writing messages: the length is patched in once the body is there, and a message that cannot be
//! sent leaves the buffer as it was.

use bytes::{BufMut, BytesMut};
use memchr::memchr;

use super::format::Format;
use crate::error::UsageError;
use crate::frame::MAX_MESSAGE;

/// Writes `tag` (none for a startup message), the length, and the body that `write` appends.
pub(crate) fn framed(
    out: &mut BytesMut,
    tag: Option<u8>,
    write: impl FnOnce(&mut BytesMut) -> Result<(), UsageError>,
) -> Result<(), UsageError> {
    let start = out.len();
    if let Some(tag) = tag {
        out.put_u8(tag);
    }
    let at = out.len();
    out.put_u32(0);
    let done = write(out).and_then(|()| {
        let found = out.len() - at;
        if found > MAX_MESSAGE {
            return Err(UsageError::TooLong { what: "a message", found, limit: MAX_MESSAGE });
        }
        let length = u32::try_from(found).unwrap_or(u32::MAX);
        if let Some(slot) = out.get_mut(at..at + 4) {
            slot.copy_from_slice(&length.to_be_bytes());
        }
        Ok(())
    });
    if done.is_err() {
        out.truncate(start);
    }
    done
}

/// A message without a body.
pub(crate) fn empty(out: &mut BytesMut, tag: u8) {
    out.put_slice(&[tag, 0, 0, 0, 4]);
}

/// A string and its NUL.
pub(crate) fn string(
    out: &mut BytesMut,
    string: &[u8],
    what: &'static str,
) -> Result<(), UsageError> {
    if let Some(at) = memchr(0, string) {
        return Err(UsageError::Nul { what, at });
    }
    if string.len() > MAX_MESSAGE {
        return Err(UsageError::TooLong { what, found: string.len(), limit: MAX_MESSAGE });
    }
    out.reserve(string.len() + 1);
    out.put_slice(string);
    out.put_u8(0);
    Ok(())
}

/// A 16-bit count.
pub(crate) fn count(
    out: &mut BytesMut,
    found: usize,
    what: &'static str,
) -> Result<(), UsageError> {
    let Ok(count) = u16::try_from(found) else {
        return Err(UsageError::TooMany { what, found, limit: usize::from(u16::MAX) });
    };
    out.put_u16(count);
    Ok(())
}

/// A value with its length in front; `None` is NULL.
pub(crate) fn value(
    out: &mut BytesMut,
    value: Option<&[u8]>,
    what: &'static str,
) -> Result<(), UsageError> {
    let Some(value) = value else {
        out.put_i32(-1);
        return Ok(());
    };
    match i32::try_from(value.len()) {
        Ok(length) if value.len() <= MAX_MESSAGE => {
            out.reserve(value.len() + 4);
            out.put_i32(length);
            out.put_slice(value);
            Ok(())
        }
        _ => Err(UsageError::TooLong { what, found: value.len(), limit: MAX_MESSAGE }),
    }
}

/// A count of format codes and the codes. None, if all are text; one, if all are the same: the
/// protocol lets them stand for all.
pub(crate) fn formats(
    out: &mut BytesMut,
    formats: impl ExactSizeIterator<Item = Format> + Clone,
) -> Result<(), UsageError> {
    let mut rest = formats.clone();
    match rest.next() {
        None => out.put_u16(0),
        Some(first) if rest.all(|format| format == first) => {
            if first == Format::Text {
                out.put_u16(0);
            } else {
                out.put_u16(1);
                out.put_i16(first.code());
            }
        }
        Some(_) => exact_formats(out, formats)?,
    }
    Ok(())
}

/// A count of format codes and each of the codes.
pub(crate) fn exact_formats(
    out: &mut BytesMut,
    formats: impl ExactSizeIterator<Item = Format>,
) -> Result<(), UsageError> {
    count(out, formats.len(), "format codes")?;
    for format in formats {
        out.put_i16(format.code());
    }
    Ok(())
}

/// A count of oids and the oids.
pub(crate) fn oids(out: &mut BytesMut, oids: &[u32], what: &'static str) -> Result<(), UsageError> {
    count(out, oids.len(), what)?;
    for oid in oids {
        out.put_u32(*oid);
    }
    Ok(())
}
