//! What is computed of a window.

use ::bson::raw::CString;
use ::bson::{RawBson, RawBsonRef, RawDocument, RawDocumentBuf};

use super::bounds::Bounds;
use crate::aggregate::accumulator::{Accumulator, State, parse_operator};
use crate::aggregate::specification::{fields, integer};
use crate::error::{Code, Error};
use crate::expression::{Expression, Scope, Variables};
use crate::query::SortKey;
use crate::value::Value;

/// A function of a window.
#[derive(Clone, Debug)]
pub(super) enum Function {
    Accumulate(Accumulator, Bounds),
    Rank { dense: bool },
    DocumentNumber,
    Shift { output: Expression, by: i64, default: RawBson },
}

impl Function {
    /// Read `{$operator: argument, window: bounds}`.
    pub(super) fn parse(
        document: &RawDocument,
        is_sorted: bool,
        scope: &Scope,
    ) -> Result<Self, Error> {
        let refused = |message: String| Error::new(Code::FAILED_TO_PARSE, message);
        let (mut found, mut window) = (None, None);
        for field in fields(document) {
            match field? {
                ("window", RawBsonRef::Document(value)) => window = Some(value),
                ("window", _) => {
                    return Err(refused("'window' field must be an object".to_owned()));
                }
                (name, value) if name.starts_with('$') && found.is_none() => {
                    found = Some((name, value));
                }
                (name, _) => {
                    return Err(refused(format!(
                        "Window function found an unknown argument: {name}"
                    )));
                }
            }
        }
        let Some((operator, argument)) = found else {
            return Err(refused("Expected a $-prefixed window function".to_owned()));
        };
        match operator {
            "$rank" | "$denseRank" | "$documentNumber" => {
                if !matches!(argument, RawBsonRef::Document(empty) if empty.is_empty()) {
                    return Err(Error::location(
                        5_371_603,
                        format!("{operator} must be specified with '{{}}' as the value"),
                    ));
                }
                if window.is_some() {
                    return Err(Error::location(
                        5_371_601,
                        "Rank style window functions do not take a window",
                    ));
                }
                if !is_sorted {
                    return Err(Error::location(
                        5_371_602,
                        format!(
                            "{operator} must be specified with a top level sortBy expression with exactly one element"
                        ),
                    ));
                }
                Ok(match operator {
                    "$documentNumber" => Self::DocumentNumber,
                    other => Self::Rank { dense: other == "$denseRank" },
                })
            }
            "$shift" => shift(argument, is_sorted, scope),
            "$derivative" | "$integral" | "$expMovingAvg" | "$covariancePop"
            | "$covarianceSamp" | "$linearFill" | "$locf" => Err(Error::new(
                Code::NOT_IMPLEMENTED,
                format!("the window function {operator} is not supported"),
            )),
            _ => {
                let bounds = match window {
                    Some(window) => Bounds::parse(window, is_sorted)?,
                    None => Bounds::default(),
                };
                let field = CString::from(::bson::raw::cstr!("value"));
                let accumulator =
                    parse_operator(field, operator, argument, scope).map_err(|error| {
                        if error.code().number() == 15952 {
                            return refused(format!("Unrecognized window function, {operator}"));
                        }
                        error
                    })?;
                Ok(Self::Accumulate(accumulator, bounds))
            }
        }
    }

    /// The values of a partition's documents, in order.
    pub(super) fn values(
        &self,
        documents: &[&RawDocumentBuf],
        keys: &[Option<&SortKey>],
        variables: &Variables,
    ) -> Result<Vec<RawBson>, Error> {
        match self {
            Self::Accumulate(accumulator, bounds) => {
                accumulate(accumulator, *bounds, documents, variables)
            }
            Self::DocumentNumber => Ok((1..=documents.len()).map(number).collect()),
            Self::Rank { dense } => {
                let (mut rank, mut values) = (0, Vec::with_capacity(keys.len()));
                let mut before: Option<&Option<&SortKey>> = None;
                for (place, key) in keys.iter().enumerate() {
                    if before != Some(key) {
                        rank = if *dense { rank + 1 } else { place + 1 };
                    }
                    before = Some(key);
                    values.push(number(rank));
                }
                Ok(values)
            }
            Self::Shift { output, by, default } => (0..documents.len())
                .map(|place| {
                    let distance = usize::try_from(by.unsigned_abs()).unwrap_or(usize::MAX);
                    let other = if *by < 0 {
                        place.checked_sub(distance)
                    } else {
                        place.checked_add(distance)
                    };
                    match other.and_then(|other| documents.get(other)) {
                        Some(document) => {
                            let value = output.evaluate(document, variables)?;
                            Ok(value.map_or(RawBson::Null, Value::into_owned))
                        }
                        None => Ok(default.clone()),
                    }
                })
                .collect(),
        }
    }
}

fn accumulate(
    accumulator: &Accumulator,
    bounds: Bounds,
    documents: &[&RawDocumentBuf],
    variables: &Variables,
) -> Result<Vec<RawBson>, Error> {
    let empty = || State::new(accumulator, RawBsonRef::Null, variables);
    let mut values = Vec::with_capacity(documents.len());
    if bounds == Bounds::default() {
        // One result for all.
        let mut state = empty()?;
        for document in documents {
            state.add(accumulator, document, variables)?;
        }
        let result = state.finish(accumulator);
        values.resize(documents.len(), result);
        return Ok(values);
    }
    if bounds.lower.is_none() {
        // A window that only grows.
        let (mut state, mut taken) = (empty()?, 0);
        for place in 0..documents.len() {
            let end = bounds.range(place, documents.len()).end;
            for document in documents.get(taken..end).unwrap_or_default() {
                state.add(accumulator, document, variables)?;
            }
            taken = taken.max(end);
            values.push(state.clone().finish(accumulator));
        }
        return Ok(values);
    }
    for place in 0..documents.len() {
        let mut state = empty()?;
        let range = bounds.range(place, documents.len());
        for document in documents.get(range).unwrap_or_default() {
            state.add(accumulator, document, variables)?;
        }
        values.push(state.finish(accumulator));
    }
    Ok(values)
}

fn shift(argument: RawBsonRef<'_>, is_sorted: bool, scope: &Scope) -> Result<Function, Error> {
    let refused = |message: &str| Error::new(Code::FAILED_TO_PARSE, message);
    let RawBsonRef::Document(document) = argument else {
        return Err(refused("Argument to $shift must be an object"));
    };
    if !is_sorted {
        return Err(Error::location(5_424_500, "'$shift' requires a sortBy"));
    }
    let (mut output, mut by, mut default) = (None, None, RawBson::Null);
    for field in fields(document) {
        match field? {
            ("output", value) => output = Some(Expression::parse(value, scope)?),
            ("by", value) => {
                by = Some(
                    integer(value)
                        .ok_or_else(|| refused("'$shift:by' field must be an integer"))?,
                );
            }
            ("default", value) => {
                let expression = Expression::parse(value, scope)?;
                let constant = expression.as_constant().ok_or_else(|| {
                    refused("'$shift:default' expression must yield a constant value")
                })?;
                default = constant.map_or(RawBson::Null, RawBson::from);
            }
            _ => return Err(refused("Unknown argument in $shift")),
        }
    }
    let output = output.ok_or_else(|| refused("$shift requires an 'output' expression."))?;
    let by = by.ok_or_else(|| refused("$shift requires 'by' as an integer value."))?;
    Ok(Function::Shift { output, by, default })
}

fn number(value: usize) -> RawBson {
    match i32::try_from(value) {
        Ok(value) => RawBson::Int32(value),
        Err(_) => RawBson::Int64(i64::try_from(value).unwrap_or(i64::MAX)),
    }
}
