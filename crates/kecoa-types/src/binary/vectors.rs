//! `vector`, `halfvec` and `sparsevec`, a module each.

/// `vector`: two bytes of count, two unused ones, then each number in four bytes.
pub mod vector {
    use crate::vector::{items, push_count};
    use crate::{DecodeError, Vector};

    /// Decodes the numbers.
    ///
    /// # Errors
    /// There are not as many as the count says.
    pub fn decode(bytes: &[u8]) -> Result<Vector, DecodeError> {
        let items = items::<4>(bytes, "a vector: a count, and as many numbers of 4 bytes")?;
        Ok(Vector(items.iter().map(|item| f32::from_be_bytes(*item)).collect()))
    }

    /// Appends the numbers.
    pub fn encode(value: &Vector, out: &mut Vec<u8>) {
        push_count(value.0.len(), out);
        for number in &value.0 {
            out.extend_from_slice(&number.to_be_bytes());
        }
    }
}

/// `halfvec`: two bytes of count, two unused ones, then each number in two bytes.
pub mod halfvec {
    use crate::vector::{from_half, items, push_count, to_half};
    use crate::{DecodeError, HalfVector};

    /// Decodes the numbers.
    ///
    /// # Errors
    /// There are not as many as the count says.
    pub fn decode(bytes: &[u8]) -> Result<HalfVector, DecodeError> {
        let items = items::<2>(bytes, "a halfvec: a count, and as many numbers of 2 bytes")?;
        Ok(HalfVector(items.iter().map(|item| from_half(u16::from_be_bytes(*item))).collect()))
    }

    /// Appends the numbers, rounded.
    pub fn encode(value: &HalfVector, out: &mut Vec<u8>) {
        push_count(value.0.len(), out);
        for number in &value.0 {
            out.extend_from_slice(&to_half(*number).to_be_bytes());
        }
    }
}

/// `sparsevec`: dimensions, count and an unused number, then the places from 0 on, then the numbers;
/// all of four bytes.
pub mod sparsevec {
    use crate::{DecodeError, SparseVector};

    /// Decodes places and numbers.
    ///
    /// # Errors
    /// There are not as many as the count says, or a place is not in the vector.
    pub fn decode(bytes: &[u8]) -> Result<SparseVector, DecodeError> {
        parse(bytes).ok_or_else(|| {
            DecodeError::binary("a sparsevec: dimensions, count, places, numbers", bytes)
        })
    }

    fn parse(bytes: &[u8]) -> Option<SparseVector> {
        let (words, []) = bytes.as_chunks::<4>() else { return None };
        let [dimensions, count, _, items @ ..] = words else { return None };
        let count = usize::try_from(i32::from_be_bytes(*count)).ok()?;
        if count.checked_mul(2) != Some(items.len()) {
            return None;
        }
        let (places, numbers) = items.split_at_checked(count)?;
        let entries = places
            .iter()
            .zip(numbers)
            .map(|(place, number)| (u32::from_be_bytes(*place), f32::from_be_bytes(*number)))
            .collect();
        SparseVector::new(u32::from_be_bytes(*dimensions), entries).ok()
    }

    /// Appends places and numbers.
    pub fn encode(value: &SparseVector, out: &mut Vec<u8>) {
        let count = u32::try_from(value.entries().len()).unwrap_or(u32::MAX);
        for word in [value.dimensions(), count, 0] {
            out.extend_from_slice(&word.to_be_bytes());
        }
        for (place, _) in value.entries() {
            out.extend_from_slice(&place.to_be_bytes());
        }
        for (_, number) in value.entries() {
            out.extend_from_slice(&number.to_be_bytes());
        }
    }
}
