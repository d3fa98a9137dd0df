//! `$convert`, and its short forms `$toInt`, `$toString` and so on.

use ::bson::{RawBson, RawBsonRef};

use super::arguments::Named;
use super::binary_text::{self, Format};
use super::cast;
use super::context::{Context, Outcome};
use super::describe;
use super::node::{Evaluate, Node};
use super::outcome::{is_nullish, null, view};
use super::parser::{Definition, Operator, Parser, count};
use super::target::{Target, Type};
use crate::error::{Code, Error};
use crate::value::Value;

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "$convert", definition: Definition::Own(parse) },
    Operator { name: "$toBool", definition: Definition::Own(parse_short) },
    Operator { name: "$toDate", definition: Definition::Own(parse_short) },
    Operator { name: "$toDecimal", definition: Definition::Own(parse_short) },
    Operator { name: "$toDouble", definition: Definition::Own(parse_short) },
    Operator { name: "$toInt", definition: Definition::Own(parse_short) },
    Operator { name: "$toLong", definition: Definition::Own(parse_short) },
    Operator { name: "$toObjectId", definition: Definition::Own(parse_short) },
    Operator { name: "$toString", definition: Definition::Own(parse_short) },
    Operator { name: "$toUUID", definition: Definition::Own(parse_short) },
];

#[derive(Debug)]
struct Convert {
    input: Node,
    to: Node,
    format: Option<Node>,
    on_error: Option<Node>,
    on_null: Option<Node>,
}

impl Evaluate for Convert {
    fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        let to = self.to.evaluate(context)?;
        let input = self.input.evaluate(context)?;
        let format = match &self.format {
            Some(format) => Some(format.evaluate(context)?),
            None => None,
        };
        let target = Target::read(view(&to))?;
        let Some(value) = view(&input).filter(|_| !is_nullish(input.as_ref())) else {
            return self.on_null.as_ref().map_or_else(null, |node| node.evaluate(context));
        };
        let Some(target) = target else { return null() };
        let format = match &format {
            Some(format) if !is_nullish(format.as_ref()) => Some(Format::read(view(format))?),
            _ => None,
        };
        match convert(value, target, format) {
            Ok(made) => Ok(Some(Value::Owned(made))),
            Err(error) if error.code() == Code::CONVERSION_FAILURE => match &self.on_error {
                Some(node) => node.evaluate(context),
                None => Err(error),
            },
            Err(error) => Err(error),
        }
    }
}

fn convert(
    value: RawBsonRef<'_>,
    target: Target<'_>,
    format: Option<Format>,
) -> Result<RawBson, Error> {
    let format = || {
        format.ok_or_else(|| {
            let from = describe::type_name(Some(value));
            let text = format!("A format is needed to convert {from} to {}", target.kind.name());
            Error::location(4_341_115, text)
        })
    };
    match (value, target.kind) {
        (RawBsonRef::Binary(binary), Type::String) => {
            binary_text::write(binary, format()?).map(RawBson::String)
        }
        (RawBsonRef::String(text), Type::Binary) => {
            binary_text::read(text, format()?, target.subtype()?).map(RawBson::Binary)
        }
        (RawBsonRef::Binary(binary), Type::Binary) => {
            if u8::from(binary.subtype) == target.subtype()? {
                return Ok(value.into());
            }
            Err(cast::refused(
                "Conversions between different binData subtypes are not supported".to_owned(),
            ))
        }
        (value, kind) => cast::cast(value, kind),
    }
}

fn parse(_: &'static str, argument: RawBsonRef<'_>, parser: &Parser<'_>) -> Result<Node, Error> {
    let refuse = |text: String| Err(Error::new(Code::FAILED_TO_PARSE, text));
    let RawBsonRef::Document(document) = argument else {
        let found = describe::type_name(Some(argument));
        return refuse(format!("$convert expects an object of named arguments but found: {found}"));
    };
    let unknown = |field: &str| {
        (Code::FAILED_TO_PARSE.number(), format!("$convert found an unknown argument: {field}"))
    };
    let named = Named::read(document, &["input", "to", "format", "onError", "onNull"], unknown)?;
    let required = |field: &str| {
        named.required(field, parser, || {
            (Code::FAILED_TO_PARSE.number(), format!("Missing '{field}' parameter to $convert"))
        })
    };
    let (input, to) = (required("input")?, required("to")?);
    let format = named.optional("format", parser)?;
    let on_error = named.optional("onError", parser)?;
    let on_null = named.optional("onNull", parser)?;
    Ok(Node::special(Convert { input, to, format, on_error, on_null }))
}

fn parse_short(
    name: &'static str,
    argument: RawBsonRef<'_>,
    parser: &Parser<'_>,
) -> Result<Node, Error> {
    let found = count(argument);
    let mut nodes = parser.positional(argument)?;
    let (Some(input), true) = (nodes.pop(), found == 1) else {
        let text = format!("{name} requires a single argument, got {found}");
        return Err(Error::location(50723, text));
    };
    if name == "$toUUID" {
        let mut to = ::bson::RawDocumentBuf::new();
        to.append(::bson::raw::cstr!("type"), "binData");
        to.append(::bson::raw::cstr!("subtype"), 4);
        let format = Some(Node::constant("uuid"));
        let to = Node::constant(to);
        return Ok(Node::special(Convert { input, to, format, on_error: None, on_null: None }));
    }
    let to = match name {
        "$toBool" => "bool",
        "$toDate" => "date",
        "$toDecimal" => "decimal",
        "$toDouble" => "double",
        "$toInt" => "int",
        "$toLong" => "long",
        "$toObjectId" => "objectId",
        _ => "string",
    };
    let format = (name == "$toString").then(|| Node::constant("auto"));
    Ok(Node::special(Convert {
        input,
        to: Node::constant(to),
        format,
        on_error: None,
        on_null: None,
    }))
}
