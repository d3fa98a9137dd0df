//! `numeric`: the number of groups, the weight of the first, the sign, the scale, then the groups
//! of four decimal digits; 16 bits each.

use crate::numeric::Parts;
use crate::{DecodeError, Numeric};

const POSITIVE: u16 = 0x0000;
const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xc000;
const INFINITY: u16 = 0xd000;
const NEG_INFINITY: u16 = 0xf000;

/// The scale that servers send with an infinity: bits of its header read as one. It means nothing.
const INFINITE_SCALE: u16 = 0x20;

/// Decodes a number; digits beyond its scale are cut off, as the server does.
///
/// # Errors
/// There are more or fewer bytes than groups, the sign is unknown, or a part is out of range.
pub fn decode(bytes: &[u8]) -> Result<Numeric, DecodeError> {
    let refused =
        || DecodeError::binary("a binary numeric: groups, weight, sign, scale, digits", bytes);
    let (words, odd) = bytes.as_chunks::<2>();
    let [count, weight, sign, scale, groups @ ..] = words else { return Err(refused()) };
    if !odd.is_empty() || usize::from(u16::from_be_bytes(*count)) != groups.len() {
        return Err(refused());
    }
    let negative = match u16::from_be_bytes(*sign) {
        POSITIVE => false,
        NEGATIVE => true,
        NAN => return Ok(Numeric::NAN),
        INFINITY => return Ok(Numeric::INFINITY),
        NEG_INFINITY => return Ok(Numeric::NEG_INFINITY),
        _ => return Err(refused()),
    };
    let digits = groups.iter().map(|group| u16::from_be_bytes(*group)).collect();
    Ok(Numeric::from_parts(
        negative,
        i16::from_be_bytes(*weight),
        u16::from_be_bytes(*scale),
        digits,
    )?)
}

/// Appends the number.
pub fn encode(value: &Numeric, out: &mut Vec<u8>) {
    let mut push = |word: u16| out.extend_from_slice(&word.to_be_bytes());
    let Some(Parts { negative, weight, scale, digits }) = value.parts() else {
        let (sign, scale) = if value.is_nan() {
            (NAN, 0)
        } else if *value == Numeric::INFINITY {
            (INFINITY, INFINITE_SCALE)
        } else {
            (NEG_INFINITY, INFINITE_SCALE)
        };
        return [0, 0, sign, scale].into_iter().for_each(push);
    };
    // The limits of weight and scale keep the count within 16 bits.
    push(u16::try_from(digits.len()).unwrap_or(u16::MAX));
    push(weight.cast_unsigned());
    push(if negative { NEGATIVE } else { POSITIVE });
    push(scale);
    digits.iter().copied().for_each(push);
}
