//! The crate `chrono`.

use ::chrono::{
    DateTime, Datelike as _, FixedOffset, Local, NaiveDate, NaiveDateTime, NaiveTime, TimeZone,
    Timelike as _, Utc,
};

use super::{EPOCH_MICROSECONDS, finite, from_unix, outside, through};
use crate::civil::{CivilDate, CivilTimestamp, CivilTimestampTz};
use crate::{Date, DecodeError, EncodeError, Time, Timestamp, TimestampTz};

const DAYS: &str = "a date that chrono's NaiveDate holds (read the column as Date for any other)";
const TIMES: &str = "a time below 24:00:00 (read the column as Time for any other)";
const MOMENTS: &str =
    "a timestamp that chrono holds (read the column as Timestamp or TimestampTz for any other)";

through! {
    NaiveDate, Date:
        read |ours| {
            let date = finite(ours.finite(), DAYS)?;
            NaiveDate::from_ymd_opt(date.year(), date.month().into(), date.day().into())
                .ok_or_else(|| outside(DAYS, date.year()))
        },
        send |theirs| {
            // A month and a day of the calendar fit.
            let part = |number: u32| u8::try_from(number).unwrap_or(0);
            let date = CivilDate::new(theirs.year(), part(theirs.month()), part(theirs.day()))?;
            Ok(Date::Finite(date))
        };
    /// To the microsecond; what is finer is cut off. A leap second counts as the second after it.
    NaiveTime, Time:
        read |ours| {
            let seconds = u32::from(ours.hour()) * 3_600 + u32::from(ours.minute()) * 60 + u32::from(ours.second());
            NaiveTime::from_num_seconds_from_midnight_opt(seconds, ours.microsecond() * 1_000)
                .ok_or_else(|| DecodeError::new(TIMES, "24:00:00"))
        },
        send |theirs| {
            let seconds = i64::from(theirs.num_seconds_from_midnight());
            Ok(Time::from_microseconds(seconds * 1_000_000 + i64::from(theirs.nanosecond() / 1_000))?)
        };
    /// To the microsecond; what is finer is cut off.
    NaiveDateTime, Timestamp:
        read |ours| {
            let timestamp = finite(ours.finite(), MOMENTS)?;
            moment(timestamp.to_microseconds(), timestamp.year()).map(|utc| utc.naive_utc())
        },
        send |theirs| {
            let microseconds = since_2000(&theirs.and_utc())?;
            Ok(Timestamp::Finite(CivilTimestamp::from_microseconds(microseconds)?))
        };
    /// To the microsecond; what is finer is cut off.
    DateTime<Utc>, TimestampTz: read instant, send |theirs| instant_of(theirs);
    /// The offset is that of the text form, or 0: the server keeps none.
    DateTime<FixedOffset>, TimestampTz:
        read |ours| {
            let offset = finite(ours.finite(), MOMENTS)?.offset();
            let offset = FixedOffset::east_opt(offset)
                .ok_or_else(|| DecodeError::new("an offset below 24 hours", offset.to_string()))?;
            Ok(instant(ours)?.with_timezone(&offset))
        },
        send |theirs| instant_of(theirs);
    DateTime<Local>, TimestampTz:
        read |ours| Ok(instant(ours)?.with_timezone(&Local)),
        send |theirs| instant_of(theirs);
}

fn instant(ours: TimestampTz) -> Result<DateTime<Utc>, DecodeError> {
    let timestamp = finite(ours.finite(), MOMENTS)?;
    moment(timestamp.to_microseconds(), timestamp.year())
}

fn moment(since_2000: i64, year: i32) -> Result<DateTime<Utc>, DecodeError> {
    since_2000
        .checked_add(EPOCH_MICROSECONDS)
        .and_then(DateTime::from_timestamp_micros)
        .ok_or_else(|| outside(MOMENTS, year))
}

fn instant_of<Z: TimeZone>(theirs: &DateTime<Z>) -> Result<TimestampTz, EncodeError> {
    Ok(TimestampTz::Finite(CivilTimestampTz::from_microseconds(since_2000(theirs)?)?))
}

fn since_2000<Z: TimeZone>(theirs: &DateTime<Z>) -> Result<i64, EncodeError> {
    // `timestamp_micros` overflows at the ends of what a DateTime holds.
    let finer = i128::from(theirs.timestamp_subsec_nanos() / 1_000);
    from_unix(i128::from(theirs.timestamp()) * 1_000_000 + finer)
}
