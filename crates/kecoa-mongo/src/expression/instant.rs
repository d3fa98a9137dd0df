//! Dates in the Gregorian calendar, for all milliseconds of 64 bits.

use crate::error::{Code, Error};

/// A day in milliseconds.
pub(super) const DAY: i64 = 86_400_000;

/// A local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Civil {
    pub(super) year: i64,
    /// From 1.
    pub(super) month: i64,
    /// From 1.
    pub(super) day: i64,
    /// Within the day.
    pub(super) milliseconds: i64,
}

impl Civil {
    /// The local time of milliseconds since 1970 that an offset was added to.
    pub(super) fn from_milliseconds(local: i64) -> Self {
        let (year, month, day) = from_days(local.div_euclid(DAY));
        Self { year, month, day, milliseconds: local.rem_euclid(DAY) }
    }

    /// Milliseconds since 1970 without an offset; none beyond 64 bits.
    pub(super) fn to_milliseconds(self) -> Option<i64> {
        self.days()?.checked_mul(DAY)?.checked_add(self.milliseconds)
    }

    /// Days since 1970.
    pub(super) fn days(self) -> Option<i64> {
        to_days(self.year, self.month, self.day)
    }

    pub(super) fn hour(self) -> i64 {
        self.milliseconds / 3_600_000
    }

    pub(super) fn minute(self) -> i64 {
        self.milliseconds / 60_000 % 60
    }

    pub(super) fn second(self) -> i64 {
        self.milliseconds / 1000 % 60
    }

    pub(super) fn millisecond(self) -> i64 {
        self.milliseconds % 1000
    }

    /// From 1.
    pub(super) fn day_of_year(self) -> i64 {
        let first = to_days(self.year, 1, 1).unwrap_or(0);
        self.days().unwrap_or(0) - first + 1
    }

    /// Sunday is 1.
    pub(super) fn day_of_week(self) -> i64 {
        (self.days().unwrap_or(0) + 4).rem_euclid(7) + 1
    }

    /// Monday is 1.
    pub(super) fn iso_day_of_week(self) -> i64 {
        (self.days().unwrap_or(0) + 3).rem_euclid(7) + 1
    }

    /// Weeks begin on Sunday; days before the first one are in week 0.
    pub(super) fn week(self) -> i64 {
        (self.day_of_year() + 7 - self.day_of_week()) / 7
    }

    /// The year that the week belongs to, and the week.
    pub(super) fn iso_week(self) -> (i64, i64) {
        // The week belongs to the year of its Thursday.
        let thursday = self.days().unwrap_or(0) + 4 - self.iso_day_of_week();
        let (year, _, _) = from_days(thursday);
        let first = to_days(year, 1, 1).unwrap_or(0);
        (year, (thursday - first) / 7 + 1)
    }
}

/// The days of a month.
pub(super) fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970 of a date, whose month and day may lie outside of the year and the month.
pub(super) fn to_days(year: i64, month: i64, day: i64) -> Option<i64> {
    let months = month.checked_sub(1)?;
    let year = year.checked_add(months.div_euclid(12))?;
    let month = months.rem_euclid(12) + 1;
    // Years begin in March, so that leap days come last.
    let year = if month <= 2 { year.checked_sub(1)? } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5;
    let days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    era.checked_mul(146_097)?.checked_add(days - 719_468)?.checked_add(day.checked_sub(1)?)
}

fn from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// The first day of an ISO year, as days since 1970.
pub(super) fn iso_year_start(year: i64) -> Option<i64> {
    // The first week is the one of the 4th of January.
    let fourth = to_days(year, 1, 4)?;
    Some(fourth - (fourth + 3).rem_euclid(7))
}

/// `2024-02-29T12:34:56.789Z`.
pub(super) fn iso_text(milliseconds: i64) -> Result<String, Error> {
    let civil = Civil::from_milliseconds(milliseconds);
    check_year(civil.year)?;
    Ok(format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        civil.year,
        civil.month,
        civil.day,
        civil.hour(),
        civil.minute(),
        civil.second(),
        civil.millisecond()
    ))
}

/// A year that has four digits.
pub(super) fn check_year(year: i64) -> Result<(), Error> {
    if (0..=9999).contains(&year) {
        return Ok(());
    }
    let text = format!("$dateToString is only defined on year 0-9999, tried to use year {year}");
    Err(Error::new(Code::location(18537), text))
}
