//! Strings of bits.

/// A `bit(n)` or a `varbit`: bits, the first one highest in the first byte.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct BitString {
    length: usize,
    bytes: Vec<u8>,
}

impl BitString {
    /// The first `length` bits of `bytes`; nothing where there are not as many bytes as they fill.
    /// What is beyond the last bit becomes zero.
    #[must_use]
    pub fn new(length: usize, mut bytes: Vec<u8>) -> Option<Self> {
        if bytes.len() != length.div_ceil(8) {
            return None;
        }
        if let (Some(last), unused @ 1..) = (bytes.last_mut(), unused_bits(length)) {
            *last &= u8::MAX << unused;
        }
        Some(Self { length, bytes })
    }

    /// How many bits.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The bytes, zero beyond the last bit.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A bit; nothing beyond the last.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<bool> {
        let byte = self.bytes.get(index / 8).filter(|_| index < self.length)?;
        Some(byte >> (7 - index % 8) & 1 == 1)
    }
}

/// Bits of the last byte that are not used.
fn unused_bits(length: usize) -> usize {
    (8 - length % 8) % 8
}

impl FromIterator<bool> for BitString {
    fn from_iter<I: IntoIterator<Item = bool>>(bits: I) -> Self {
        let mut made = Self::default();
        for bit in bits {
            if made.length % 8 == 0 {
                made.bytes.push(0);
            }
            if let (true, Some(last)) = (bit, made.bytes.last_mut()) {
                *last |= 0x80 >> (made.length % 8);
            }
            made.length += 1;
        }
        made
    }
}
