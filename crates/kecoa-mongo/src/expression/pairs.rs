//! `$arrayToObject`, `$objectToArray`, `$zip`.

use ::bson::raw::{CStr, cstr};
use ::bson::{RawArrayBuf, RawBson, RawBsonRef, RawDocumentBuf};

use super::arguments::Named;
use super::context::{Context, Outcome};
use super::describe;
use super::fields::Fields;
use super::node::{Evaluate, Node, evaluate_all};
use super::outcome::{array, elements, fail, is_nullish, null, present, type_of, view};
use super::parser::{Definition, Operator, Parser};
use super::size::check_size;
use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::value::Value;

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "$arrayToObject", definition: Definition::StoppableExactly(1, to_object) },
    Operator { name: "$objectToArray", definition: Definition::StoppableExactly(1, to_array) },
    Operator { name: "$zip", definition: Definition::Own(parse_zip) },
];

fn to_array<'v>(values: Vec<Option<Value<'v>>>, interrupt: &Interrupt) -> Outcome<'v> {
    let Some(value) = values.into_iter().next() else { return null() };
    let document = match view(&value) {
        Some(RawBsonRef::Document(document)) => document,
        _ if is_nullish(value.as_ref()) => return null(),
        _ => {
            let found = type_of(&value);
            return fail(
                40390,
                format!("$objectToArray requires a document input, found: {found}"),
            );
        }
    };
    let mut pairs = RawArrayBuf::new();
    for (name, value) in document.iter().map_while(Result::ok) {
        interrupt.check()?;
        let mut pair = RawDocumentBuf::new();
        pair.append(cstr!("k"), name.as_str());
        pair.append(cstr!("v"), value);
        pairs.push(pair);
    }
    present(pairs)
}

fn to_object<'v>(values: Vec<Option<Value<'v>>>, interrupt: &Interrupt) -> Outcome<'v> {
    let Some(value) = values.into_iter().next() else { return null() };
    if is_nullish(value.as_ref()) {
        return null();
    }
    let Some(array) = array(&value) else {
        let found = type_of(&value);
        return fail(40386, format!("$arrayToObject requires an array input, found: {found}"));
    };
    let mut object = Fields::default();
    let mut pairs = None;
    for element in elements(array) {
        interrupt.check()?;
        let first = pairs.is_none();
        let arrays = *pairs.get_or_insert(matches!(element, RawBsonRef::Array(_)));
        let (name, value) = match (arrays, first) {
            (true, _) => array_pair(element)?,
            (false, first) => object_pair(element, first)?,
        };
        let Ok(name) = <&CStr>::try_from(name) else {
            let code = if arrays { 4_940_400 } else { 4_940_401 };
            return fail(code, "Key field cannot contain an embedded null byte".to_owned());
        };
        object.set(name, value);
    }
    present(object.into_document())
}

fn array_pair<'a>(element: RawBsonRef<'a>) -> Result<(&'a str, RawBsonRef<'a>), Error> {
    let RawBsonRef::Array(pair) = element else {
        let found = describe::type_name(Some(element));
        let text = format!(
            "$arrayToObject requires a consistent input format. Elements must all be arrays or all be objects. Array was detected, now found: {found}"
        );
        return fail(40396, text);
    };
    let both: Vec<_> = elements(pair).take(3).collect();
    let [name, value] = both[..] else {
        let found = elements(pair).count();
        let text = format!(
            "$arrayToObject requires an array of size 2 arrays,found array of size: {found}"
        );
        return fail(40397, text);
    };
    match name {
        RawBsonRef::String(name) => Ok((name, value)),
        other => {
            let found = describe::type_name(Some(other));
            let text = format!(
                "$arrayToObject requires an array of key-value pairs, where the key must be of type string. Found key type: {found}"
            );
            fail(40395, text)
        }
    }
}

fn object_pair<'a>(
    element: RawBsonRef<'a>,
    first: bool,
) -> Result<(&'a str, RawBsonRef<'a>), Error> {
    let found = describe::type_name(Some(element));
    let RawBsonRef::Document(pair) = element else {
        if !first {
            let text = format!(
                "$arrayToObject requires a consistent input format. Elements must all be arrays or all be objects. Object was detected, now found: {found}"
            );
            return fail(40391, text);
        }
        return fail(40398, format!("Unrecognised input type format for $arrayToObject: {found}"));
    };
    let count = pair.iter().take(3).count();
    if count != 2 {
        let text = format!(
            "$arrayToObject requires an object keys of 'k' and 'v'. Found incorrect number of keys:{count}"
        );
        return fail(40392, text);
    }
    let get = |name| pair.get(name).ok().flatten();
    let (Some(name), Some(value)) = (get("k"), get("v")) else {
        let text = format!(
            "$arrayToObject requires an object with keys 'k' and 'v'. Missing either or both keys from: {}",
            describe::document(pair)
        );
        return fail(40393, text);
    };
    match name {
        RawBsonRef::String(name) => Ok((name, value)),
        other => {
            let found = describe::type_name(Some(other));
            let text = format!(
                "$arrayToObject requires an object with keys 'k' and 'v', where the value of 'k' must be of type string. Found type: {found}"
            );
            fail(40394, text)
        }
    }
}

#[derive(Debug)]
struct Zip {
    inputs: Vec<Node>,
    defaults: Vec<Node>,
    longest: bool,
}

impl Evaluate for Zip {
    fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        let inputs = evaluate_all(&self.inputs, context)?;
        let mut arrays = Vec::with_capacity(inputs.len());
        for input in &inputs {
            if is_nullish(input.as_ref()) {
                return null();
            }
            let Some(array) = array(input) else {
                let found = type_of(input);
                return fail(34468, format!("$zip found a non-array expression in input: {found}"));
            };
            arrays.push(elements(array).collect::<Vec<_>>());
        }
        let defaults = evaluate_all(&self.defaults, context)?;
        let lengths = arrays.iter().map(Vec::len);
        let length = if self.longest { lengths.max() } else { lengths.min() }.unwrap_or(0);
        let mut zipped = RawArrayBuf::new();
        for row in 0..length {
            context.variables.interrupt().check()?;
            let cells = arrays.iter().enumerate().map(|(column, array)| {
                let default = || defaults.get(column).and_then(view);
                let value = array.get(row).copied().or_else(default);
                RawBson::from(value.unwrap_or(RawBsonRef::Null))
            });
            zipped.push(cells.collect::<RawArrayBuf>());
            check_size(zipped.as_bytes().len())?;
        }
        present(zipped)
    }
}

fn parse_zip(
    _: &'static str,
    argument: RawBsonRef<'_>,
    parser: &Parser<'_>,
) -> Result<Node, Error> {
    let RawBsonRef::Document(document) = argument else {
        let found = describe::type_name(Some(argument));
        return fail(34460, format!("$zip only supports an object as an argument, found {found}"));
    };
    let unknown = |field: &str| (34464, format!("$zip found an unknown argument: {field}"));
    let named = Named::read(document, &["inputs", "defaults", "useLongestLength"], unknown)?;
    let list = |field, code| match named.get(field) {
        None => Ok(Vec::new()),
        Some(array @ RawBsonRef::Array(_)) => parser.positional(array),
        Some(other) => {
            let found = describe::type_name(Some(other));
            fail(code, format!("{field} must be an array of expressions, found {found}"))
        }
    };
    let inputs = list("inputs", 34461)?;
    let defaults = list("defaults", 34462)?;
    let longest = match named.get("useLongestLength") {
        None => false,
        Some(RawBsonRef::Boolean(longest)) => longest,
        Some(other) => {
            let found = describe::type_name(Some(other));
            return fail(34463, format!("useLongestLength must be a bool, found {found}"));
        }
    };
    if inputs.is_empty() {
        return fail(34465, "$zip requires at least one input array".to_owned());
    }
    if !defaults.is_empty() && !longest {
        return fail(34466, "cannot specify defaults unless useLongestLength is true".to_owned());
    }
    if !defaults.is_empty() && defaults.len() != inputs.len() {
        return fail(34467, "defaults and inputs must have the same length".to_owned());
    }
    Ok(Node::special(Zip { inputs, defaults, longest }))
}
