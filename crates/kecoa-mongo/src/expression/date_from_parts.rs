//! `$dateFromParts`.

use ::bson::RawBsonRef;

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

#[derive(Debug)]
struct FromParts {
    iso: bool,
    /// Year, month or week, day; hour, minute, second, millisecond.
    parts: Vec<(&'static str, i64, Option<Node>)>,
    zone: ZoneArgument,
}

impl Evaluate for FromParts {
    fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        let mut values = Vec::with_capacity(self.parts.len());
        let mut nothing = false;
        for (name, default, node) in &self.parts {
            match part(name, *default, node.as_ref(), context)? {
                Some(value) => values.push(value),
                None => nothing = true,
            }
        }
        let zone = self.zone.evaluate(context)?;
        let (Some(zone), false) = (zone, nothing) else { return null() };
        let [year, second, day, hour, minute, seconds, milliseconds] = values[..] else {
            return null();
        };
        let days = if self.iso {
            instant::iso_year_start(year).map(|start| start + (second - 1) * 7 + day - 1)
        } else {
            instant::to_days(year, second, day)
        };
        let local = days.and_then(|days| {
            let time = hour * 3_600_000 + minute * 60_000 + seconds * 1000;
            days.checked_mul(DAY)?.checked_add(time)?.checked_add(milliseconds)
        });
        match local.and_then(|local| zone.instant(Civil::from_milliseconds(local))) {
            Some(instant) => date(instant),
            None => Err(Error::new(Code::OVERFLOW, "$dateFromParts overflowed")),
        }
    }
}

/// The value of a part; none if it is `null`.
fn part(
    name: &str,
    default: i64,
    node: Option<&Node>,
    context: &Context<'_>,
) -> Result<Option<i64>, Error> {
    let Some(node) = node else { return Ok(Some(default)) };
    let value = node.evaluate(context)?;
    if is_nullish(value.as_ref()) {
        return Ok(None);
    }
    let Some(whole) = number(&value).and_then(to_int64) else {
        let text = format!(
            "'{name}' must evaluate to an integer, found {} with value {}",
            type_of(&value),
            shown(&value)
        );
        return fail(40515, text);
    };
    if name == "year" || name == "isoWeekYear" {
        if !(1..=9999).contains(&whole) {
            let text = format!(
                "'{name}' must evaluate to an integer in the range 1 to 9999, found {whole}"
            );
            return fail(40523, text);
        }
    } else if !matches!(name, "second" | "millisecond" | "minute" | "hour")
        && !(-32768..=32767).contains(&whole)
    {
        let text = format!(
            "'{name}' must evaluate to a value in the range [-32768, 32767]; value {whole} is not in range"
        );
        return fail(31034, text);
    } else if i32::try_from(whole).is_err() {
        let text = format!("'{name}' must evaluate to an integer, found {whole}");
        return fail(40515, text);
    }
    Ok(Some(whole))
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
    let mut parts = Vec::new();
    for (name, default) in if iso { ISO_DATES } else { DATES }.into_iter().chain(TIMES) {
        parts.push((name, default, named.optional(name, parser)?));
    }
    let zone = ZoneArgument::new(named.optional("timezone", parser)?)?;
    Ok(Node::special(FromParts { iso, parts, zone }))
}
