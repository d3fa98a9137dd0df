//! `$firstN`, `$lastN`, `$minN`, `$maxN`, `$sortArray`.

use std::cmp::Ordering;

use ::bson::{RawBsonRef, RawDocument};

use super::arguments::{self, Named};
use super::collated::{Comparing, directed};
use super::context::{Context, Outcome};
use super::describe;
use super::field_path;
use super::integers::to_int64;
use super::node::{Evaluate, Node};
use super::outcome::{
    array, elements, fail, gathered, is_nullish, null, number, present, shown, type_of, view,
};
use super::parser::{Definition, Operator, Parser};
use crate::bson::limits::MAX_DEPTH;
use crate::bson::number::Number;
use crate::collation::Collator;
use crate::error::Error;
use crate::value::Value;

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "$firstN", definition: Definition::Own(parse_few) },
    Operator { name: "$lastN", definition: Definition::Own(parse_few) },
    Operator { name: "$maxN", definition: Definition::Own(parse_few) },
    Operator { name: "$minN", definition: Definition::Own(parse_few) },
    Operator { name: "$sortArray", definition: Definition::Own(parse_sort) },
];

/// At most so many elements of an array.
#[derive(Debug)]
struct Few {
    name: &'static str,
    input: Node,
    most: Node,
    collator: Collator,
}

impl Evaluate for Few {
    fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        let most = self.most.evaluate(context)?;
        let most = read_count(&most)?;
        let input = self.input.evaluate(context)?;
        let Some(array) = array(&input) else {
            return fail(
                5_788_200,
                format!("Input must be an array, but found {}", type_of(&input)),
            );
        };
        let comparing =
            Comparing { collator: &self.collator, interrupt: context.variables.interrupt() };
        let mut all: Vec<_> = elements(array).collect();
        match self.name {
            "$firstN" => all.truncate(most),
            "$lastN" => drop(all.drain(..all.len().saturating_sub(most))),
            name => {
                all.retain(|value| !matches!(value, RawBsonRef::Null | RawBsonRef::Undefined));
                comparing.sort(&mut all, name == "$maxN")?;
                all.truncate(most);
            }
        }
        present(gathered(all, comparing.interrupt)?)
    }
}

fn read_count(value: &Option<Value<'_>>) -> Result<usize, Error> {
    let Some(found) = number(value) else {
        let found = shown(value);
        let text = format!("Value for 'n' must be of integral type, but found {found}");
        return fail(5_787_902, text);
    };
    let Some(found) = to_int64(found) else {
        let found = shown(value);
        let text = format!("Value for 'n' must be of integral type, but found {found}");
        return fail(5_787_903, text);
    };
    if found <= 0 {
        return fail(5_787_908, format!("'n' must be greater than 0, found {found}"));
    }
    Ok(usize::try_from(found).unwrap_or(usize::MAX))
}

fn parse_few(
    name: &'static str,
    argument: RawBsonRef<'_>,
    parser: &Parser<'_>,
) -> Result<Node, Error> {
    let RawBsonRef::Document(document) = argument else {
        let found = describe::value(Some(argument));
        let text = format!("specification must be an object; found {name}: {found}");
        return fail(5_787_900, text);
    };
    let unknown = |field: &str| (5_787_901, format!("Unknown argument for 'n' operator: {field}"));
    let named = Named::read(document, &["input", "n"], unknown)?;
    let missing = |field: &str, code| (code, format!("Missing value for '{field}'"));
    let most = named.required("n", parser, || missing("n", 5_787_906))?;
    let input = named.required("input", parser, || missing("input", 5_787_907))?;
    let collator = parser.scope.collator().clone();
    Ok(Node::special(Few { name, input, most, collator }))
}

/// How elements are compared.
#[derive(Debug)]
enum Order {
    /// As they are.
    Whole { descending: bool },
    /// By fields, each at a path.
    Fields(Vec<(Vec<Box<str>>, bool)>),
}

#[derive(Debug)]
struct SortArray {
    input: Node,
    order: Order,
    collator: Collator,
}

impl Evaluate for SortArray {
    fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        let input = self.input.evaluate(context)?;
        if is_nullish(input.as_ref()) {
            return null();
        }
        let Some(array) = array(&input) else {
            let text = format!(
                "The input argument to $sortArray must be an array, but was of type: {}",
                type_of(&input)
            );
            return fail(2_942_504, text);
        };
        let interrupt = context.variables.interrupt();
        let sorted = match &self.order {
            Order::Whole { descending } => {
                let mut all: Vec<_> = elements(array).collect();
                let comparing = Comparing { collator: &self.collator, interrupt };
                comparing.sort(&mut all, *descending)?;
                gathered(all, interrupt)?
            }
            Order::Fields(fields) => {
                let mut all = Vec::new();
                for element in elements(array) {
                    interrupt.check()?;
                    let keys: Vec<_> = fields
                        .iter()
                        .map(|(path, _)| field_path::in_value(element, path))
                        .collect();
                    all.push((keys, element));
                }
                interrupt.sort_by(&mut all, |(left, _), (right, _)| {
                    self.compare_keys(fields, left, right)
                })?;
                gathered(all.into_iter().map(|(_, element)| element), interrupt)?
            }
        };
        present(sorted)
    }
}

impl SortArray {
    fn compare_keys(
        &self,
        fields: &[(Vec<Box<str>>, bool)],
        left: &[Option<Value<'_>>],
        right: &[Option<Value<'_>>],
    ) -> Ordering {
        for ((_, descending), (left, right)) in fields.iter().zip(left.iter().zip(right)) {
            // A missing value counts as null.
            let key = |value| view(value).unwrap_or(RawBsonRef::Null);
            let order = directed(self.collator.compare(key(left), key(right)), *descending);
            if order.is_ne() {
                return order;
            }
        }
        Ordering::Equal
    }
}

fn parse_sort(
    _: &'static str,
    argument: RawBsonRef<'_>,
    parser: &Parser<'_>,
) -> Result<Node, Error> {
    let RawBsonRef::Document(document) = argument else {
        let found = describe::type_name(Some(argument));
        let text = format!("$sortArray requires an object as an argument, found: {found}");
        return fail(2_942_500, text);
    };
    let unknown =
        |field: &str| (2_942_501, format!("$sortArray found an unknown argument: {field}"));
    let named = Named::read(document, &["input", "sortBy"], unknown)?;
    let missing =
        |field: &str, code| (code, format!("$sortArray requires '{field}' to be specified"));
    let input = named.required("input", parser, || missing("input", 2_942_502))?;
    let order = match named.get("sortBy") {
        None => {
            let (code, text) = missing("sortBy", 2_942_503);
            return fail(code, text);
        }
        Some(RawBsonRef::Document(fields)) => by_fields(fields)?,
        Some(other) => match Number::from_bson(other).map(to_int64) {
            Some(Some(1)) => Order::Whole { descending: false },
            Some(Some(-1)) => Order::Whole { descending: true },
            Some(_) => {
                let text = "The $sort element value must be either 1 or -1";
                return fail(2_942_506, text.to_owned());
            }
            None => {
                let text = "$sortArray requires 'sortBy' to be 1, -1 or an object of fields";
                return fail(2_942_507, text.to_owned());
            }
        },
    };
    let collator = parser.scope.collator().clone();
    Ok(Node::special(SortArray { input, order, collator }))
}

fn by_fields(document: &RawDocument) -> Result<Order, Error> {
    let mut fields = Vec::new();
    for field in arguments::fields(document) {
        let (path, direction) = field?;
        let descending = match Number::from_bson(direction).map(to_int64) {
            Some(Some(1)) => false,
            Some(Some(-1)) => true,
            _ => {
                let found = describe::value(Some(direction));
                let text = format!("The sort element value must be either 1 or -1, found {found}");
                return fail(2_942_505, text);
            }
        };
        let names: Vec<Box<str>> = path.split('.').map(Into::into).collect();
        if names.iter().any(|name| name.is_empty()) || names.len() > MAX_DEPTH {
            let text = format!("The sort field is no path: '{path}'");
            return fail(2_942_505, text);
        }
        fields.push((names, descending));
    }
    if fields.is_empty() {
        let text = "The sort pattern is empty when it should be a set of fields.";
        return fail(2_942_505, text.to_owned());
    }
    Ok(Order::Fields(fields))
}
