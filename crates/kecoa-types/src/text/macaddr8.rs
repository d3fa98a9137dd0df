//! `macaddr8`.

use super::hex::{colon_pairs, push_colon_pairs};
use crate::{DecodeError, net::MacAddr8};

/// Decodes eight pairs of hexadecimal digits with colons between them.
///
/// # Errors
/// It is not that.
pub fn decode(bytes: &[u8]) -> Result<MacAddr8, DecodeError> {
    colon_pairs(bytes).map(MacAddr8).ok_or_else(|| {
        DecodeError::text("a macaddr8 as eight pairs of hexadecimal digits with colons", bytes)
    })
}

/// Appends the pairs of digits.
pub fn encode(value: &MacAddr8, out: &mut Vec<u8>) {
    push_colon_pairs(&value.0, out);
}
