//! `date`.

use super::calendar;
use super::macros::{day_parts, with_infinities};
use crate::RangeError;

/// A day of the calendar, from 4714-11-24 BC (Julian day 0) to 5874897-12-31.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CivilDate {
    year: i32,
    month: u8,
    day: u8,
}

impl CivilDate {
    /// The first day PostgreSQL's `date` holds.
    pub const MIN: Self = Self { year: -4713, month: 11, day: 24 };
    /// The last day PostgreSQL's `date` holds.
    pub const MAX: Self = Self { year: 5_874_897, month: 12, day: 31 };

    /// A day from its parts; the year is astronomical (0 = 1 BC).
    ///
    /// # Errors
    /// The day does not exist, or is outside PostgreSQL's limits.
    #[inline]
    pub fn new(year: i32, month: u8, day: u8) -> Result<Self, RangeError> {
        check_day(year, month, day)?;
        let date = Self { year, month, day };
        if date < Self::MIN || date > Self::MAX {
            return Err(RangeError::new("a date from 4714-11-24 BC to 5874897-12-31", year));
        }
        Ok(date)
    }

    /// The day a number of days after 2000-01-01, as the binary form counts.
    ///
    /// # Errors
    /// The day is outside PostgreSQL's limits.
    pub fn from_days(days: i32) -> Result<Self, RangeError> {
        let outside = || RangeError::new("a date as -2451545 to 2145031948 days from 2000", days);
        let (year, month, day) = calendar::civil_from_days(i64::from(days)).ok_or_else(outside)?;
        Self::new(year, month, day).map_err(|_| outside())
    }

    /// Days after 2000-01-01, negative before it.
    #[must_use]
    pub fn to_days(self) -> i32 {
        // The limits of the type keep this within -2,451,545 ..= 2,145,031,948.
        i32::try_from(calendar::days_from_civil(self.year, self.month, self.day))
            .unwrap_or(i32::MAX)
    }

    day_parts!();
}

/// Whether the calendar has that day.
#[inline]
pub(super) fn check_day(year: i32, month: u8, day: u8) -> Result<(), RangeError> {
    if month == 0 || month > 12 {
        return Err(RangeError::new("a month from 1 to 12", month));
    }
    if day == 0 || (day > 28 && day > calendar::days_in_month(year, month)) {
        return Err(RangeError::new("a day that its month has", day));
    }
    Ok(())
}

with_infinities! {
    /// A value of type `date`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    Date(CivilDate): "date"
}

impl Date {
    /// A finite date from its parts; the year is astronomical (0 = 1 BC).
    ///
    /// # Errors
    /// As [`CivilDate::new`].
    #[inline]
    pub fn new(year: i32, month: u8, day: u8) -> Result<Self, RangeError> {
        CivilDate::new(year, month, day).map(Self::Finite)
    }
}
