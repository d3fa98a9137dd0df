//! `$mergeObjects`, `$getField`, `$setField`, `$unsetField`.

use ::bson::raw::{CStr, CString};
use ::bson::{RawBson, RawBsonRef};

use super::arguments::Named;
use super::context::{Context, Outcome};
use super::describe;
use super::field_path::field;
use super::fields::Fields;
use super::node::{Evaluate, Node};
use super::outcome::{array, elements, fail, is_nullish, null, present, text, type_of, view};
use super::parser::{Definition, Operator, Parser};
use super::size::check_size;
use crate::error::Error;
use crate::value::Value;

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "$getField", definition: Definition::Own(get_field) },
    Operator { name: "$mergeObjects", definition: Definition::Variadic(merge) },
    Operator { name: "$setField", definition: Definition::Own(set_field) },
    Operator { name: "$unsetField", definition: Definition::Own(set_field) },
];

/// One argument that is an array stands for its elements.
fn merge(values: Vec<Option<Value<'_>>>) -> Outcome<'_> {
    let listed: Vec<_> = match &values[..] {
        [only] => match array(only) {
            Some(array) => elements(array).map(Some).collect(),
            None => vec![view(only)],
        },
        several => several.iter().map(view).collect(),
    };
    let mut merged = Fields::default();
    let mut size = 0;
    for value in listed {
        match value {
            Some(RawBsonRef::Document(document)) => {
                size += document.as_bytes().len();
                check_size(size)?;
                merged.extend(document);
            }
            None | Some(RawBsonRef::Null | RawBsonRef::Undefined) => {}
            Some(_) => {
                let text = format!(
                    "$mergeObjects requires object inputs, but input {} is of type {}",
                    describe::value(value),
                    describe::type_name(value)
                );
                return fail(40400, text);
            }
        }
    }
    present(merged.into_document())
}

#[derive(Debug)]
struct GetField {
    field: Node,
    input: Node,
}

impl Evaluate for GetField {
    fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        let name = self.field.evaluate(context)?;
        let Some(name) = text(&name) else {
            let found = type_of(&name);
            let text =
                format!("$getField requires 'field' to evaluate to type String, but got {found}");
            return fail(3_041_704, text);
        };
        match self.input.evaluate(context)? {
            Some(Value::Borrowed(RawBsonRef::Document(document))) => {
                Ok(field(document, name).map(Value::Borrowed))
            }
            Some(Value::Owned(RawBson::Document(document))) => {
                Ok(field(&document, name).map(|value| Value::Owned(value.into())))
            }
            Some(value) if value.is_nullish() => null(),
            _ => Ok(None),
        }
    }
}

fn get_field(
    _: &'static str,
    argument: RawBsonRef<'_>,
    parser: &Parser<'_>,
) -> Result<Node, Error> {
    let document = match argument {
        RawBsonRef::Document(document) => {
            let first = document.iter().next().and_then(Result::ok);
            match first {
                Some((name, _)) if name.as_str().starts_with('$') => None,
                _ => Some(document),
            }
        }
        _ => None,
    };
    let Some(document) = document else {
        let field = parser.operand(argument)?;
        check_name(&field)?;
        return Ok(Node::special(GetField { field, input: parser.path("$$CURRENT")? }));
    };
    let unknown =
        |field: &str| (3_041_701, format!("$getField found an unknown argument: {field}"));
    let named = Named::read(document, &["field", "input"], unknown)?;
    let required = |field: &str, code| {
        named.required(field, parser, || {
            (code, format!("$getField requires '{field}' to be specified"))
        })
    };
    let (field, input) = (required("field", 3_041_702)?, required("input", 3_041_703)?);
    check_name(&field)?;
    Ok(Node::special(GetField { field, input }))
}

/// Refuse a name that is no string on any document.
fn check_name(field: &Node) -> Result<(), Error> {
    match field.as_constant() {
        None | Some(Some(RawBsonRef::String(_))) => Ok(()),
        Some(other) => {
            let found = describe::type_name(other);
            let text =
                format!("$getField requires 'field' to evaluate to type String, but got {found}");
            fail(3_041_704, text)
        }
    }
}

#[derive(Debug)]
struct SetField {
    name: &'static str,
    field: CString,
    input: Node,
    /// None: the field is removed.
    value: Option<Node>,
}

impl Evaluate for SetField {
    fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        let input = self.input.evaluate(context)?;
        if is_nullish(input.as_ref()) {
            return null();
        }
        let Some(RawBsonRef::Document(document)) = view(&input) else {
            let found = type_of(&input);
            let text = format!(
                "{} requires 'input' to evaluate to type Object, but got {found}",
                self.name
            );
            return fail(4_161_105, text);
        };
        let value = match &self.value {
            Some(value) => value.evaluate(context)?,
            None => None,
        };
        let mut fields = Fields::default();
        fields.extend(document);
        match view(&value) {
            Some(value) => fields.set(&self.field, value),
            None => fields.remove(self.field.as_str()),
        }
        let made = fields.into_document();
        check_size(made.as_bytes().len())?;
        present(made)
    }
}

fn set_field(
    name: &'static str,
    argument: RawBsonRef<'_>,
    parser: &Parser<'_>,
) -> Result<Node, Error> {
    let sets = name == "$setField";
    let RawBsonRef::Document(document) = argument else {
        let found = describe::type_name(Some(argument));
        let text = format!("{name} only supports an object as its argument, found {found}");
        return fail(4_161_100, text);
    };
    let known: &[&str] = if sets { &["field", "input", "value"] } else { &["field", "input"] };
    let unknown = |field: &str| (4_161_101, format!("{name} found an unknown argument: {field}"));
    let named = Named::read(document, known, unknown)?;
    let missing = |field: &str, code| (code, format!("{name} requires '{field}' to be specified"));
    let field = named.required("field", parser, || missing("field", 4_161_102))?;
    let value = if sets {
        Some(named.required("value", parser, || missing("value", 4_161_103))?)
    } else {
        None
    };
    let input = named.required("input", parser, || missing("input", 4_161_109))?;
    if let Some(RawBsonRef::String(path)) = named.get("field")
        && path.starts_with('$')
    {
        let text = format!(
            "A field path reference which is not allowed in this context. Did you mean {{$literal: '{path}'}}?"
        );
        return fail(4_161_108, text);
    }
    // An expression is none that is known, even where it could be evaluated at once.
    let known = named.get("field").is_some_and(is_literal);
    let field = match field.as_constant().filter(|_| known) {
        Some(Some(RawBsonRef::String(text))) => match <&CStr>::try_from(text) {
            Ok(name) => name.to_owned(),
            Err(_) => {
                let text = format!("{name}: 'field' cannot contain an embedded null byte");
                return fail(9_534_700, text);
            }
        },
        Some(other) => {
            let found = describe::type_name(other);
            let text =
                format!("{name} requires 'field' to evaluate to type String, but got {found}");
            return fail(4_161_107, text);
        }
        None => {
            let text = format!(
                "{name} requires 'field' to evaluate to a constant, but got a non-constant argument"
            );
            return fail(4_161_106, text);
        }
    };
    Ok(Node::special(SetField { name, field, input, value }))
}

/// A value that stands for itself.
fn is_literal(value: RawBsonRef<'_>) -> bool {
    match value {
        RawBsonRef::Array(_) => false,
        RawBsonRef::Document(document) => {
            let first = document.iter().next().and_then(Result::ok);
            first.is_some_and(|(name, _)| matches!(name.as_str(), "$literal" | "$const"))
        }
        _ => true,
    }
}
