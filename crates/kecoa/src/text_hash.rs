//! A fast hash for texts of the program's own, such as its statements.

use std::hash::{BuildHasher, Hasher};

/// An odd number without a pattern in its bits: those of the golden ratio.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// Hashes texts that the program itself has written, some times faster than the standard library's
/// hasher. Who knows the seed can make texts that collide: it is not for keys that others choose, unless
/// their number has a bound and a collision only costs time.
#[derive(Clone, Copy, Debug)]
pub struct TextHash {
    seed: u64,
}

impl Default for TextHash {
    /// With a seed of its own.
    fn default() -> TextHash {
        TextHash { seed: fastrand::u64(..) }
    }
}

impl BuildHasher for TextHash {
    type Hasher = TextHasher;

    fn build_hasher(&self) -> TextHasher {
        TextHasher(self.seed)
    }
}

/// A hash in the making, by [`TextHash`].
#[derive(Clone, Debug)]
pub struct TextHasher(u64);

impl TextHasher {
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the other half is mixed in")]
    fn mix(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word) * u128::from(FACTOR);
        self.0 = (product as u64) ^ ((product >> 64) as u64);
    }
}

impl Hasher for TextHasher {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some((word, behind)) = rest.split_first_chunk::<8>() {
            self.mix(u64::from_le_bytes(*word));
            rest = behind;
        }
        // With its length: a text is not the same as one with NULs behind it.
        let last = rest.iter().fold(rest.len() as u64, |last, byte| last << 8 | u64::from(*byte));
        self.mix(last);
    }

    #[inline]
    fn write_u64(&mut self, number: u64) {
        self.mix(number);
    }

    #[inline]
    fn write_usize(&mut self, number: usize) {
        self.mix(number as u64);
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn what_differs_a_little_has_another_hash() {
        let hasher = TextHash::default();
        let mut texts: Vec<Vec<u8>> = (0..40).map(|length| vec![0; length]).collect();
        let statement = b"SELECT id, balance FROM accounts WHERE id = $1";
        for at in 0..statement.len() {
            let mut text = statement.to_vec();
            text[at] ^= 1;
            texts.push(text);
        }
        texts.extend((0..2_000).map(|number| format!("SELECT {number}").into_bytes()));
        let hashes: HashSet<u64> = texts.iter().map(|text| hasher.hash_one(&text[..])).collect();
        assert_eq!(hashes.len(), texts.len());
        // Tables take the low bits.
        let buckets: HashSet<u64> = hashes.iter().map(|hash| hash % 256).collect();
        assert!(buckets.len() > 240, "{}", buckets.len());
    }

    #[test]
    fn the_same_has_the_same_and_seeds_differ() {
        let (one, other) = (TextHash { seed: 1 }, TextHash { seed: 2 });
        let key: (&[u8], &[u32]) = (b"SELECT $1", &[23]);
        assert_eq!(one.hash_one(key), one.hash_one(key));
        assert_ne!(one.hash_one(key), other.hash_one(key));
        let other_types: (&[u8], &[u32]) = (b"SELECT $1", &[20]);
        assert_ne!(one.hash_one(key), one.hash_one(other_types));
    }
}
