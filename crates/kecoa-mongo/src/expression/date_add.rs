//! `$dateAdd`, `$dateSubtract`.

use ::bson::{DateTime, RawBsonRef};

use super::arguments::Named;
use super::context::{Context, Outcome};
use super::describe;
use super::instant::{Civil, DAY};
use super::integers::to_int64;
use super::node::{Evaluate, Node};
use super::outcome::{fail, is_nullish, null, number, shown, text, type_of, view};
use super::parser::{Definition, Operator, Parser};
use super::time_unit::{Unit, add_months};
use super::zone::{Zone, ZoneArgument, date, instant_of};
use crate::error::{Code, Error};

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "$dateAdd", definition: Definition::Own(parse) },
    Operator { name: "$dateSubtract", definition: Definition::Own(parse) },
];

#[derive(Debug)]
struct DateAdd {
    name: &'static str,
    start: Node,
    unit: Node,
    amount: Node,
    zone: ZoneArgument,
}

impl Evaluate for DateAdd {
    fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        let name = self.name;
        let start = self.start.evaluate(context)?;
        if is_nullish(start.as_ref()) {
            return null();
        }
        let unit = self.unit.evaluate(context)?;
        if is_nullish(unit.as_ref()) {
            return null();
        }
        let amount = self.amount.evaluate(context)?;
        if is_nullish(amount.as_ref()) {
            return null();
        }
        let Some(zone) = self.zone.evaluate(context)? else { return null() };
        let Some(from) = view(&start).and_then(instant_of) else {
            let found = type_of(&start);
            return fail(
                5_166_403,
                format!("{name} requires startDate to be convertible to a date, found {found}"),
            );
        };
        let Some(unit) = text(&unit) else {
            let found = type_of(&unit);
            return fail(
                5_166_404,
                format!("{name} expects string defining the time unit, found {found}"),
            );
        };
        let Some(unit) = Unit::parse(unit) else {
            let text = format!("unknown time unit value: {unit}");
            return Err(Error::new(Code::FAILED_TO_PARSE, text));
        };
        let Some(amount) = number(&amount).and_then(to_int64) else {
            let text =
                format!("{name} expects integer amount of time units, found {}", shown(&amount));
            return fail(5_166_405, text);
        };
        let signed = if name == "$dateAdd" { Some(amount) } else { amount.checked_neg() };
        let Some(signed) = signed else {
            let text = format!("invalid {name} 'amount' parameter value: {amount}");
            return fail(6_045_000, text);
        };
        date(later(from, unit, signed, &zone)?)
    }
}

/// A date so many units later. Units of days and more keep the local time of day.
pub(super) fn later(from: i64, unit: Unit, amount: i64, zone: &Zone) -> Result<i64, Error> {
    if unit == Unit::Millisecond {
        let text = "expected a date within 64 bits, found a later one";
        let overflow = || Error::new(Code::DURATION_OVERFLOW, text);
        return from.checked_add(amount).ok_or_else(overflow);
    }
    if amount.unsigned_abs() >= beyond(unit) {
        return fail(5_976_500, format!("invalid dateAdd 'amount' parameter value: {amount}"));
    }
    moved(from, unit, amount, zone).ok_or_else(|| Error::location(5_166_406, "dateAdd overflowed"))
}

/// The least number of units that no two dates lie apart, roughly, as MongoDB counts it.
fn beyond(unit: Unit) -> u64 {
    const DAYS: u64 = u64::MAX / 86_400_000 + 1;
    const YEARS: u64 = DAYS / 365 + 1;
    match unit {
        Unit::Year => YEARS,
        Unit::Quarter => YEARS * 4,
        Unit::Month => YEARS * 12,
        Unit::Week => DAYS / 7,
        Unit::Day => DAYS,
        Unit::Hour => DAYS * 24,
        Unit::Minute => DAYS * 24 * 60,
        Unit::Second | Unit::Millisecond => DAYS * 24 * 60 * 60,
    }
}

fn moved(from: i64, unit: Unit, amount: i64, zone: &Zone) -> Option<i64> {
    if let Some(size) = unit.milliseconds() {
        return from.checked_add(amount.checked_mul(size)?);
    }
    let local = zone.local(from);
    let moved = match (unit.months(), unit.days()) {
        (Some(months), _) => add_months(local, amount.checked_mul(months)?)?,
        (None, days) => {
            let days = amount.checked_mul(days.unwrap_or(1))?.checked_mul(DAY)?;
            Civil::from_milliseconds(local.to_milliseconds()?.checked_add(days)?)
        }
    };
    zone.instant(moved)
}

/// A date so many units later, in UTC.
///
/// # Errors
///
/// Where that is no date any more.
pub fn date_plus(date: DateTime, unit: Unit, amount: i64) -> Result<DateTime, Error> {
    later(date.timestamp_millis(), unit, amount, &Zone::UTC).map(DateTime::from_millis)
}

fn parse(name: &'static str, argument: RawBsonRef<'_>, parser: &Parser<'_>) -> Result<Node, Error> {
    let RawBsonRef::Document(document) = argument else {
        let found = describe::type_name(Some(argument));
        return fail(5_166_400, format!("{name} expects an object as its argument, found {found}"));
    };
    let unknown = |field: &str| {
        let text = format!(
            "Unrecognized argument to {name}: {field}. Expected arguments are startDate, unit, amount, and optionally timezone."
        );
        (5_166_401, text)
    };
    let named = Named::read(document, &["startDate", "unit", "amount", "timezone"], unknown)?;
    let required = |field: &str| {
        named.required(field, parser, || {
            (5_166_402, format!("{name} requires startDate, unit, and amount to be present"))
        })
    };
    let (start, unit, amount) = (required("startDate")?, required("unit")?, required("amount")?);
    let zone = ZoneArgument::new(named.optional("timezone", parser)?);
    Ok(Node::special(DateAdd { name, start, unit, amount, zone }))
}
