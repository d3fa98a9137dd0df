//! `timestamp` and `timestamptz`.

use super::calendar;
use super::calendar::MICROSECONDS_PER_DAY;
use super::date::check_day;
use super::macros::{day_parts, with_infinities};
use super::time::{Time, check_offset};
use crate::RangeError;

/// 4714-11-24 BC 00:00:00, microseconds from 2000-01-01 00:00:00.
const MIN_MICROSECONDS: i64 = -211_813_488_000_000_000;
/// 294277-01-01 00:00:00, the first instant that is too late.
const END_MICROSECONDS: i64 = 9_223_371_331_200_000_000;
/// Years in which every instant is within the limits, whatever its offset.
const INNER_YEARS: std::ops::RangeInclusive<i32> = -4712..=294_275;

const LIMITS: &str = "a timestamp from 4714-11-24 BC to 294276-12-31 23:59:59.999999";

/// A date and time of the day without an offset, from 4714-11-24 BC to 294276-12-31.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CivilTimestamp {
    year: i32,
    month: u8,
    day: u8,
    time: Time,
}

impl CivilTimestamp {
    /// A timestamp from a date's parts (astronomical year) and a time below 24:00:00.
    ///
    /// # Errors
    /// The day does not exist, the time is 24:00:00, or the whole is outside PostgreSQL's limits.
    #[inline]
    pub fn new(year: i32, month: u8, day: u8, time: Time) -> Result<Self, RangeError> {
        check_parts(year, month, day, time)?;
        let timestamp = Self { year, month, day, time };
        if !INNER_YEARS.contains(&year) {
            check_microseconds(timestamp.wide_microseconds(), year)?;
        }
        Ok(timestamp)
    }

    /// The timestamp a number of microseconds after 2000-01-01 00:00:00, as the binary form counts.
    ///
    /// # Errors
    /// The number is outside PostgreSQL's limits.
    pub fn from_microseconds(microseconds: i64) -> Result<Self, RangeError> {
        if !(MIN_MICROSECONDS..END_MICROSECONDS).contains(&microseconds) {
            return Err(RangeError::new(LIMITS, microseconds));
        }
        let days = microseconds.div_euclid(MICROSECONDS_PER_DAY);
        let (year, month, day) =
            calendar::civil_from_days(days).ok_or_else(|| RangeError::new(LIMITS, microseconds))?;
        let time = Time::from_microseconds(microseconds.rem_euclid(MICROSECONDS_PER_DAY))?;
        Ok(Self { year, month, day, time })
    }

    /// Microseconds after 2000-01-01 00:00:00, negative before it.
    #[must_use]
    pub fn to_microseconds(self) -> i64 {
        // The limits of the type keep this within an i64.
        i64::try_from(self.wide_microseconds()).unwrap_or(i64::MAX)
    }

    fn wide_microseconds(self) -> i128 {
        wide_microseconds(self.year, self.month, self.day, self.time)
    }

    day_parts!();

    /// The time of the day, below 24:00:00.
    #[must_use]
    #[inline]
    pub const fn time(self) -> Time {
        self.time
    }
}

with_infinities! {
    /// A value of type `timestamp` (without time zone).
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    Timestamp(CivilTimestamp): "timestamp"
}

impl Timestamp {
    /// A finite timestamp from its parts.
    ///
    /// # Errors
    /// As [`CivilTimestamp::new`].
    #[inline]
    pub fn new(year: i32, month: u8, day: u8, time: Time) -> Result<Self, RangeError> {
        CivilTimestamp::new(year, month, day, time).map(Self::Finite)
    }
}

/// A date, a time of the day and the offset they are given in.
///
/// The limits are those of [`CivilTimestamp`], taken at UTC. Two values are equal when all parts
/// are; compare [`to_microseconds`](Self::to_microseconds) to compare instants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CivilTimestampTz {
    year: i32,
    month: u8,
    day: u8,
    time: Time,
    offset: i32,
}

impl CivilTimestampTz {
    /// A timestamp from a date's parts (astronomical year), a time below 24:00:00 and an offset in
    /// seconds east of UTC.
    ///
    /// # Errors
    /// As [`CivilTimestamp::new`], or the offset is 16 hours or more.
    #[inline]
    pub fn new(year: i32, month: u8, day: u8, time: Time, offset: i32) -> Result<Self, RangeError> {
        check_parts(year, month, day, time)?;
        check_offset(offset)?;
        let timestamp = Self { year, month, day, time, offset };
        if !INNER_YEARS.contains(&year) {
            check_microseconds(timestamp.wide_microseconds(), year)?;
        }
        Ok(timestamp)
    }

    /// The instant a number of microseconds after 2000-01-01 00:00:00 UTC, with offset 0.
    ///
    /// # Errors
    /// The number is outside PostgreSQL's limits.
    pub fn from_microseconds(microseconds: i64) -> Result<Self, RangeError> {
        let CivilTimestamp { year, month, day, time } =
            CivilTimestamp::from_microseconds(microseconds)?;
        Ok(Self { year, month, day, time, offset: 0 })
    }

    /// Microseconds from 2000-01-01 00:00:00 UTC to this instant.
    #[must_use]
    pub fn to_microseconds(self) -> i64 {
        // The limits of the type keep this within an i64.
        i64::try_from(self.wide_microseconds()).unwrap_or(i64::MAX)
    }

    fn wide_microseconds(self) -> i128 {
        wide_microseconds(self.year, self.month, self.day, self.time)
            - i128::from(self.offset) * 1_000_000
    }

    day_parts!();

    /// The time of the day, below 24:00:00.
    #[must_use]
    #[inline]
    pub const fn time(self) -> Time {
        self.time
    }

    /// Seconds east of UTC.
    #[must_use]
    #[inline]
    pub const fn offset(self) -> i32 {
        self.offset
    }
}

with_infinities! {
    /// A value of type `timestamptz`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    TimestampTz(CivilTimestampTz): "timestamp"
}

impl TimestampTz {
    /// A finite timestamp from its parts.
    ///
    /// # Errors
    /// As [`CivilTimestampTz::new`].
    #[inline]
    pub fn new(year: i32, month: u8, day: u8, time: Time, offset: i32) -> Result<Self, RangeError> {
        CivilTimestampTz::new(year, month, day, time, offset).map(Self::Finite)
    }
}

#[inline]
fn check_parts(year: i32, month: u8, day: u8, time: Time) -> Result<(), RangeError> {
    check_day(year, month, day)?;
    if time.hour() > 23 {
        return Err(RangeError::new("a time of the day below 24:00:00 with an hour", time.hour()));
    }
    Ok(())
}

/// Wide, because the check of the limits comes after.
fn wide_microseconds(year: i32, month: u8, day: u8, time: Time) -> i128 {
    i128::from(calendar::days_from_civil(year, month, day)) * i128::from(MICROSECONDS_PER_DAY)
        + i128::from(time.to_microseconds())
}

fn check_microseconds(microseconds: i128, year: i32) -> Result<(), RangeError> {
    if (i128::from(MIN_MICROSECONDS)..i128::from(END_MICROSECONDS)).contains(&microseconds) {
        Ok(())
    } else {
        Err(RangeError::new(LIMITS, year))
    }
}
