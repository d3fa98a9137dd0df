//! `$year`, `$month`, `$dayOfMonth` and so on, `$dateToParts`.

use ::bson::raw::cstr;
use ::bson::{RawBson, RawBsonRef, RawDocumentBuf};

use super::arguments::Named;
use super::context::{Context, Outcome};
use super::describe;
use super::instant::Civil;
use super::node::{Evaluate, Node};
use super::outcome::{fail, is_nullish, null, present, shown, text, type_of, view};
use super::parser::{Definition, Operator, Parser, count};
use super::zone::{Zone, ZoneArgument, to_instant};
use crate::error::Error;

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "$dateToParts", definition: Definition::Own(parse_to_parts) },
    Operator { name: "$dayOfMonth", definition: Definition::Own(parse) },
    Operator { name: "$dayOfWeek", definition: Definition::Own(parse) },
    Operator { name: "$dayOfYear", definition: Definition::Own(parse) },
    Operator { name: "$hour", definition: Definition::Own(parse) },
    Operator { name: "$isoDayOfWeek", definition: Definition::Own(parse) },
    Operator { name: "$isoWeek", definition: Definition::Own(parse) },
    Operator { name: "$isoWeekYear", definition: Definition::Own(parse) },
    Operator { name: "$millisecond", definition: Definition::Own(parse) },
    Operator { name: "$minute", definition: Definition::Own(parse) },
    Operator { name: "$month", definition: Definition::Own(parse) },
    Operator { name: "$second", definition: Definition::Own(parse) },
    Operator { name: "$week", definition: Definition::Own(parse) },
    Operator { name: "$year", definition: Definition::Own(parse) },
];

/// A part of a date in a time zone.
#[derive(Debug)]
struct Part {
    name: &'static str,
    date: Node,
    zone: Option<Node>,
}

impl Evaluate for Part {
    fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        let date = self.date.evaluate(context)?;
        let Some(instant) = to_instant(&date)? else { return null() };
        let zone = match &self.zone {
            None => Zone::UTC,
            Some(node) => {
                let zone = node.evaluate(context)?;
                if is_nullish(zone.as_ref()) {
                    return null();
                }
                match text(&zone) {
                    Some(name) => Zone::parse(name)?,
                    None => {
                        let text = format!(
                            "{} requires a string for the timezone argument, but was given a {} ({})",
                            self.name,
                            type_of(&zone),
                            shown(&zone)
                        );
                        return fail(40533, text);
                    }
                }
            }
        };
        let civil = zone.local(instant);
        let value = match self.name {
            "$dayOfMonth" => civil.day,
            "$dayOfWeek" => civil.day_of_week(),
            "$dayOfYear" => civil.day_of_year(),
            "$hour" => civil.hour(),
            "$isoDayOfWeek" => civil.iso_day_of_week(),
            "$isoWeek" => civil.iso_week().1,
            "$isoWeekYear" => return present(civil.iso_week().0),
            "$millisecond" => civil.millisecond(),
            "$minute" => civil.minute(),
            "$month" => civil.month,
            "$second" => civil.second(),
            "$week" => civil.week(),
            _ => civil.year,
        };
        present(narrow(value))
    }
}

/// An int32 where it fits.
fn narrow(value: i64) -> RawBson {
    i32::try_from(value).map_or(RawBson::Int64(value), RawBson::Int32)
}

fn parse(name: &'static str, argument: RawBsonRef<'_>, parser: &Parser<'_>) -> Result<Node, Error> {
    let options = match argument {
        RawBsonRef::Document(document) => {
            let first = document.iter().next().and_then(Result::ok);
            match first {
                Some((first, _)) if first.as_str().starts_with('$') => None,
                _ => Some(document),
            }
        }
        _ => None,
    };
    let Some(document) = options else {
        if matches!(argument, RawBsonRef::Array(_)) && count(argument) != 1 {
            let found = count(argument);
            let text = format!(
                "{name} accepts exactly one argument if given an array, but was given {found}"
            );
            return fail(40536, text);
        }
        let [date] = parser.exactly(name, argument)?;
        return Ok(Node::special(Part { name, date, zone: None }));
    };
    let unknown = |field: &str| (40535, format!("unrecognized option to {name}: \"{field}\""));
    let named = Named::read(document, &["date", "timezone"], unknown)?;
    let date = named.required("date", parser, || {
        let found = describe::document(document);
        (40539, format!("missing 'date' argument to {name}, provided: {name}: {found}"))
    })?;
    let zone = named.optional("timezone", parser)?;
    Ok(Node::special(Part { name, date, zone }))
}

#[derive(Debug)]
struct ToParts {
    date: Node,
    zone: ZoneArgument,
    iso: Option<Node>,
}

impl Evaluate for ToParts {
    fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        let date = self.date.evaluate(context)?;
        let Some(zone) = self.zone.evaluate(context)? else { return null() };
        let iso = match &self.iso {
            None => false,
            Some(node) => {
                let iso = node.evaluate(context)?;
                match view(&iso) {
                    Some(RawBsonRef::Boolean(iso)) => iso,
                    _ if is_nullish(iso.as_ref()) => return null(),
                    _ => {
                        let text =
                            format!("iso8601 must evaluate to a bool, found {}", type_of(&iso));
                        return fail(40521, text);
                    }
                }
            }
        };
        let Some(instant) = to_instant(&date)? else { return null() };
        present(parts(zone.local(instant), iso))
    }
}

fn parts(civil: Civil, iso: bool) -> RawDocumentBuf {
    let mut document = RawDocumentBuf::new();
    if iso {
        let (year, week) = civil.iso_week();
        document.append(cstr!("isoWeekYear"), narrow(year));
        document.append(cstr!("isoWeek"), narrow(week));
        document.append(cstr!("isoDayOfWeek"), narrow(civil.iso_day_of_week()));
    } else {
        document.append(cstr!("year"), narrow(civil.year));
        document.append(cstr!("month"), narrow(civil.month));
        document.append(cstr!("day"), narrow(civil.day));
    }
    document.append(cstr!("hour"), narrow(civil.hour()));
    document.append(cstr!("minute"), narrow(civil.minute()));
    document.append(cstr!("second"), narrow(civil.second()));
    document.append(cstr!("millisecond"), narrow(civil.millisecond()));
    document
}

fn parse_to_parts(
    _: &'static str,
    argument: RawBsonRef<'_>,
    parser: &Parser<'_>,
) -> Result<Node, Error> {
    let RawBsonRef::Document(document) = argument else {
        return fail(40524, "$dateToParts only supports an object as its argument".to_owned());
    };
    let unknown = |field: &str| (40520, format!("Unrecognized argument to $dateToParts: {field}"));
    let named = Named::read(document, &["date", "timezone", "iso8601"], unknown)?;
    let date = named.required("date", parser, || {
        (40522, "Missing 'date' parameter to $dateToParts".to_owned())
    })?;
    let zone = ZoneArgument::new(named.optional("timezone", parser)?);
    zone.note_failure(parser);
    let iso = named.optional("iso8601", parser)?;
    Ok(Node::special(ToParts { date, zone, iso }))
}
