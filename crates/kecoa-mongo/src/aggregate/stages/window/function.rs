//! What is computed of a window: how it is read.

use ::bson::raw::CString;
use ::bson::{RawBson, RawBsonRef, RawDocument};

use super::bounds::{Bounds, refused, time_unit, whole};
use super::sort_by::SortBy;
use crate::aggregate::accumulator::{Accumulator, parse_operator};
use crate::aggregate::specification::{fields, integer};
use crate::bson::decimal128::Decimal;
use crate::bson::number::Number;
use crate::error::Error;
use crate::expression::{Expression, Scope, TimeUnit};

/// A function of a window.
#[derive(Clone, Debug)]
pub(super) enum Function {
    Accumulate(Box<Accumulator>, Bounds),
    Rank {
        dense: bool,
    },
    DocumentNumber,
    Shift {
        output: Expression,
        by: i64,
        default: RawBson,
    },
    Derivative {
        input: Expression,
        unit: Option<TimeUnit>,
        bounds: Bounds,
    },
    Integral {
        input: Expression,
        unit: Option<TimeUnit>,
        bounds: Bounds,
    },
    Covariance {
        input: Expression,
        sample: bool,
        bounds: Bounds,
    },
    MovingAverage {
        input: Expression,
        /// How much a new value counts.
        weight: Decimal,
    },
    /// `$locf`: the last value that was there.
    Carried(Expression),
    /// `$linearFill`.
    Interpolated(Expression),
}

/// Accumulators that are no functions of windows.
const NOT_OF_WINDOWS: [&str; 2] = ["$mergeObjects", "$accumulator"];

struct Parts<'a> {
    operator: &'a str,
    argument: RawBsonRef<'a>,
    window: Option<RawBsonRef<'a>>,
    sort: Option<&'a SortBy>,
    scope: &'a Scope,
}

impl Function {
    /// Read `{$operator: argument, window: bounds}`.
    pub(super) fn parse(
        document: &RawDocument,
        sort: Option<&SortBy>,
        scope: &Scope,
    ) -> Result<Self, Error> {
        let mut operators = fields(document).flatten().filter(|(name, _)| name.starts_with('$'));
        let Some((operator, argument)) = operators.next() else {
            let first = fields(document).flatten().next().map(|(name, _)| format!(", {name}"));
            return Err(refused(format!(
                "Expected a $-prefixed window function{}",
                first.unwrap_or_default()
            )));
        };
        if matches!(operator, "$rank" | "$denseRank" | "$documentNumber") {
            return rank(operator, argument, fields(document).count(), sort);
        }
        let mut parts = Parts { operator, argument, window: None, sort, scope };
        let mut seen = false;
        for field in fields(document) {
            match field? {
                ("window", value) if parts.window.is_none() => parts.window = Some(value),
                (name, _) if name == operator && !seen => seen = true,
                (name, _) => {
                    return Err(refused(format!(
                        "Window function found an unknown argument: {name}"
                    )));
                }
            }
        }
        parts.read()
    }
}

impl Parts<'_> {
    fn read(&self) -> Result<Function, Error> {
        match self.operator {
            "$shift" => {
                self.without_window()?;
                self.shift()
            }
            "$derivative" => self.derivative(),
            "$integral" => self.integral(),
            "$covariancePop" | "$covarianceSamp" => Ok(Function::Covariance {
                input: self.expression(self.argument)?,
                sample: self.operator == "$covarianceSamp",
                bounds: self.bounds()?.unwrap_or(Bounds::ALL),
            }),
            "$expMovingAvg" => {
                self.without_window()?;
                self.moving_average()
            }
            "$locf" => {
                let input = self.expression(self.argument)?;
                self.without_window()?;
                Ok(Function::Carried(input))
            }
            "$linearFill" => {
                let input = self.expression(self.argument)?;
                self.without_window()?;
                self.require_single_sort(605_001)?;
                Ok(Function::Interpolated(input))
            }
            operator => self.accumulate(operator),
        }
    }

    fn expression(&self, value: RawBsonRef<'_>) -> Result<Expression, Error> {
        Expression::parse(value, self.scope)
    }

    fn bounds(&self) -> Result<Option<Bounds>, Error> {
        self.window.map(|window| Bounds::parse(window, self.sort, self.scope)).transpose()
    }

    fn without_window(&self) -> Result<(), Error> {
        match self.window {
            None => Ok(()),
            Some(_) => Err(refused(format!("'window' field is not allowed in {}", self.operator))),
        }
    }

    fn require_single_sort(&self, number: i32) -> Result<(), Error> {
        if self.sort.is_some_and(|sort| sort.count() == 1) {
            return Ok(());
        }
        Err(Error::location(number, single_sort_text(self.operator)))
    }

    fn accumulate(&self, operator: &str) -> Result<Function, Error> {
        let unrecognized = || refused(format!("Unrecognized window function, {operator}"));
        if NOT_OF_WINDOWS.contains(&operator) {
            return Err(unrecognized());
        }
        if operator == "$count"
            && !matches!(self.argument, RawBsonRef::Document(empty) if empty.is_empty())
        {
            return Err(refused("$count only accepts an empty object as input"));
        }
        let field = CString::from(::bson::raw::cstr!("value"));
        let accumulator = parse_operator(field, operator, self.argument, self.scope).map_err(
            |error| match error.code().number() {
                15952 => unrecognized(),
                _ => error,
            },
        )?;
        let bounds = self.bounds()?.unwrap_or(Bounds::ALL);
        Ok(Function::Accumulate(Box::new(accumulator), bounds))
    }

    /// Functions that measure the sort need one of one field.
    fn check_sort(&self) -> Result<(), Error> {
        let operator = self.operator;
        match self.sort {
            None => Err(refused(format!("{operator} requires a sortBy"))),
            Some(sort) if sort.count() != 1 => {
                Err(refused(format!("{operator} requires a non-compound sortBy")))
            }
            Some(sort) if sort.single().is_none() => {
                Err(refused(format!("{operator} requires a non-expression sortBy")))
            }
            Some(_) => Ok(()),
        }
    }

    /// `{input, unit}`.
    fn measured(&self) -> Result<(Expression, Option<TimeUnit>), Error> {
        let operator = self.operator;
        let RawBsonRef::Document(arguments) = self.argument else {
            return Err(refused(format!("{operator} expects an object")));
        };
        let (mut input, mut unit) = (None, None);
        for field in fields(arguments) {
            match field? {
                ("input", value) => input = Some(self.expression(value)?),
                ("unit", RawBsonRef::String(name)) => {
                    let found = time_unit(name)?;
                    if matches!(found, TimeUnit::Year | TimeUnit::Quarter | TimeUnit::Month) {
                        return Err(Error::location(5_490_710, "unit must be 'week' or smaller"));
                    }
                    unit = Some(found);
                }
                ("unit", _) => return Err(refused("'unit' must be a string")),
                (name, _) => {
                    return Err(refused(format!("{operator} got unexpected argument: {name}")));
                }
            }
        }
        let input =
            input.ok_or_else(|| refused(format!("{operator} requires an 'input' expression")))?;
        Ok((input, unit))
    }

    fn derivative(&self) -> Result<Function, Error> {
        self.check_sort()?;
        let bounds = self.bounds()?;
        let (input, unit) = self.measured()?;
        let bounds =
            bounds.ok_or_else(|| refused("$derivative requires explicit window bounds"))?;
        Ok(Function::Derivative { input, unit, bounds })
    }

    fn integral(&self) -> Result<Function, Error> {
        self.check_sort()?;
        let bounds = self.bounds()?.unwrap_or(Bounds::ALL);
        let (input, unit) = self.measured()?;
        Ok(Function::Integral { input, unit, bounds })
    }

    fn moving_average(&self) -> Result<Function, Error> {
        const SHAPE: &str = "$expMovingAvg sub object must have exactly two fields: An 'input' field, and either an \
                             'N' field or an 'alpha' field";
        let RawBsonRef::Document(arguments) = self.argument else {
            return Err(refused("$expMovingAvg must have exactly one argument that is an object"));
        };
        let found = |name| arguments.get(name).ok().flatten();
        let (Some(input), 2) = (found("input"), fields(arguments).count()) else {
            return Err(refused(SHAPE));
        };
        if self.sort.is_none() {
            return Err(refused("$expMovingAvg requires an explicit 'sortBy'"));
        }
        let input = self.expression(input)?;
        let weight = match (found("N"), found("alpha")) {
            (Some(count), _) => {
                let count =
                    integer(count).ok_or_else(|| refused("'N' field must be an integer"))?;
                if count <= 0 {
                    return Err(refused(format!("'N' must be greater than zero. Got {count}")));
                }
                Decimal::from(2) / (Decimal::from(count) + Decimal::from(1))
            }
            (None, Some(alpha)) => {
                let alpha =
                    Number::from_bson(alpha).ok_or_else(|| refused("'alpha' must be a number"))?;
                if alpha <= Number::Int32(0) || alpha >= Number::Int32(1) {
                    return Err(refused("'alpha' must be between 0 and 1 (exclusive)"));
                }
                alpha.lossy_decimal()
            }
            (None, None) => return Err(refused(SHAPE)),
        };
        Ok(Function::MovingAverage { input, weight })
    }

    fn shift(&self) -> Result<Function, Error> {
        let RawBsonRef::Document(document) = self.argument else {
            return Err(refused("Argument to $shift must be an object"));
        };
        let (mut output, mut by, mut default) = (None, None, RawBson::Null);
        for field in fields(document) {
            match field? {
                ("output", value) => output = Some(self.expression(value)?),
                ("by", value) => {
                    by = Some(
                        whole(value)
                            .ok_or_else(|| refused("'$shift:by' field must be an integer"))?,
                    );
                }
                ("default", value) => {
                    let expression = self.expression(value)?;
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
        if self.sort.is_none() {
            return Err(refused("'$shift' requires a sortBy"));
        }
        Ok(Function::Shift { output, by, default })
    }
}

fn rank(
    operator: &str,
    argument: RawBsonRef<'_>,
    count: usize,
    sort: Option<&SortBy>,
) -> Result<Function, Error> {
    if count != 1 {
        return Err(Error::location(
            5_371_601,
            "Rank style window functions take no other arguments",
        ));
    }
    if !matches!(argument, RawBsonRef::Document(empty) if empty.is_empty()) {
        return Err(Error::location(
            5_371_603,
            format!("{operator} must be specified with '{{}}' as the value"),
        ));
    }
    if sort.is_none_or(|sort| sort.count() != 1) {
        return Err(Error::location(5_371_602, single_sort_text(operator)));
    }
    Ok(match operator {
        "$documentNumber" => Function::DocumentNumber,
        other => Function::Rank { dense: other == "$denseRank" },
    })
}

fn single_sort_text(operator: &str) -> String {
    format!(
        "{operator} must be specified with a top level sortBy expression with exactly one element"
    )
}
