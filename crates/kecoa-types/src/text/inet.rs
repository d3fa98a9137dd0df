//! `inet`.

use std::net::{IpAddr, Ipv6Addr};

use super::integer;
use crate::{DecodeError, net::Inet};

/// Decodes `address[/bits]`.
///
/// # Errors
/// It is none, or has more bits than the address.
pub fn decode(bytes: &[u8]) -> Result<Inet, DecodeError> {
    parse(bytes).ok_or_else(|| DecodeError::text("an inet as address[/bits]", bytes))
}

pub(super) fn parse(bytes: &[u8]) -> Option<Inet> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => {
            (address, u8::try_from(integer::parse_unsigned(prefix.as_bytes())?).ok()?.into())
        }
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    Inet::new(address, prefix.unwrap_or_else(|| Inet::bits(address))).ok()
}

/// Appends the address, and the bits of its network where they are not all.
pub fn encode(value: &Inet, out: &mut Vec<u8>) {
    push_address(value.address(), out);
    if value.prefix() != Inet::bits(value.address()) {
        out.push(b'/');
        integer::push_unsigned(value.prefix().into(), out);
    }
}

pub(super) fn push_address(address: IpAddr, out: &mut Vec<u8>) {
    match address {
        IpAddr::V4(address) => out.extend_from_slice(address.to_string().as_bytes()),
        IpAddr::V6(address) => push_v6(address, out),
    }
}

/// As PostgreSQL and the BIND library print it, which is not RFC 5952 where version 4 is inside: the
/// longest run of zero words becomes `::`, and what then looks like an address of version 4 is one.
fn push_v6(address: Ipv6Addr, out: &mut Vec<u8>) {
    let words = address.segments();
    let (mut start, mut length) = (0, 0);
    let mut at = 0;
    while at < words.len() {
        let run = words.iter().skip(at).take_while(|word| **word == 0).count();
        if run > length {
            (start, length) = (at, run);
        }
        at += run.max(1);
    }
    if length < 2 {
        (start, length) = (words.len(), 0);
    }
    let embedded = start == 0 && (length == 6 || length == 5 && words.get(5) == Some(&0xffff));
    let end = if embedded { 6 } else { words.len() };
    for (index, word) in words.iter().enumerate().take(end) {
        if (start..start + length).contains(&index) {
            if index == start {
                out.push(b':');
            }
            continue;
        }
        if index > 0 {
            out.push(b':');
        }
        out.extend_from_slice(format!("{word:x}").as_bytes());
    }
    if embedded {
        out.push(b':');
        let [.., a, b, c, d] = address.octets();
        out.extend_from_slice(format!("{a}.{b}.{c}.{d}").as_bytes());
    } else if length > 0 && start + length == words.len() {
        out.push(b':');
    }
}
