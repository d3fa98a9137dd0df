//! `$bitsAllSet`, `$bitsAnySet`, `$bitsAllClear`, `$bitsAnyClear`.

use ::bson::RawBsonRef;

use super::integer;

/// A test of some bits of a number or of binary data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BitTest {
    /// What is asked of them.
    pub kind: BitTestKind,
    /// Which bits, from the lowest; in order, each once.
    pub positions: Vec<u32>,
}

/// What is asked of bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BitTestKind {
    /// `$bitsAllSet`
    AllSet,
    /// `$bitsAnySet`
    AnySet,
    /// `$bitsAllClear`
    AllClear,
    /// `$bitsAnyClear`
    AnyClear,
}

impl BitTestKind {
    /// The name in a query.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AllSet => "$bitsAllSet",
            Self::AnySet => "$bitsAnySet",
            Self::AllClear => "$bitsAllClear",
            Self::AnyClear => "$bitsAnyClear",
        }
    }
}

impl BitTest {
    pub(super) fn accepts(&self, value: Option<RawBsonRef<'_>>) -> bool {
        match value {
            Some(RawBsonRef::Binary(binary)) => self.holds(|position| {
                let byte = usize::try_from(position / 8).ok().and_then(|at| binary.bytes.get(at));
                byte.is_some_and(|byte| byte >> (position % 8) & 1 == 1)
            }),
            Some(value @ (RawBsonRef::Int32(_) | RawBsonRef::Int64(_) | RawBsonRef::Double(_))) => {
                let Ok(number) = integer::exact(value) else { return false };
                // A negative number goes on with ones.
                self.holds(|position| number >> position.min(63) & 1 == 1)
            }
            _ => false,
        }
    }

    fn holds(&self, is_set: impl Fn(u32) -> bool) -> bool {
        let mut positions = self.positions.iter().copied();
        match self.kind {
            BitTestKind::AllSet => positions.all(is_set),
            BitTestKind::AnySet => positions.any(is_set),
            BitTestKind::AllClear => positions.all(|position| !is_set(position)),
            BitTestKind::AnyClear => positions.any(|position| !is_set(position)),
        }
    }
}
