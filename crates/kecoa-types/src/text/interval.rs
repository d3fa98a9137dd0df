//! `interval`, in all four IntervalStyles.

use super::datetime::push_fraction;
use super::integer::{push, push_padded};
use crate::DecodeError;
use crate::civil::Interval;

mod parse;

const EXPECTED: &str =
    "an interval in IntervalStyle postgres, postgres_verbose, sql_standard or iso_8601";

/// Decodes an interval printed in any IntervalStyle, `infinity` or `-infinity`.
///
/// # Errors
/// It is none of these, or a part overflows.
pub fn decode(bytes: &[u8]) -> Result<Interval, DecodeError> {
    parse::any_style(bytes).ok_or_else(|| DecodeError::text(EXPECTED, bytes))
}

/// Appends it in IntervalStyle `postgres`: `1 year 2 mons -3 days +04:05:06.789`.
pub fn encode(value: &Interval, out: &mut Vec<u8>) {
    match *value {
        Interval::INFINITY => return out.extend_from_slice(b"infinity"),
        Interval::NEG_INFINITY => return out.extend_from_slice(b"-infinity"),
        _ => {}
    }
    let mut first = true;
    // A positive part after a negative one gets a sign, or it would read as negative too.
    let mut after_negative = false;
    let fields = [(value.months / 12, " year"), (value.months % 12, " mon"), (value.days, " day")];
    for (number, unit) in fields {
        if number == 0 {
            continue;
        }
        if !first {
            out.push(b' ');
        }
        if after_negative && number > 0 {
            out.push(b'+');
        }
        push(i64::from(number), out);
        out.extend_from_slice(unit.as_bytes());
        if number != 1 {
            out.push(b's');
        }
        after_negative = number < 0;
        first = false;
    }
    if !first && value.microseconds == 0 {
        return;
    }
    if !first {
        out.push(b' ');
    }
    if value.microseconds < 0 {
        out.push(b'-');
    } else if after_negative {
        out.push(b'+');
    }
    let magnitude = value.microseconds.unsigned_abs();
    let seconds = magnitude / 1_000_000;
    push_padded(seconds / 3_600, 2, out);
    out.push(b':');
    push_padded(seconds / 60 % 60, 2, out);
    out.push(b':');
    push_padded(seconds % 60, 2, out);
    push_fraction(u32::try_from(magnitude % 1_000_000).unwrap_or(0), out);
}
