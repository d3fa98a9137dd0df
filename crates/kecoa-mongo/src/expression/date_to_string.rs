//! `$dateToString`.

use ::bson::RawBsonRef;

use super::arguments::Named;
use super::context::{Context, Outcome};
use super::date_format;
use super::node::{Evaluate, Node};
use super::outcome::{fail, is_nullish, null, present, shown, text, type_of};
use super::parser::{Definition, Operator, Parser};
use super::zone::{ZoneArgument, to_instant};
use crate::error::Error;
use crate::value::Value;

pub(super) const OPERATORS: &[Operator] =
    &[Operator { name: "$dateToString", definition: Definition::Own(parse) }];

#[derive(Debug)]
struct DateToString {
    date: Node,
    format: Option<Node>,
    zone: ZoneArgument,
    on_null: Option<Node>,
}

impl Evaluate for DateToString {
    fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        let date = self.date.evaluate(context)?;
        let mut null_format = false;
        let given = match &self.format {
            Some(node) => {
                let format = node.evaluate(context)?;
                null_format = is_nullish(format.as_ref());
                if !null_format {
                    check_format(&format)?;
                }
                format
            }
            None => None,
        };
        let Some(zone) = self.zone.evaluate(context)? else {
            return if is_nullish(date.as_ref()) { self.on_null(context) } else { null() };
        };
        if is_nullish(date.as_ref()) {
            return self.on_null(context);
        }
        if null_format {
            return null();
        }
        let Some(instant) = to_instant(&date)? else { return null() };
        let format = text(&given).unwrap_or(if zone.is_utc() {
            "%Y-%m-%dT%H:%M:%S.%LZ"
        } else {
            "%Y-%m-%dT%H:%M:%S.%L"
        });
        present(date_format::write(format, zone.local(instant), zone.offset(instant))?)
    }
}

impl DateToString {
    fn on_null<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        self.on_null.as_ref().map_or_else(null, |node| node.evaluate(context))
    }
}

fn check_format(format: &Option<Value<'_>>) -> Result<(), Error> {
    match text(format) {
        Some(format) => date_format::check(format),
        None => {
            let text = format!(
                "$dateToString requires that 'format' be a string, found: {} with value {}",
                type_of(format),
                shown(format)
            );
            fail(18533, text)
        }
    }
}

fn parse(_: &'static str, argument: RawBsonRef<'_>, parser: &Parser<'_>) -> Result<Node, Error> {
    let RawBsonRef::Document(document) = argument else {
        return fail(18629, "$dateToString only supports an object as its argument".to_owned());
    };
    let unknown = |field: &str| (18534, format!("Unrecognized argument to $dateToString: {field}"));
    let named = Named::read(document, &["date", "format", "timezone", "onNull"], unknown)?;
    let date = named.required("date", parser, || {
        (18628, "Missing 'date' parameter to $dateToString".to_owned())
    })?;
    let format = named.optional("format", parser)?;
    if let Some(Some(constant)) = format.as_ref().and_then(Node::as_constant)
        && !matches!(constant, RawBsonRef::Null | RawBsonRef::Undefined)
    {
        check_format(&Some(Value::Borrowed(constant)))
            .unwrap_or_else(|error| parser.note_failure(error));
    }
    let zone = ZoneArgument::new(named.optional("timezone", parser)?);
    zone.note_failure(parser);
    let on_null = named.optional("onNull", parser)?;
    Ok(Node::special(DateToString { date, format, zone, on_null }))
}
