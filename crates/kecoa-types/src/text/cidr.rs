//! `cidr`.

use super::{inet, integer};
use crate::{DecodeError, net::Inet};

/// Decodes `address/bits`.
///
/// # Errors
/// It is none, has more bits than the address, or a bit is set beyond them.
pub fn decode(bytes: &[u8]) -> Result<Inet, DecodeError> {
    inet::parse(bytes)
        .filter(Inet::is_network)
        .ok_or_else(|| DecodeError::text("a cidr as address/bits, no bit set beyond them", bytes))
}

/// Appends the address and the bits of the network, always.
pub fn encode(value: &Inet, out: &mut Vec<u8>) {
    inet::push_address(value.address(), out);
    out.push(b'/');
    integer::push_unsigned(value.prefix().into(), out);
}
