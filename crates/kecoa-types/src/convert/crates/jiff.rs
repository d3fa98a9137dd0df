//! The crate `jiff`.

use ::jiff::civil::{Date as TheirDate, DateTime, Time as TheirTime};
use ::jiff::{Span, Timestamp as Instant, Zoned};

use super::{EPOCH_MICROSECONDS, finite, from_unix, outside, through};
use crate::civil::{CivilDate, CivilTimestamp, CivilTimestampTz};
use crate::{
    Date, DecodeError, EncodeError, Interval, IsNull, StaticOid, Time, Timestamp, TimestampTz,
    ToSql,
};

const DAYS: &str = "a date of the years -9999 to 9999 (read the column as Date for any other)";
const TIMES: &str = "a time below 24:00:00 (read the column as Time for any other)";
const MOMENTS: &str = "a timestamp of the years -9999 to 9999 (read the column as Timestamp or TimestampTz for any other)";
const SPANS: &str =
    "an interval that jiff's Span holds (read the column as Interval for any other)";

through! {
    TheirDate, Date:
        read |ours| {
            let date = finite(ours.finite(), DAYS)?;
            day(date.year(), date.month(), date.day()).ok_or_else(|| outside(DAYS, date.year()))
        },
        send |theirs| {
            let date = CivilDate::new(theirs.year().into(), unsigned(theirs.month()), unsigned(theirs.day()))?;
            Ok(Date::Finite(date))
        };
    /// To the microsecond; what is finer is cut off.
    TheirTime, Time:
        read |ours| time(ours).ok_or_else(|| DecodeError::new(TIMES, "24:00:00")),
        send time_of;
    /// To the microsecond; what is finer is cut off.
    DateTime, Timestamp:
        read |ours| {
            let timestamp = finite(ours.finite(), MOMENTS)?;
            day(timestamp.year(), timestamp.month(), timestamp.day())
                .zip(time(timestamp.time()))
                .map(|(date, time)| DateTime::from_parts(date, time))
                .ok_or_else(|| outside(MOMENTS, timestamp.year()))
        },
        send |theirs| {
            let timestamp = CivilTimestamp::new(
                theirs.year().into(),
                unsigned(theirs.month()),
                unsigned(theirs.day()),
                time_of(&theirs.time())?,
            )?;
            Ok(Timestamp::Finite(timestamp))
        };
    /// To the microsecond; what is finer is cut off.
    Instant, TimestampTz:
        read |ours| {
            let timestamp = finite(ours.finite(), MOMENTS)?;
            timestamp
                .to_microseconds()
                .checked_add(EPOCH_MICROSECONDS)
                .and_then(|microseconds| Instant::from_microsecond(microseconds).ok())
                .ok_or_else(|| outside(MOMENTS, timestamp.year()))
        },
        send instant_of;
    /// Years are twelve months, weeks seven days, and all below a day microseconds, as PostgreSQL has it.
    Span, Interval:
        read |ours| {
            // A Span has one sign for all of its parts, and takes the last one without a word.
            let parts = [i64::from(ours.months), ours.days.into(), ours.microseconds];
            if parts.iter().any(|part| *part < 0) && parts.iter().any(|part| *part > 0) {
                return Err(DecodeError::new(SPANS, "one with parts of both signs"));
            }
            Span::new()
                .try_months(ours.months)
                .and_then(|span| span.try_days(ours.days))
                .and_then(|span| span.try_microseconds(ours.microseconds))
                .map_err(|error| DecodeError::new(SPANS, error.to_string()))
        },
        send |theirs| {
            let months = i32::from(theirs.get_years()) * 12 + theirs.get_months();
            let days = theirs.get_weeks() * 7 + theirs.get_days();
            let minutes = i128::from(theirs.get_hours()) * 60 + i128::from(theirs.get_minutes());
            let milliseconds = (minutes * 60 + i128::from(theirs.get_seconds())) * 1_000
                + i128::from(theirs.get_milliseconds());
            let nanoseconds = (milliseconds * 1_000 + i128::from(theirs.get_microseconds())) * 1_000
                + i128::from(theirs.get_nanoseconds());
            let microseconds = i64::try_from(nanoseconds / 1_000).map_err(|_| {
                EncodeError::Other(format!("expected an interval of at most 2562047788 hours, found {theirs}"))
            })?;
            Ok(Interval::new(months, days, microseconds))
        };
}

/// The instant. Its zone is not sent: `timestamptz` has none. To the microsecond; what is finer is cut off.
impl ToSql for Zoned {
    fn type_oid(&self) -> u32 {
        TimestampTz::OID
    }

    fn encode_binary(&self, out: &mut Vec<u8>) -> Result<IsNull, EncodeError> {
        instant_of(&self.timestamp())?.encode_binary(out)
    }
}

impl StaticOid for Zoned {
    const OID: u32 = TimestampTz::OID;
}

fn day(year: i32, month: u8, day: u8) -> Option<TheirDate> {
    TheirDate::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?)
        .ok()
}

fn time(ours: Time) -> Option<TheirTime> {
    let part = |number: u8| i8::try_from(number).ok();
    let nanosecond = i32::try_from(ours.microsecond() * 1_000).ok()?;
    TheirTime::new(part(ours.hour())?, part(ours.minute())?, part(ours.second())?, nanosecond).ok()
}

fn time_of(theirs: &TheirTime) -> Result<Time, EncodeError> {
    let microsecond = theirs.subsec_nanosecond().unsigned_abs() / 1_000;
    let (hour, minute, second) = (theirs.hour(), theirs.minute(), theirs.second());
    Ok(Time::new(unsigned(hour), unsigned(minute), unsigned(second), microsecond)?)
}

fn instant_of(theirs: &Instant) -> Result<TimestampTz, EncodeError> {
    let microseconds = from_unix(theirs.as_nanosecond().div_euclid(1_000))?;
    Ok(TimestampTz::Finite(CivilTimestampTz::from_microseconds(microseconds)?))
}

/// A part of a date or time, which jiff keeps as a signed number that is never negative.
fn unsigned(part: i8) -> u8 {
    part.unsigned_abs()
}
