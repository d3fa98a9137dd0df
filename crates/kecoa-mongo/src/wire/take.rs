//! Takes fields of a message from its head.

use bytes::{Buf as _, Bytes};

use super::framing_error::FramingError;

pub(super) fn take_i32(rest: &mut Bytes, expected: &'static str) -> Result<i32, FramingError> {
    rest.try_get_i32_le().map_err(|_| FramingError::Truncated { expected })
}

pub(super) fn take_u8(rest: &mut Bytes, expected: &'static str) -> Result<u8, FramingError> {
    rest.try_get_u8().map_err(|_| FramingError::Truncated { expected })
}

/// What is at the head and begins with its own length, as documents and sequences do; both have at least 5 bytes.
pub(super) fn take_counted(rest: &mut Bytes) -> Option<Bytes> {
    let length = usize::try_from(i32::from_le_bytes(*rest.first_chunk()?)).ok()?;
    (5..=rest.len()).contains(&length).then(|| rest.split_to(length))
}

/// Text up to its zero. `None`: it is not UTF-8 or has no zero.
pub(super) fn take_text(rest: &mut Bytes) -> Option<String> {
    let end = rest.iter().position(|byte| *byte == 0)?;
    let text = std::str::from_utf8(rest.get(..end)?).ok()?.to_owned();
    rest.advance(end + 1);
    Some(text)
}
