//! `$mod`.

use ::bson::RawBsonRef;

use super::integer;

/// The remainder of a division, fractions dropped before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Modulo {
    /// By what is divided; never zero.
    pub divisor: i64,
    /// What remains; it has the sign of the number that is divided.
    pub remainder: i64,
}

impl Modulo {
    pub(super) fn accepts(self, value: Option<RawBsonRef<'_>>) -> bool {
        let Some(Ok(value)) = value.map(integer::truncated) else { return false };
        // Nothing overflows: the least number by -1 leaves 0.
        value.checked_rem(self.divisor).unwrap_or(0) == self.remainder
    }
}
