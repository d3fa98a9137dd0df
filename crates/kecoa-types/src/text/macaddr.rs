//! `macaddr`.

use super::hex::{colon_pairs, push_colon_pairs};
use crate::{DecodeError, net::MacAddr};

/// Decodes six pairs of hexadecimal digits with colons between them.
///
/// # Errors
/// It is not that.
pub fn decode(bytes: &[u8]) -> Result<MacAddr, DecodeError> {
    colon_pairs(bytes).map(MacAddr).ok_or_else(|| {
        DecodeError::text("a macaddr as six pairs of hexadecimal digits with colons", bytes)
    })
}

/// Appends the pairs of digits.
pub fn encode(value: &MacAddr, out: &mut Vec<u8>) {
    push_colon_pairs(&value.0, out);
}
