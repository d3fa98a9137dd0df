//! `interval`.

/// A value of type `interval`: three numbers that are kept apart, because months have no fixed
/// length in days, nor days in hours.
///
/// As in PostgreSQL 17 and newer, the three largest and the three smallest numbers together mean
/// `infinity` and `-infinity`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Interval {
    /// Months; a year is 12 of them.
    pub months: i32,
    /// Days.
    pub days: i32,
    /// Microseconds; may be more than a day.
    pub microseconds: i64,
}

impl Interval {
    /// `infinity`
    pub const INFINITY: Self = Self { months: i32::MAX, days: i32::MAX, microseconds: i64::MAX };
    /// `-infinity`
    pub const NEG_INFINITY: Self =
        Self { months: i32::MIN, days: i32::MIN, microseconds: i64::MIN };

    /// An interval from its three numbers.
    #[must_use]
    pub const fn new(months: i32, days: i32, microseconds: i64) -> Self {
        Self { months, days, microseconds }
    }

    /// Neither `infinity` nor `-infinity`.
    #[must_use]
    pub fn is_finite(self) -> bool {
        self != Self::INFINITY && self != Self::NEG_INFINITY
    }
}
