//! `$dateDiff`, `$dateTrunc`.

use ::bson::RawBsonRef;

use super::arguments::Named;
use super::context::{Context, Outcome};
use super::instant::{Civil, DAY};
use super::integers::to_int64;
use super::node::{Evaluate, Node};
use super::outcome::{fail, is_nullish, null, number, present, shown, text, type_of, view};
use super::parser::{Definition, Operator, Parser};
use super::time_unit::{Unit, floor_to, week_day};
use super::zone::{Zone, ZoneArgument, date, instant_of};
use crate::error::{Code, Error};
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
        let week = evaluate_optional(self.start_of_week.as_ref(), context)?;
        if [&start, &end, &unit].into_iter().any(|value| is_nullish(value.as_ref())) {
            return null();
        }
        let Some(zone) = self.zone.evaluate(context)? else { return null() };
        let unit = read_unit(NAME, &unit)?;
        let first = if unit == Unit::Week {
            match read_week_day(NAME, week)? {
                Some(first) => first,
                None => return null(),
            }
        } else {
            7
        };
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
            None => Err(Error::new(Code::OVERFLOW, "dateDiff overflowed")),
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

fn evaluate_optional<'v>(
    node: Option<&'v Node>,
    context: &Context<'v>,
) -> Result<Option<Option<Value<'v>>>, Error> {
    node.map(|node| node.evaluate(context)).transpose()
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

/// The day that weeks begin on, Sunday if it was left out; none if it is `null`.
fn read_week_day(name: &str, value: Option<Option<Value<'_>>>) -> Result<Option<i64>, Error> {
    let Some(value) = value else { return Ok(Some(7)) };
    if is_nullish(value.as_ref()) {
        return Ok(None);
    }
    let Some(day) = text(&value) else {
        let found = type_of(&value);
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
    let start = required("startDate", 5_166_303)?;
    let end = required("endDate", 5_166_304)?;
    let unit = required("unit", 5_166_305)?;
    let zone = ZoneArgument::new(named.optional("timezone", parser)?)?;
    let start_of_week = named.optional("startOfWeek", parser)?;
    check_known("$dateDiff", &unit, start_of_week.as_ref())?;
    Ok(Node::special(DateDiff { start, end, unit, zone, start_of_week }))
}

/// Refuse a unit and a day that are wrong on all documents.
fn check_known(name: &str, unit: &Node, start_of_week: Option<&Node>) -> Result<(), Error> {
    let Some(unit) = known(unit) else { return Ok(()) };
    let unit = read_unit(name, &Some(Value::Borrowed(unit)))?;
    if unit == Unit::Week
        && let Some(day) = start_of_week.and_then(known)
    {
        read_week_day(name, Some(Some(Value::Borrowed(day))))?;
    }
    Ok(())
}

/// The value of an argument that is the same on all documents, and not `null`.
fn known(node: &Node) -> Option<RawBsonRef<'_>> {
    let value = node.as_constant().flatten()?;
    (!matches!(value, RawBsonRef::Null | RawBsonRef::Undefined)).then_some(value)
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
        let unit = self.unit.evaluate(context)?;
        let size = evaluate_optional(self.size.as_ref(), context)?;
        let week = evaluate_optional(self.start_of_week.as_ref(), context)?;
        if is_nullish(value.as_ref()) || is_nullish(unit.as_ref()) {
            return null();
        }
        let size = match &size {
            None => 1,
            Some(size) if is_nullish(size.as_ref()) => return null(),
            Some(size) => read_size(size)?,
        };
        let Some(zone) = self.zone.evaluate(context)? else { return null() };
        let unit = read_unit(NAME, &unit)?;
        let first = if unit == Unit::Week {
            match read_week_day(NAME, week)? {
                Some(first) => first,
                None => return null(),
            }
        } else {
            7
        };
        let Some(instant) = view(&value).and_then(instant_of) else {
            let found = type_of(&value);
            return fail(
                5_439_012,
                format!("$dateTrunc requires 'date' to be a date, but got {found}"),
            );
        };
        match truncate(instant, unit, size, &zone, first) {
            Some(truncated) => date(truncated),
            None => Err(Error::new(Code::OVERFLOW, "dateTrunc overflowed")),
        }
    }
}

fn read_size(value: &Option<Value<'_>>) -> Result<i64, Error> {
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
    Ok(size)
}

/// The beginning of the bin that a date lies in. Bins are counted from the beginning of 2000 in the time zone.
fn truncate(instant: i64, unit: Unit, size: i64, zone: &Zone, first: i64) -> Option<i64> {
    const DAYS_TO_2000: i64 = 10_957;
    if let Some(milliseconds) = unit.milliseconds() {
        let bin = milliseconds.checked_mul(size)?;
        let offset = zone.offset(instant) * 1000;
        let local = instant.checked_add(offset)?.checked_sub(DAYS_TO_2000 * DAY)?;
        return floor_to(local, bin)?.checked_add(DAYS_TO_2000 * DAY)?.checked_sub(offset);
    }
    let local = zone.local(instant);
    let start = if let Some(months) = unit.months() {
        let bin = months.checked_mul(size)?;
        let index = (local.year - 2000) * 12 + local.month - 1;
        let index = floor_to(index, bin)?;
        let year = index.div_euclid(12) + 2000;
        Civil { year, month: index.rem_euclid(12) + 1, day: 1, milliseconds: 0 }
    } else {
        let bin = unit.days()?.checked_mul(size)?;
        // The first beginning of a week in 2000, which began on a Saturday.
        let reference = match unit {
            Unit::Week => DAYS_TO_2000 + (first - 6).rem_euclid(7),
            _ => DAYS_TO_2000,
        };
        let days = floor_to(local.days()? - reference, bin)? + reference;
        Civil::from_milliseconds(days.checked_mul(DAY)?)
    };
    zone.instant(start)
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
    let (date, unit) = (required("date", 5_439_009)?, required("unit", 5_439_010)?);
    let size = named.optional("binSize", parser)?;
    let zone = ZoneArgument::new(named.optional("timezone", parser)?)?;
    let start_of_week = named.optional("startOfWeek", parser)?;
    check_known("$dateTrunc", &unit, start_of_week.as_ref())?;
    Ok(Node::special(DateTrunc { date, unit, size, zone, start_of_week }))
}
