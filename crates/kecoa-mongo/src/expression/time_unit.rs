//! Units of time and days of the week, as arguments name them.

use super::instant::{self, Civil};

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Twelve months.
    Year,
    /// Three months.
    Quarter,
    /// A month of the calendar.
    Month,
    /// Seven days.
    Week,
    /// A day.
    Day,
    /// An hour.
    Hour,
    /// A minute.
    Minute,
    /// A second.
    Second,
    /// A millisecond.
    Millisecond,
}

impl Unit {
    /// The unit of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "year" => Self::Year,
            "quarter" => Self::Quarter,
            "month" => Self::Month,
            "week" => Self::Week,
            "day" => Self::Day,
            "hour" => Self::Hour,
            "minute" => Self::Minute,
            "second" => Self::Second,
            "millisecond" => Self::Millisecond,
            _ => return None,
        })
    }

    /// How many months it is.
    pub(super) fn months(self) -> Option<i64> {
        match self {
            Self::Year => Some(12),
            Self::Quarter => Some(3),
            Self::Month => Some(1),
            _ => None,
        }
    }

    /// How many days it is, if it is some days always.
    #[must_use]
    pub fn days(self) -> Option<i64> {
        match self {
            Self::Week => Some(7),
            Self::Day => Some(1),
            _ => None,
        }
    }

    /// How many milliseconds it is, if it is less than a day.
    #[must_use]
    pub fn milliseconds(self) -> Option<i64> {
        match self {
            Self::Hour => Some(3_600_000),
            Self::Minute => Some(60_000),
            Self::Second => Some(1000),
            Self::Millisecond => Some(1),
            _ => None,
        }
    }
}

/// The day of a week by its name, of which three letters are enough, in any case: Monday is 1, Sunday 7.
pub(super) fn week_day(name: &str) -> Option<i64> {
    let index = match name.to_ascii_lowercase().as_str() {
        "monday" | "mon" => 1,
        "tuesday" | "tue" => 2,
        "wednesday" | "wed" => 3,
        "thursday" | "thu" => 4,
        "friday" | "fri" => 5,
        "saturday" | "sat" => 6,
        "sunday" | "sun" => 7,
        _ => return None,
    };
    Some(index)
}

/// Months later; a day that the month doesn't have becomes its last one.
pub(super) fn add_months(civil: Civil, months: i64) -> Option<Civil> {
    let index = civil.year.checked_mul(12)?.checked_add(civil.month - 1)?.checked_add(months)?;
    let (year, month) = (index.div_euclid(12), index.rem_euclid(12) + 1);
    let day = civil.day.min(instant::days_of_month(year, month));
    Some(Civil { year, month, day, ..civil })
}
