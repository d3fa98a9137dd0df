//! `$dateFromParts`.

use ::bson::{RawBson, RawBsonRef};

use super::arguments::Named;
use super::context::{Context, Outcome};
use super::instant::{self, Civil, DAY};
use super::integers::to_int64;
use super::node::{Evaluate, Node};
use super::outcome::{fail, is_nullish, null, number, shown, type_of};
use super::parser::{Definition, Operator, Parser};
use super::zone::{ZoneArgument, date};
use crate::error::{Code, Error};

pub(super) const OPERATORS: &[Operator] =
    &[Operator { name: "$dateFromParts", definition: Definition::Own(parse) }];

/// The arguments, in pairs of the two kinds of years where they differ, and what they are when left out.
const DATES: [(&str, i64); 3] = [("year", 1970), ("month", 1), ("day", 1)];
const ISO_DATES: [(&str, i64); 3] = [("isoWeekYear", 1970), ("isoWeek", 1), ("isoDayOfWeek", 1)];
const TIMES: [(&str, i64); 4] = [("hour", 0), ("minute", 0), ("second", 0), ("millisecond", 0)];

/// An argument, and what it is when left out.
#[derive(Debug)]
struct Part {
    name: &'static str,
    default: i64,
    node: Option<Node>,
}

#[derive(Debug)]
struct FromParts {
    iso: bool,
    /// Year, month or week, day.
    dates: Vec<Part>,
    /// Hour, minute, second, millisecond.
    times: Vec<Part>,
    zone: ZoneArgument,
}

impl Evaluate for FromParts {
    fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        let Some(times) = read(&self.times, context)? else { return null() };
        let Some(zone) = self.zone.evaluate(context)? else { return null() };
        let Some(dates) = read(&self.dates, context)? else { return null() };
        let ([year, second, day], [hour, minute, seconds, milliseconds]) = (&dates[..], &times[..])
        else {
            return null();
        };
        if !(1..=9999).contains(year) {
            let (name, code) = if self.iso { ("isoWeekYear", 31095) } else { ("year", 40523) };
            let text = format!(
                "'{name}' must evaluate to an integer in the range 1 to 9999, found {year}"
            );
            return fail(code, text);
        }
        let days = if self.iso {
            instant::iso_year_start(*year).map(|start| start + (second - 1) * 7 + day - 1)
        } else {
            instant::to_days(*year, *second, *day)
        };
        let local = days.and_then(|days| {
            // MongoDB counts microseconds on the way.
            milliseconds.checked_mul(1000)?;
            let time = hour * 3_600_000 + minute * 60_000;
            let whole = days.checked_mul(DAY)?.checked_add(time)?;
            whole.checked_add(seconds.checked_mul(1000)?)?.checked_add(*milliseconds)
        });
        match local.and_then(|local| zone.instant(Civil::from_milliseconds(local))) {
            Some(instant) => date(instant),
            None => Err(Error::new(Code::DURATION_OVERFLOW, "$dateFromParts overflowed")),
        }
    }
}

/// The values of arguments; none if one is `null`.
fn read(parts: &[Part], context: &Context<'_>) -> Result<Option<Vec<i64>>, Error> {
    let mut values = Vec::with_capacity(parts.len());
    for part in parts {
        let Some(node) = &part.node else {
            values.push(part.default);
            continue;
        };
        let value = node.evaluate(context)?;
        if is_nullish(value.as_ref()) {
            return Ok(None);
        }
        let name = part.name;
        let Some(whole) = number(&value).and_then(to_int64) else {
            let text = format!(
                "'{name}' must evaluate to an integer, found {} with value {}",
                type_of(&value),
                shown(&value)
            );
            return fail(40515, text);
        };
        let unbounded = matches!(name, "year" | "isoWeekYear" | "second" | "millisecond");
        if !unbounded && i16::try_from(whole).is_err() {
            let text = format!(
                "'{name}' must evaluate to a value in the range [-32768, 32767]; value {whole} is not in range"
            );
            return fail(31034, text);
        }
        values.push(whole);
    }
    Ok(Some(values))
}

fn parse(_: &'static str, argument: RawBsonRef<'_>, parser: &Parser<'_>) -> Result<Node, Error> {
    let RawBsonRef::Document(document) = argument else {
        return fail(40519, "$dateFromParts only supports an object as its argument".to_owned());
    };
    let mut known = vec!["timezone"];
    for (name, _) in DATES.into_iter().chain(ISO_DATES).chain(TIMES) {
        known.push(name);
    }
    let unknown =
        |field: &str| (40518, format!("Unrecognized argument to $dateFromParts: {field}"));
    let named = Named::read(document, &known, unknown)?;
    let given = |names: &[(&str, i64)]| names.iter().any(|(name, _)| named.get(name).is_some());
    let mixed = "$dateFromParts does not allow mixing natural dates with ISO dates".to_owned();
    let iso = match (named.get("year").is_some(), named.get("isoWeekYear").is_some()) {
        (false, false) => {
            let text = "$dateFromParts requires either 'year' or 'isoWeekYear' to be present";
            return fail(40516, text.to_owned());
        }
        (true, _) if given(&ISO_DATES) => return fail(40489, mixed),
        (false, true) if given(&DATES) => return fail(40525, mixed),
        (year, _) => !year,
    };
    let unknown = parser.unknown_parts();
    let read = |parts: &[(&'static str, i64)]| -> Result<Vec<Part>, Error> {
        let read = |(name, default): &(&'static str, i64)| {
            Ok(Part { name, default: *default, node: named.optional(name, parser)? })
        };
        parts.iter().map(read).collect()
    };
    let dates = read(if iso { &ISO_DATES } else { &DATES })?;
    let times = read(&TIMES)?;
    let zone = ZoneArgument::new(named.optional("timezone", parser)?);
    if parser.unknown_parts() != unknown && zone.note_failure(parser) {
        return Ok(Node::constant(RawBson::Null));
    }
    Ok(Node::special(FromParts { iso, dates, times, zone }))
}
