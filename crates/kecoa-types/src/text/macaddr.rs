//! `macaddr`.

use super::hex::{hex_pair, push_hex};
use crate::{DecodeError, net::MacAddr};

/// Decodes six pairs of hexadecimal digits with colons between them.
///
/// # Errors
/// It is not that.
pub fn decode(bytes: &[u8]) -> Result<MacAddr, DecodeError> {
    let mut address = [0; 6];
    let mut groups = bytes.split(|byte| *byte == b':');
    for place in &mut address {
        *place = match groups.next() {
            Some([high, low]) => hex_pair(*high, *low),
            _ => None,
        }
        .ok_or_else(|| refused(bytes))?;
    }
    if groups.next().is_some() { Err(refused(bytes)) } else { Ok(MacAddr(address)) }
}

fn refused(bytes: &[u8]) -> DecodeError {
    DecodeError::text("a macaddr as six pairs of hexadecimal digits with colons", bytes)
}

/// Appends the pairs of digits.
pub fn encode(value: &MacAddr, out: &mut Vec<u8>) {
    for (index, byte) in value.0.iter().enumerate() {
        if index > 0 {
            out.push(b':');
        }
        push_hex(&[*byte], out);
    }
}
