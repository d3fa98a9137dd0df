//! `time` and `timetz`.

use super::calendar::MICROSECONDS_PER_DAY;
use crate::RangeError;

/// A value of type `time`: 00:00:00 to 24:00:00, the end of the day, which is a value of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time {
    hour: u8,
    minute: u8,
    second: u8,
    microsecond: u32,
}

impl Time {
    /// 00:00:00.
    pub const MIDNIGHT: Self = Self { hour: 0, minute: 0, second: 0, microsecond: 0 };
    /// 24:00:00, greater than every time of the day.
    pub const END_OF_DAY: Self = Self { hour: 24, minute: 0, second: 0, microsecond: 0 };

    /// A time from its parts. Seconds are 0 to 59; hour 24 only as exactly 24:00:00.
    ///
    /// # Errors
    /// A part is out of range.
    #[inline]
    pub fn new(hour: u8, minute: u8, second: u8, microsecond: u32) -> Result<Self, RangeError> {
        let time = Self { hour, minute, second, microsecond };
        if hour > 23 && time != Self::END_OF_DAY {
            return Err(RangeError::new("a time from 00:00:00 to 24:00:00 with an hour", hour));
        }
        if minute > 59 {
            return Err(RangeError::new("a minute from 0 to 59", minute));
        }
        if second > 59 {
            return Err(RangeError::new("a second from 0 to 59", second));
        }
        if microsecond > 999_999 {
            return Err(RangeError::new("microseconds from 0 to 999999", microsecond));
        }
        Ok(time)
    }

    /// The time a number of microseconds after midnight, as the binary form counts.
    ///
    /// # Errors
    /// The number is below 0 or above 86,400,000,000.
    pub fn from_microseconds(microseconds: i64) -> Result<Self, RangeError> {
        let outside =
            || RangeError::new("a time as 0 to 86400000000 microseconds of a day", microseconds);
        if !(0..=MICROSECONDS_PER_DAY).contains(&microseconds) {
            return Err(outside());
        }
        let part = |n: i64| u8::try_from(n).map_err(|_| outside());
        let seconds = microseconds / 1_000_000;
        Ok(Self {
            hour: part(seconds / 3_600)?,
            minute: part(seconds / 60 % 60)?,
            second: part(seconds % 60)?,
            microsecond: u32::try_from(microseconds % 1_000_000).map_err(|_| outside())?,
        })
    }

    /// Microseconds after midnight.
    #[must_use]
    pub fn to_microseconds(self) -> i64 {
        let seconds =
            i64::from(self.hour) * 3_600 + i64::from(self.minute) * 60 + i64::from(self.second);
        seconds * 1_000_000 + i64::from(self.microsecond)
    }

    /// 0 to 24.
    #[must_use]
    #[inline]
    pub const fn hour(self) -> u8 {
        self.hour
    }

    /// 0 to 59.
    #[must_use]
    #[inline]
    pub const fn minute(self) -> u8 {
        self.minute
    }

    /// 0 to 59.
    #[must_use]
    #[inline]
    pub const fn second(self) -> u8 {
        self.second
    }

    /// 0 to 999,999.
    #[must_use]
    #[inline]
    pub const fn microsecond(self) -> u32 {
        self.microsecond
    }
}

/// A value of type `timetz`: a time of the day and the offset it is given in.
///
/// Two values are equal when both parts are; the server orders them by the instant first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimeTz {
    time: Time,
    offset: i32,
}

impl TimeTz {
    /// A time and its offset, seconds east of UTC.
    ///
    /// # Errors
    /// The offset is 16 hours or more either way.
    #[inline]
    pub fn new(time: Time, offset: i32) -> Result<Self, RangeError> {
        check_offset(offset)?;
        Ok(Self { time, offset })
    }

    /// The time of the day, at the offset.
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

/// PostgreSQL's `TZDISP_LIMIT`: offsets are below 16 hours.
#[inline]
pub(super) fn check_offset(offset: i32) -> Result<(), RangeError> {
    const LIMIT: i32 = 16 * 3_600;
    if offset <= -LIMIT || offset >= LIMIT {
        return Err(RangeError::new("an offset below 16 hours (57600 s) of UTC", offset));
    }
    Ok(())
}
