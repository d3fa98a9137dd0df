//! Vectors of the extension pgvector, and CockroachDB's `vector`.

use crate::{DecodeError, RangeError};

/// The most dimensions that a vector has: those of pgvector.
pub const MAX_DIMENSIONS: usize = 16_000;

/// A `vector`: numbers of single precision.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vector(pub Vec<f32>);

/// A `halfvec`: numbers of half precision (IEEE 754, 16 bits), held as `f32`. What is sent is rounded
/// to the nearest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HalfVector(pub Vec<f32>);

/// A `sparsevec`: the numbers that are not zero, and where they are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SparseVector {
    dimensions: u32,
    entries: Vec<(u32, f32)>,
}

impl SparseVector {
    /// A vector of so many dimensions, in which all numbers but `entries` are zero; they are places
    /// from 0 on, ascending.
    ///
    /// # Errors
    /// A place is not below `dimensions`, or not above the one before; or there are more dimensions
    /// than a billion.
    pub fn new(dimensions: u32, entries: Vec<(u32, f32)>) -> Result<Self, RangeError> {
        if dimensions > 1_000_000_000 {
            return Err(RangeError::new(
                "a sparsevec of at most 1000000000 dimensions",
                dimensions,
            ));
        }
        let mut least = 0;
        for (place, _) in &entries {
            if *place < least || *place >= dimensions {
                return Err(RangeError::new("places of a sparsevec in order and in it", *place));
            }
            least = place + 1;
        }
        Ok(Self { dimensions, entries })
    }

    /// How many numbers, zeros included.
    #[must_use]
    pub fn dimensions(&self) -> u32 {
        self.dimensions
    }

    /// Places from 0 on, ascending, and the numbers there.
    #[must_use]
    pub fn entries(&self) -> &[(u32, f32)] {
        &self.entries
    }
}

/// A number of half precision.
pub(crate) fn from_half(half: u16) -> f32 {
    let sign = u32::from(half >> 15) << 31;
    let exponent = u32::from(half >> 10 & 0x1f);
    let fraction = u32::from(half & 0x3ff);
    f32::from_bits(match exponent {
        0 => {
            // 2^-24 and multiples are exact.
            let tiny = f32::from(half & 0x3ff) * (1.0 / 16_777_216.0);
            sign | tiny.to_bits()
        }
        0x1f => sign | 0x7f80_0000 | fraction << 13,
        _ => sign | (exponent + 112) << 23 | fraction << 13,
    })
}

/// The nearest number of half precision; of two equally near, the even one.
pub(crate) fn to_half(value: f32) -> u16 {
    let bits = value.to_bits();
    let magnitude = bits & 0x7fff_ffff;
    let half = if magnitude > 0x7f80_0000 {
        0x7e00
    } else if magnitude >= 0x477f_f000 {
        // 65520 and more.
        0x7c00
    } else if magnitude < 0x3880_0000 {
        // Below 2^-14 the step is 2^-24: adding 0.5 leaves the multiple of it in the last bits.
        (f32::from_bits(magnitude) + 0.5).to_bits() - 0x3f00_0000
    } else {
        let odd = magnitude >> 13 & 1;
        (magnitude - (112 << 23) + 0xfff + odd) >> 13
    };
    // All of the above have 15 bits.
    u16::try_from(bits >> 31 << 15 | half).unwrap_or(0)
}

/// Numbers between `open` and `close`, with commas between them.
pub(crate) fn numbers(bytes: &[u8], what: &'static str) -> Result<Vec<f32>, DecodeError> {
    let refused = || DecodeError::text(what, bytes);
    let inside =
        bytes.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")).ok_or_else(refused)?;
    if inside.is_empty() {
        return Ok(Vec::new());
    }
    let numbers: Vec<f32> = inside
        .split(|byte| *byte == b',')
        .map(|number| crate::text::float4::decode(number).map_err(|_| refused()))
        .collect::<Result<_, _>>()?;
    if numbers.len() > MAX_DIMENSIONS { Err(refused()) } else { Ok(numbers) }
}

/// Appends numbers as [`numbers`] reads them.
pub(crate) fn push_numbers(values: &[f32], out: &mut Vec<u8>) {
    out.push(b'[');
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        crate::text::float4::encode(value, out);
    }
    out.push(b']');
}

/// The count in front of a vector in binary form (and two unused bytes), and as many items.
pub(crate) fn items<'a, const N: usize>(
    bytes: &'a [u8],
    what: &'static str,
) -> Result<&'a [[u8; N]], DecodeError> {
    let refused = || DecodeError::binary(what, bytes);
    let (head, rest) = bytes.split_first_chunk::<4>().ok_or_else(refused)?;
    let [high, low, _, _] = *head;
    let (items, left) = rest.as_chunks::<N>();
    if left.is_empty() && items.len() == usize::from(u16::from_be_bytes([high, low])) {
        Ok(items)
    } else {
        Err(refused())
    }
}

/// Appends the count and two unused bytes.
pub(crate) fn push_count(count: usize, out: &mut Vec<u8>) {
    // No server takes more than 16,000.
    let count = u16::try_from(count).unwrap_or(u16::MAX);
    out.extend_from_slice(&count.to_be_bytes());
    out.extend_from_slice(&[0, 0]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_exact_and_rounded_to_even() {
        for half in 0..=u16::MAX {
            let wide = from_half(half);
            if !wide.is_nan() {
                assert_eq!(to_half(wide), half, "{half:04x}");
            }
        }
        assert_eq!(to_half(1.0), 0x3c00);
        assert_eq!(to_half(65_519.0), 0x7bff);
        assert_eq!(to_half(65_520.0), 0x7c00);
        assert_eq!(to_half(1.0 + 1.0 / 2048.0), 0x3c00);
        assert_eq!(to_half(1.0 + 3.0 / 2048.0), 0x3c02);
        assert_eq!(to_half(3e-8), 0x0001);
        assert_eq!(to_half(-1e-30), 0x8000);
        assert_eq!(to_half(f32::NAN), 0x7e00);
        assert!(from_half(0x7e00).is_nan());
        assert_eq!(from_half(0x0001), 2f32.powi(-24));
    }

    #[test]
    fn sparse_places_are_checked() {
        assert!(SparseVector::new(3, vec![(0, 1.0), (2, 2.0)]).is_ok());
        assert!(SparseVector::new(3, vec![(3, 1.0)]).is_err());
        assert!(SparseVector::new(3, vec![(1, 1.0), (1, 2.0)]).is_err());
        assert!(SparseVector::new(u32::MAX, vec![]).is_err());
    }
}
