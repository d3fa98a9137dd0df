//! `$dateFromString`.

use ::bson::RawBsonRef;

use super::arguments::Named;
use super::context::{Context, Outcome};
use super::node::{Evaluate, Node};
use super::outcome::{fail, is_nullish, null, shown, text, type_of};
use super::parser::{Definition, Operator, Parser};
use super::zone::{Zone, ZoneArgument, date};
use super::{date_format, date_text, describe};
use crate::error::{Code, Error};
use crate::value::Value;

pub(super) const OPERATORS: &[Operator] =
    &[Operator { name: "$dateFromString", definition: Definition::Own(parse) }];

#[derive(Debug)]
struct FromString {
    text: Node,
    format: Option<Node>,
    zone: ZoneArgument,
    on_null: Option<Node>,
    on_error: Option<Node>,
}

impl Evaluate for FromString {
    fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        let value = self.text.evaluate(context)?;
        let format = match &self.format {
            None => None,
            Some(node) => {
                let format = node.evaluate(context)?;
                if !is_nullish(format.as_ref()) {
                    check_format(&format)?;
                }
                Some(format)
            }
        };
        let zone = self.zone.evaluate(context)?;
        if is_nullish(value.as_ref()) {
            return self.on_null.as_ref().map_or_else(null, |node| node.evaluate(context));
        }
        match read(&value, format.as_ref(), zone.as_ref()) {
            Ok(Some(instant)) => date(instant),
            Ok(None) => null(),
            Err(refusal) => match &self.on_error {
                Some(node) => node.evaluate(context),
                None => Err(Error::new(Code::CONVERSION_FAILURE, refusal)),
            },
        }
    }
}

/// None if format or zone is `null`.
fn read(
    value: &Option<Value<'_>>,
    format: Option<&Option<Value<'_>>>,
    zone: Option<&Zone>,
) -> Result<Option<i64>, String> {
    let Some(written) = text(value) else {
        return Err(format!(
            "$dateFromString requires that 'dateString' be a string, found: {} with value {}",
            type_of(value),
            shown(value)
        ));
    };
    let Some(zone) = zone else { return Ok(None) };
    // Beside UTC, a text may name its own zone.
    let zone = Some(zone).filter(|zone| !zone.is_utc());
    match format {
        Some(format) => match text(format) {
            Some(format) => date_text::parse_with(written, format, zone).map(Some),
            None => Ok(None),
        },
        None => date_text::parse(written, zone).map(Some),
    }
}

fn check_format(format: &Option<Value<'_>>) -> Result<(), Error> {
    match text(format) {
        Some(format) => date_format::check_readable(format),
        None => {
            let text = format!(
                "$dateFromString requires that 'format' be a string, found: {} with value {}",
                type_of(format),
                shown(format)
            );
            fail(40684, text)
        }
    }
}

fn parse(_: &'static str, argument: RawBsonRef<'_>, parser: &Parser<'_>) -> Result<Node, Error> {
    let RawBsonRef::Document(document) = argument else {
        let found = describe::value(Some(argument));
        let text =
            format!("$dateFromString only supports an object as an argument, found: {found}");
        return fail(40540, text);
    };
    let unknown =
        |field: &str| (40541, format!("Unrecognized argument to $dateFromString: {field}"));
    let known = ["dateString", "format", "timezone", "onNull", "onError"];
    let named = Named::read(document, &known, unknown)?;
    let text = named.required("dateString", parser, || {
        (40542, "Missing 'dateString' parameter to $dateFromString".to_owned())
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
    let on_error = named.optional("onError", parser)?;
    Ok(Node::special(FromString { text, format, zone, on_null, on_error }))
}
