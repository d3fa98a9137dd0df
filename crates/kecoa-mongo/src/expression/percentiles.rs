//! `$percentile`, `$median`.

use ::bson::{RawArrayBuf, RawBson, RawBsonRef};

use super::arguments;
use super::context::{Context, Outcome};
use super::describe;
use super::node::{Evaluate, Node};
use super::outcome::{elements, fail, present, view};
use super::parser::{Definition, Operator, Parser};
use crate::bson::number::Number;
use crate::error::{Code, Error};

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "$median", definition: Definition::Own(parse) },
    Operator { name: "$percentile", definition: Definition::Own(parse) },
];

/// The value below or at which that part of sorted numbers lies; none of nothing.
#[must_use]
pub fn percentile(sorted: &[f64], part: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let rank = (part * sorted.len() as f64).ceil() - 1.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a part of a length, cut at zero"
    )]
    let rank = (rank.max(0.0) as usize).min(last);
    sorted.get(rank).copied()
}

/// The parts of `p`: numbers from 0 to 1.
///
/// # Errors
///
/// 7750301 to 7750303.
pub fn parts(value: RawBsonRef<'_>) -> Result<Vec<f64>, Error> {
    let text = || {
        format!(
            "The $percentile 'p' field must be an array of numbers from [0.0, 1.0], but found: {}",
            describe::value(Some(value))
        )
    };
    let RawBsonRef::Array(array) = value else { return fail(7_750_301, text()) };
    let mut parts = Vec::new();
    for element in elements(array) {
        let Some(number) = Number::from_bson(element) else { return fail(7_750_302, text()) };
        let part = number.lossy_double();
        if !(0.0..=1.0).contains(&part) {
            return fail(7_750_303, text());
        }
        parts.push(part);
    }
    if parts.is_empty() { fail(7_750_301, text()) } else { Ok(parts) }
}

#[derive(Debug)]
struct Percentiles {
    input: Node,
    /// None: the median alone.
    parts: Option<Vec<f64>>,
}

impl Evaluate for Percentiles {
    fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        let input = self.input.evaluate(context)?;
        let mut numbers = Vec::new();
        let read = |value| Number::from_bson(value).map(Number::lossy_double);
        match view(&input) {
            Some(RawBsonRef::Array(array)) => {
                numbers.extend(elements(array).filter_map(read).filter(|number| !number.is_nan()));
            }
            // A single number is each of its own parts, NaN too.
            Some(value) => numbers.extend(read(value)),
            None => {}
        }
        context.variables.interrupt().sort_by(&mut numbers, f64::total_cmp)?;
        let at = |part: f64| percentile(&numbers, part).map_or(RawBson::Null, RawBson::Double);
        match &self.parts {
            Some(parts) => present(parts.iter().map(|part| at(*part)).collect::<RawArrayBuf>()),
            None => present(at(0.5)),
        }
    }
}

fn parse(name: &'static str, argument: RawBsonRef<'_>, parser: &Parser<'_>) -> Result<Node, Error> {
    let many = name == "$percentile";
    let RawBsonRef::Document(document) = argument else {
        let found = describe::type_name(Some(argument));
        let text = format!("specification must be an object; found {name} :{found}");
        return fail(if many { 7_436_200 } else { 7_436_201 }, text);
    };
    let (mut input, mut method, mut parts_found) = (None, None, None);
    for field in arguments::fields(document) {
        match field? {
            ("input", value) => input = Some(parser.operand(value)?),
            ("method", value) => method = Some(value),
            ("p", value) if many => parts_found = Some(parser.operand(value)?),
            (other, _) => {
                let text = format!("BSON field '{name}.{other}' is an unknown field.");
                return fail(40415, text);
            }
        }
    }
    let missing = |field: &str| {
        Error::location(
            40414,
            format!("BSON field '{name}.{field}' is missing but a required field"),
        )
    };
    let input = input.ok_or_else(|| missing("input"))?;
    let parts = match (many, parts_found) {
        (false, _) => None,
        (true, None) => return Err(missing("p")),
        (true, Some(node)) => match node.as_constant() {
            Some(value) => Some(parts(value.unwrap_or(RawBsonRef::Null))?),
            None => {
                let text = "The $percentile 'p' field must be an array of constant values";
                return fail(7_750_300, text.to_owned());
            }
        },
    };
    match method.ok_or_else(|| missing("method"))? {
        RawBsonRef::String("approximate") => {}
        RawBsonRef::String(_) => {
            let text = "Currently only 'approximate' can be used as percentile 'method'.";
            return Err(Error::new(Code::BAD_VALUE, text));
        }
        other => {
            let found = describe::type_name(Some(other));
            let text = format!(
                "BSON field '{name}.method' is the wrong type '{found}', expected type 'string'"
            );
            return Err(Error::new(Code::TYPE_MISMATCH, text));
        }
    }
    Ok(Node::special(Percentiles { input, parts }))
}
