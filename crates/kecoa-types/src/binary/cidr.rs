//! `cidr`: as `inet`, with the flag set.

use super::inet;
use crate::{DecodeError, net::Inet};

/// Decodes a network.
///
/// # Errors
/// As for `inet`, or a bit is set beyond those of the network.
pub fn decode(bytes: &[u8]) -> Result<Inet, DecodeError> {
    inet::parse(bytes).filter(Inet::is_network).ok_or_else(|| {
        DecodeError::binary("a cidr: family 2 or 3, bits, flag, address within them", bytes)
    })
}

/// Appends the network.
pub fn encode(value: &Inet, out: &mut Vec<u8>) {
    inet::push(value, 1, out);
}
