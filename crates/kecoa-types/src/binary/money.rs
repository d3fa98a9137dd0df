//! `money`: eight bytes.

use crate::{DecodeError, Money};

/// Decodes the amount.
///
/// # Errors
/// There are more or fewer than eight bytes.
pub fn decode(bytes: &[u8]) -> Result<Money, DecodeError> {
    super::array(bytes, "money of 8 bytes").map(|bytes| Money(i64::from_be_bytes(bytes)))
}

/// Appends the amount.
pub fn encode(value: &Money, out: &mut Vec<u8>) {
    out.extend_from_slice(&value.0.to_be_bytes());
}
