//! `inet`: family (2: version 4, 3: version 6), bits of the network, whether it is a `cidr`, length
//! and bytes of the address.

use std::net::IpAddr;

use crate::{DecodeError, net::Inet};

/// Decodes an address.
///
/// # Errors
/// The family is unknown, the length is not that of the family, or there are too many bits.
pub fn decode(bytes: &[u8]) -> Result<Inet, DecodeError> {
    parse(bytes)
        .ok_or_else(|| DecodeError::binary("an inet: family 2 or 3, bits, flag, address", bytes))
}

pub(super) fn parse(bytes: &[u8]) -> Option<Inet> {
    let (address, prefix) = match bytes {
        [2, prefix, _, 4, address @ ..] => {
            (IpAddr::from(<[u8; 4]>::try_from(address).ok()?), *prefix)
        }
        [3, prefix, _, 16, address @ ..] => {
            (IpAddr::from(<[u8; 16]>::try_from(address).ok()?), *prefix)
        }
        _ => return None,
    };
    Inet::new(address, prefix).ok()
}

/// Appends the address.
pub fn encode(value: &Inet, out: &mut Vec<u8>) {
    push(value, 0, out);
}

pub(super) fn push(value: &Inet, is_cidr: u8, out: &mut Vec<u8>) {
    match value.address() {
        IpAddr::V4(address) => {
            out.extend_from_slice(&[2, value.prefix(), is_cidr, 4]);
            out.extend_from_slice(&address.octets());
        }
        IpAddr::V6(address) => {
            out.extend_from_slice(&[3, value.prefix(), is_cidr, 16]);
            out.extend_from_slice(&address.octets());
        }
    }
}
