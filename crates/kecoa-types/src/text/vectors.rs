//! `vector`, `halfvec` and `sparsevec`, a module each.

/// `vector`.
pub mod vector {
    use crate::vector::{numbers, push_numbers};
    use crate::{DecodeError, Vector};

    /// Decodes `[1,2.5,3]`.
    ///
    /// # Errors
    /// It is not that, or has more than 16,000 numbers.
    pub fn decode(bytes: &[u8]) -> Result<Vector, DecodeError> {
        numbers(bytes, "a vector as [1,2.5,3]").map(Vector)
    }

    /// Appends `[1,2.5,3]`.
    pub fn encode(value: &Vector, out: &mut Vec<u8>) {
        push_numbers(&value.0, out);
    }
}

/// `halfvec`.
pub mod halfvec {
    use crate::vector::{from_half, numbers, push_numbers, to_half};
    use crate::{DecodeError, HalfVector};

    /// Decodes `[1,2.5,3]`.
    ///
    /// # Errors
    /// It is not that, or has more than 16,000 numbers.
    pub fn decode(bytes: &[u8]) -> Result<HalfVector, DecodeError> {
        let mut values = numbers(bytes, "a halfvec as [1,2.5,3]")?;
        for value in &mut values {
            *value = from_half(to_half(*value));
        }
        Ok(HalfVector(values))
    }

    /// Appends `[1,2.5,3]`.
    pub fn encode(value: &HalfVector, out: &mut Vec<u8>) {
        push_numbers(&value.0, out);
    }
}

/// `sparsevec`.
pub mod sparsevec {
    use crate::text::{float4, integer};
    use crate::{DecodeError, SparseVector};

    /// Decodes `{place:number,place:number}/dimensions`, with places from 1 on.
    ///
    /// # Errors
    /// It is not that, or a place is not in the vector.
    pub fn decode(bytes: &[u8]) -> Result<SparseVector, DecodeError> {
        parse(bytes).ok_or_else(|| {
            DecodeError::text("a sparsevec as {1:2.5,3:4}/5, places in order", bytes)
        })
    }

    fn parse(bytes: &[u8]) -> Option<SparseVector> {
        let slash = memchr::memrchr(b'/', bytes)?;
        let dimensions = integer::parse_unsigned(bytes.get(slash + 1..)?)?;
        let inside = bytes.get(..slash)?.strip_prefix(b"{")?.strip_suffix(b"}")?;
        let mut entries = Vec::new();
        if !inside.is_empty() {
            for entry in inside.split(|byte| *byte == b',') {
                let colon = memchr::memchr(b':', entry)?;
                let place = integer::parse_unsigned(entry.get(..colon)?)?.checked_sub(1)?;
                let number = float4::decode(entry.get(colon + 1..)?).ok()?;
                entries.push((u32::try_from(place).ok()?, number));
            }
        }
        SparseVector::new(u32::try_from(dimensions).ok()?, entries).ok()
    }

    /// Appends `{place:number,place:number}/dimensions`, with places from 1 on.
    pub fn encode(value: &SparseVector, out: &mut Vec<u8>) {
        out.push(b'{');
        for (index, (place, number)) in value.entries().iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            integer::push_unsigned(u64::from(*place) + 1, out);
            out.push(b':');
            float4::encode(number, out);
        }
        out.extend_from_slice(b"}/");
        integer::push_unsigned(value.dimensions().into(), out);
    }
}
