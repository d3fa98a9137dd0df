//! `$dateDiff`, `$dateTrunc`.

use ::bson::{RawBson, RawBsonRef};

use super::arguments::Named;
use super::context::{Context, Outcome};
use super::date_add::later;
use super::instant::{Civil, DAY};
use super::integers::to_int64;
use super::node::{Evaluate, Node};
use super::outcome::{fail, is_nullish, null, number, present, shown, text, type_of, view};
use super::parser::{Definition, Operator, Parser};
use super::time_unit::{Unit, week_day};
use super::zone::{Zone, ZoneArgument, date, instant_of};
use crate::error::Error;
use crate::value::Value;

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "$dateDiff", definition: Definition::Own(parse_diff) },
    Operator { name: "$dateTrunc", definition: Definition::Own(parse_trunc) },
];

#[derive(Debug)]
struct DateDiff {
    start: Node,
    end: Node,
    unit: Node,
    zone: ZoneArgument,
    start_of_week: Option<Node>,
}

impl Evaluate for DateDiff {
    fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        const NAME: &str = "$dateDiff";
        let start = self.start.evaluate(context)?;
        let end = self.end.evaluate(context)?;
        let unit = self.unit.evaluate(context)?;
        if [&start, &end, &unit].into_iter().any(|value| is_nullish(value.as_ref())) {
            return null();
        }
        let unit = read_unit(NAME, &unit)?;
        let Some(first) = first_day(NAME, unit, self.start_of_week.as_ref(), context)? else {
            return null();
        };
        let Some(zone) = self.zone.evaluate(context)? else { return null() };
        let instant = |value: &Option<Value<'_>>, what| {
            view(value).and_then(instant_of).map_or_else(
                || {
                    let found = type_of(value);
                    fail(
                        5_166_307,
                        format!("$dateDiff requires '{what}' to be a date, but got {found}"),
                    )
                },
                Ok,
            )
        };
        let (from, to) = (instant(&start, "startDate")?, instant(&end, "endDate")?);
        match boundaries(from, to, unit, &zone, first) {
            Some(count) => present(count),
            None => fail(5_166_308, "dateDiff overflowed".to_owned()),
        }
    }
}

/// How many beginnings of a unit lie between two dates.
fn boundaries(from: i64, to: i64, unit: Unit, zone: &Zone, first: i64) -> Option<i64> {
    if let Some(size) = unit.milliseconds() {
        if size == 1 {
            return to.checked_sub(from);
        }
        // An offset of half an hour moves the beginnings of hours.
        let shift = |instant: i64| instant.checked_add(zone.offset(instant) * 1000 % size);
        return Some(shift(to)?.div_euclid(size) - shift(from)?.div_euclid(size));
    }
    let (from, to) = (zone.local(from), zone.local(to));
    if let Some(months) = unit.months() {
        let index = |civil: Civil| (civil.year * 12 + civil.month - 1).div_euclid(months);
        return Some(index(to) - index(from));
    }
    let (from, to) = (from.days()?, to.days()?);
    match unit {
        // 1970 began on a Thursday.
        Unit::Week => Some(week_index(to, first) - week_index(from, first)),
        _ => Some(to - from),
    }
}

fn week_index(days: i64, first: i64) -> i64 {
    (days + 4 - first).div_euclid(7)
}

/// The day that weeks begin on, Sunday if it was left out or does not matter; none if it is `null`.
fn first_day(
    name: &str,
    unit: Unit,
    node: Option<&Node>,
    context: &Context<'_>,
) -> Result<Option<i64>, Error> {
    match node {
        Some(node) if unit == Unit::Week => read_week_day(name, &node.evaluate(context)?),
        _ => Ok(Some(7)),
    }
}

fn read_unit(name: &str, value: &Option<Value<'_>>) -> Result<Unit, Error> {
    let Some(unit) = text(value) else {
        let found = type_of(value);
        return fail(5_439_013, format!("{name} requires 'unit' to be a string, but got {found}"));
    };
    Unit::parse(unit).map_or_else(
        || {
            let text = format!(
                "{name} parameter 'unit' value cannot be recognized as a time unit: {unit}"
            );
            fail(5_439_014, text)
        },
        Ok,
    )
}

/// The day that weeks begin on; none if it is `null`.
fn read_week_day(name: &str, value: &Option<Value<'_>>) -> Result<Option<i64>, Error> {
    if is_nullish(value.as_ref()) {
        return Ok(None);
    }
    let Some(day) = text(value) else {
        let found = type_of(value);
        let text = format!("{name} requires 'startOfWeek' to be a string, but got {found}");
        return fail(5_439_015, text);
    };
    match week_day(day) {
        Some(day) => Ok(Some(day)),
        None => {
            let text = format!(
                "{name} parameter 'startOfWeek' value cannot be recognized as a day of a week: {day}"
            );
            fail(5_439_016, text)
        }
    }
}

fn parse_diff(
    _: &'static str,
    argument: RawBsonRef<'_>,
    parser: &Parser<'_>,
) -> Result<Node, Error> {
    let RawBsonRef::Document(document) = argument else {
        return fail(5_166_301, "$dateDiff only supports an object as its argument".to_owned());
    };
    let unknown = |field: &str| (5_166_302, format!("Unrecognized argument to $dateDiff: {field}"));
    let known = ["startDate", "endDate", "unit", "timezone", "startOfWeek"];
    let named = Named::read(document, &known, unknown)?;
    let required = |field: &str, code| {
        named
            .required(field, parser, || (code, format!("Missing '{field}' parameter to $dateDiff")))
    };
    let unknown = parser.unknown_parts();
    let start = required("startDate", 5_166_303)?;
    let end = required("endDate", 5_166_304)?;
    let unit = required("unit", 5_166_305)?;
    let zone = ZoneArgument::new(named.optional("timezone", parser)?);
    let start_of_week = named.optional("startOfWeek", parser)?;
    if parser.unknown_parts() != unknown {
        let known = Known { name: "$dateDiff", unit: &unit, start_of_week: start_of_week.as_ref() };
        if known.note_failure(parser) || zone.note_failure(parser) {
            return Ok(Node::constant(RawBson::Null));
        }
    }
    Ok(Node::special(DateDiff { start, end, unit, zone, start_of_week }))
}

/// Arguments that may be the same on all documents.
struct Known<'a> {
    name: &'static str,
    unit: &'a Node,
    start_of_week: Option<&'a Node>,
}

impl Known<'_> {
    /// Note that one is wrong on all documents; whether one is `null` on all.
    fn note_failure(&self, parser: &Parser<'_>) -> bool {
        let unit = |value: &Option<Value<'_>>| match is_nullish(value.as_ref()) {
            true => Ok(None),
            false => read_unit(self.name, value).map(|_| Some(())),
        };
        let day = |value: &Option<Value<'_>>| Ok(read_week_day(self.name, value)?.map(|_| ()));
        note(parser, Some(self.unit), unit) || note(parser, self.start_of_week, day)
    }
}

/// Note that an argument is wrong on all documents; whether it is `null` on all.
fn note(
    parser: &Parser<'_>,
    node: Option<&Node>,
    read: impl FnOnce(&Option<Value<'_>>) -> Result<Option<()>, Error>,
) -> bool {
    let Some(value) = node.and_then(Node::as_constant) else { return false };
    match read(&value.map(Value::Borrowed)) {
        Ok(found) => found.is_none(),
        Err(error) => {
            parser.note_failure(error);
            false
        }
    }
}

#[derive(Debug)]
struct DateTrunc {
    date: Node,
    unit: Node,
    size: Option<Node>,
    zone: ZoneArgument,
    start_of_week: Option<Node>,
}

impl Evaluate for DateTrunc {
    fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        const NAME: &str = "$dateTrunc";
        let value = self.date.evaluate(context)?;
        if is_nullish(value.as_ref()) {
            return null();
        }
        let size = match &self.size {
            None => 1,
            Some(node) => match read_size(&node.evaluate(context)?)? {
                Some(size) => size,
                None => return null(),
            },
        };
        let unit = self.unit.evaluate(context)?;
        if is_nullish(unit.as_ref()) {
            return null();
        }
        let unit = read_unit(NAME, &unit)?;
        let Some(first) = first_day(NAME, unit, self.start_of_week.as_ref(), context)? else {
            return null();
        };
        let Some(zone) = self.zone.evaluate(context)? else { return null() };
        let Some(instant) = view(&value).and_then(instant_of) else {
            let found = type_of(&value);
            return fail(
                5_439_012,
                format!("$dateTrunc requires 'date' to be a date, but got {found}"),
            );
        };
        date(truncate(instant, unit, size, &zone, first)?)
    }
}

/// The size of bins; none if it is `null`.
fn read_size(value: &Option<Value<'_>>) -> Result<Option<i64>, Error> {
    if is_nullish(value.as_ref()) {
        return Ok(None);
    }
    let Some(size) = number(value).and_then(to_int64) else {
        let text = format!(
            "$dateTrunc requires 'binSize' to be a 64-bit integer, but got value '{}' of type {}",
            shown(value),
            type_of(value)
        );
        return fail(5_439_017, text);
    };
    if size <= 0 {
        let text =
            format!("$dateTrunc requires 'binSize' to be greater than 0, but got value {size}");
        return fail(5_439_018, text);
    }
    Ok(Some(size))
}

/// The beginning of the bin that a date lies in. Bins are counted from the beginning of 2000 in the time zone; those
/// of hours and less have the same length all year, whatever clocks show.
fn truncate(instant: i64, unit: Unit, size: i64, zone: &Zone, first: i64) -> Result<i64, Error> {
    const YEAR_2000: i64 = 10_957 * DAY;
    const MOST: i64 = 100_000_000_000;
    let overflow = |code| Error::location(code, "dateTrunc overflowed");
    let reference = YEAR_2000 - zone.offset(YEAR_2000) * 1000;
    if let Some(milliseconds) = unit.milliseconds() {
        let bin = milliseconds.checked_mul(size).ok_or_else(|| overflow(5_439_002))?;
        let distance = instant.checked_sub(reference).ok_or_else(|| overflow(5_439_000))?;
        let within = distance.rem_euclid(bin);
        return instant.checked_sub(within).ok_or_else(|| overflow(5_439_001));
    }
    if size > MOST {
        return fail(5_439_006, format!("dateTrunc unsupported binSize value: {size}"));
    }
    // 2000 began on a Saturday: to the first beginning of a week.
    let days = if unit == Unit::Week { (first - 6).rem_euclid(7) } else { 0 };
    let reference = reference + days * DAY;
    let passed =
        boundaries(reference, instant, unit, zone, first).ok_or_else(|| overflow(5_439_004))?;
    later(reference, unit, passed - passed.rem_euclid(size), zone)
}

fn parse_trunc(
    _: &'static str,
    argument: RawBsonRef<'_>,
    parser: &Parser<'_>,
) -> Result<Node, Error> {
    let RawBsonRef::Document(document) = argument else {
        return fail(5_439_007, "$dateTrunc only supports an object as its argument".to_owned());
    };
    let unknown = |field: &str| {
        let text = format!(
            "Unrecognized argument to $dateTrunc: {field}. Expected arguments are date, unit, and optionally, binSize, timezone, startOfWeek"
        );
        (5_439_008, text)
    };
    let known = ["date", "unit", "binSize", "timezone", "startOfWeek"];
    let named = Named::read(document, &known, unknown)?;
    let required = |field: &str, code| {
        named.required(field, parser, || {
            (code, format!("Missing '{field}' parameter to $dateTrunc"))
        })
    };
    let unknown = parser.unknown_parts();
    let (date, unit) = (required("date", 5_439_009)?, required("unit", 5_439_010)?);
    let size = named.optional("binSize", parser)?;
    let zone = ZoneArgument::new(named.optional("timezone", parser)?);
    let start_of_week = named.optional("startOfWeek", parser)?;
    if parser.unknown_parts() != unknown {
        let known =
            Known { name: "$dateTrunc", unit: &unit, start_of_week: start_of_week.as_ref() };
        let read = |value: &Option<Value<'_>>| Ok(read_size(value)?.map(|_| ()));
        if known.note_failure(parser)
            || zone.note_failure(parser)
            || note(parser, size.as_ref(), read)
        {
            return Ok(Node::constant(RawBson::Null));
        }
    }
    Ok(Node::special(DateTrunc { date, unit, size, zone, start_of_week }))
}
