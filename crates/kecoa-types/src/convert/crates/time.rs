//! The crate `time`.

use ::time::{
    Date as TheirDate, Month, OffsetDateTime, PrimitiveDateTime, Time as TheirTime, UtcDateTime,
    UtcOffset,
};

use super::{EPOCH_MICROSECONDS, finite, from_unix, outside, through};
use crate::civil::{CivilDate, CivilTimestamp, CivilTimestampTz};
use crate::{Date, DecodeError, EncodeError, Time, Timestamp, TimestampTz};

const DAYS: &str = "a date of the years -9999 to 9999 (read the column as Date for any other)";
const TIMES: &str = "a time below 24:00:00 (read the column as Time for any other)";
const MOMENTS: &str = "a timestamp of the years -9999 to 9999 (read the column as Timestamp or TimestampTz for any other)";

through! {
    TheirDate, Date:
        read |ours| {
            let date = finite(ours.finite(), DAYS)?;
            Month::try_from(date.month())
                .and_then(|month| TheirDate::from_calendar_date(date.year(), month, date.day()))
                .map_err(|_| outside(DAYS, date.year()))
        },
        send |theirs| {
            let date = CivilDate::new(theirs.year(), theirs.month().into(), theirs.day())?;
            Ok(Date::Finite(date))
        };
    /// To the microsecond; what is finer is cut off.
    TheirTime, Time:
        read |ours| TheirTime::from_hms_micro(ours.hour(), ours.minute(), ours.second(), ours.microsecond())
            .map_err(|_| DecodeError::new(TIMES, "24:00:00")),
        send |theirs| {
            let (hour, minute, second, microsecond) = theirs.as_hms_micro();
            Ok(Time::new(hour, minute, second, microsecond)?)
        };
    /// To the microsecond; what is finer is cut off.
    PrimitiveDateTime, Timestamp:
        read |ours| {
            let timestamp = finite(ours.finite(), MOMENTS)?;
            let utc = moment(timestamp.to_microseconds(), timestamp.year())?;
            Ok(PrimitiveDateTime::new(utc.date(), utc.time()))
        },
        send |theirs| {
            let microseconds = since_2000(theirs.assume_utc())?;
            Ok(Timestamp::Finite(CivilTimestamp::from_microseconds(microseconds)?))
        };
    /// To the microsecond; what is finer is cut off. The offset is that of the text form, or 0: the server keeps
    /// none.
    OffsetDateTime, TimestampTz:
        read |ours| {
            let timestamp = finite(ours.finite(), MOMENTS)?;
            let offset = UtcOffset::from_whole_seconds(timestamp.offset())
                .map_err(|error| DecodeError::new("an offset below 26 hours", error.to_string()))?;
            moment(timestamp.to_microseconds(), timestamp.year())?
                .checked_to_offset(offset)
                .ok_or_else(|| outside(MOMENTS, timestamp.year()))
        },
        send |theirs| instant_of(*theirs);
    /// To the microsecond; what is finer is cut off.
    UtcDateTime, TimestampTz:
        read |ours| {
            let timestamp = finite(ours.finite(), MOMENTS)?;
            Ok(moment(timestamp.to_microseconds(), timestamp.year())?.to_utc())
        },
        send |theirs| instant_of((*theirs).into());
}

fn moment(since_2000: i64, year: i32) -> Result<OffsetDateTime, DecodeError> {
    let nanoseconds = (i128::from(since_2000) + i128::from(EPOCH_MICROSECONDS)) * 1_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).map_err(|_| outside(MOMENTS, year))
}

fn instant_of(theirs: OffsetDateTime) -> Result<TimestampTz, EncodeError> {
    Ok(TimestampTz::Finite(CivilTimestampTz::from_microseconds(since_2000(theirs)?)?))
}

fn since_2000(theirs: OffsetDateTime) -> Result<i64, EncodeError> {
    from_unix(theirs.unix_timestamp_nanos().div_euclid(1_000))
}
