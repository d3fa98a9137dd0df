//! Day numbers and the proleptic Gregorian calendar.
//!
//! The arithmetic counts years from 1 March, so that the leap day ends the year, in cycles of 400
//! years (146,097 days).

/// Microseconds in a day of 24 hours.
pub(crate) const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

/// From 1 March of the year 0 to 1 January 2000, PostgreSQL's day 0.
const EPOCH: i64 = 730_425;
const DAYS_PER_CYCLE: i64 = 146_097;

/// The length of a month, days; 0 for a month that does not exist.
#[inline]
pub(super) const fn days_in_month(year: i32, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        1..=12 => 31,
        _ => 0,
    }
}

/// Days from 2000-01-01 to a date that exists.
pub(super) fn days_from_civil(year: i32, month: u8, day: u8) -> i64 {
    let month = i64::from(month);
    let year = i64::from(year) - i64::from(month <= 2);
    let cycle = year.div_euclid(400);
    let year_of_cycle = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    let day_of_cycle = year_of_cycle * 365 + year_of_cycle / 4 - year_of_cycle / 100 + day_of_year;
    cycle * DAYS_PER_CYCLE + day_of_cycle - EPOCH
}

/// The date a number of days from 2000-01-01; `None` where the year is outside `i32`.
pub(super) fn civil_from_days(days: i64) -> Option<(i32, u8, u8)> {
    let days = days.checked_add(EPOCH)?;
    let cycle = days.div_euclid(DAYS_PER_CYCLE);
    let day_of_cycle = days.rem_euclid(DAYS_PER_CYCLE);
    let year_of_cycle = (day_of_cycle - day_of_cycle / 1_460 + day_of_cycle / 36_524
        - day_of_cycle / 146_096)
        / 365;
    let day_of_year =
        day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = cycle.checked_mul(400)?.checked_add(year_of_cycle + i64::from(month <= 2))?;
    Some((i32::try_from(year).ok()?, u8::try_from(month).ok()?, u8::try_from(day).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_days() {
        assert_eq!(days_from_civil(2000, 1, 1), 0);
        assert_eq!(days_from_civil(1970, 1, 1), -10_957);
        assert_eq!(days_from_civil(-4713, 11, 24), -2_451_545);
        assert_eq!(days_from_civil(294_277, 1, 1), 109_203_528 - 2_451_545);
        assert_eq!(days_from_civil(5_874_898, 1, 1), 2_147_483_494 - 2_451_545);
    }

    #[test]
    fn every_day_of_a_cycle_there_and_back() {
        let mut before = None;
        for day in -200_000..200_000 {
            let date = civil_from_days(day).unwrap();
            assert!(date.2 >= 1 && date.2 <= days_in_month(date.0, date.1));
            assert_eq!(days_from_civil(date.0, date.1, date.2), day);
            assert!(before < Some(date));
            before = Some(date);
        }
    }

    #[test]
    fn far_days_do_not_overflow() {
        assert_eq!(civil_from_days(i64::MAX), None);
        assert_eq!(civil_from_days(i64::MIN), None);
    }
}
