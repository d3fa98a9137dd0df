//! `$sqrt`, `$pow`, `$exp`, `$ln`, `$log`, `$log10`.

use ::bson::RawBson;

use super::arithmetic::not_numeric;
use super::context::Outcome;
use super::outcome::{fail, is_nullish, null, number, present, shown, type_of};
use super::parser::{Definition, Operator};
use crate::bson::decimal128::Decimal;
use crate::bson::number::Number;
use crate::value::Value;

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "$exp", definition: Definition::Unary(exp) },
    Operator { name: "$ln", definition: Definition::Unary(ln) },
    Operator { name: "$log", definition: Definition::Binary(log) },
    Operator { name: "$log10", definition: Definition::Unary(log10) },
    Operator { name: "$pow", definition: Definition::Binary(pow) },
    Operator { name: "$sqrt", definition: Definition::Unary(sqrt) },
];

const ZERO: Number = Number::Int32(0);

/// Whether a logarithm can be taken: of a number above zero, and of NaN.
fn is_positive(value: Number) -> bool {
    value > ZERO || is_nan(value)
}

fn is_nan(value: Number) -> bool {
    match value {
        Number::Double(value) => value.is_nan(),
        Number::Decimal(value) => value.is_nan(),
        _ => false,
    }
}

fn decimal(value: Decimal) -> RawBson {
    Number::Decimal(value).to_bson()
}

fn sqrt(value: Option<Value<'_>>) -> Outcome<'_> {
    if is_nullish(value.as_ref()) {
        return null();
    }
    let Some(found) = number(&value) else { return fail(28765, not_numeric("$sqrt", &value)) };
    if found < ZERO && !is_nan(found) {
        return fail(28714, "$sqrt's argument must be greater than or equal to 0".to_owned());
    }
    present(match found {
        Number::Decimal(value) => decimal(value.square_root()),
        other => RawBson::Double(other.lossy_double().sqrt()),
    })
}

fn exp(value: Option<Value<'_>>) -> Outcome<'_> {
    if is_nullish(value.as_ref()) {
        return null();
    }
    present(match number(&value) {
        Some(Number::Decimal(value)) => decimal(value.exponential()),
        Some(other) => RawBson::Double(other.lossy_double().exp()),
        None => return fail(28765, not_numeric("$exp", &value)),
    })
}

fn ln(value: Option<Value<'_>>) -> Outcome<'_> {
    if is_nullish(value.as_ref()) {
        return null();
    }
    let Some(found) = number(&value) else { return fail(28765, not_numeric("$ln", &value)) };
    if !is_positive(found) {
        let found = shown(&value);
        return fail(28766, format!("$ln's argument must be a positive number, but is {found}"));
    }
    present(match found {
        Number::Decimal(value) if !value.is_nan() => decimal(value.logarithm()),
        other => RawBson::Double(other.lossy_double().ln()),
    })
}

fn log10(value: Option<Value<'_>>) -> Outcome<'_> {
    if is_nullish(value.as_ref()) {
        return null();
    }
    let Some(found) = number(&value) else { return fail(28765, not_numeric("$log10", &value)) };
    if !is_positive(found) {
        let found = shown(&value);
        return fail(28761, format!("$log10's argument must be a positive number, but is {found}"));
    }
    present(match found {
        Number::Decimal(value) if !value.is_nan() => decimal(value.logarithm_to_base_ten()),
        other => RawBson::Double(other.lossy_double().log10()),
    })
}

fn log<'v>(value: Option<Value<'v>>, base: Option<Value<'v>>) -> Outcome<'v> {
    if is_nullish(value.as_ref()) || is_nullish(base.as_ref()) {
        return null();
    }
    let Some(found) = number(&value) else {
        let found = type_of(&value);
        return fail(28756, format!("$log's argument must be numeric, not {found}"));
    };
    let Some(base_found) = number(&base) else {
        return fail(28757, format!("$log's base must be numeric, not {}", type_of(&base)));
    };
    if !is_positive(found) {
        let found = shown(&value);
        return fail(28758, format!("$log's argument must be a positive number, but is {found}"));
    }
    if !is_positive(base_found) || base_found == Number::Int32(1) {
        let found = shown(&base);
        let text = format!("$log's base must be a positive number not equal to 1, but is {found}");
        return fail(28759, text);
    }
    present(match (found, base_found) {
        // The logarithm of a decimal that is no number is a double.
        _ if is_nan(found) || is_nan(base_found) => RawBson::Double(f64::NAN),
        (Number::Decimal(_), _) | (_, Number::Decimal(_)) => {
            let (value, base) = (found.lossy_decimal(), base_found.lossy_decimal());
            decimal(if base_found == Number::Int32(10) {
                value.logarithm_to_base_ten()
            } else {
                let quotient = value.logarithm() / base.logarithm();
                // A whole power has a whole logarithm, without the last digit's error.
                let near = quotient.to_integral();
                if base.power(near) == value { near } else { quotient }
            })
        }
        _ => RawBson::Double(found.lossy_double().ln() / base_found.lossy_double().ln()),
    })
}

fn pow<'v>(base: Option<Value<'v>>, exponent: Option<Value<'v>>) -> Outcome<'v> {
    if is_nullish(base.as_ref()) || is_nullish(exponent.as_ref()) {
        return null();
    }
    let Some(value) = number(&base) else {
        return fail(28762, format!("$pow's base must be numeric, not {}", type_of(&base)));
    };
    let Some(power) = number(&exponent) else {
        let found = type_of(&exponent);
        return fail(28763, format!("$pow's exponent must be numeric, not {found}"));
    };
    if value == ZERO && power < ZERO && !is_nan(power) {
        let text = "$pow cannot take a base of 0 and a negative exponent";
        return fail(28764, text.to_owned());
    }
    present(match (value, power) {
        (Number::Decimal(_), _) | (_, Number::Decimal(_)) => {
            decimal(value.lossy_decimal().power(power.lossy_decimal()).normalize())
        }
        (Number::Double(_), _) | (_, Number::Double(_)) => {
            RawBson::Double(value.lossy_double().powf(power.lossy_double()))
        }
        _ => integer_power(value, power),
    })
}

/// An integer where the result is one and fits, a double otherwise.
fn integer_power(value: Number, power: Number) -> RawBson {
    let (base, exponent) = (super::integers::truncated(value), super::integers::truncated(power));
    let exact = match (base, u32::try_from(exponent)) {
        (1, _) => Some(1),
        (-1, _) => Some(if exponent % 2 == 0 { 1 } else { -1 }),
        (0, Err(_)) if exponent > 0 => Some(0),
        (_, Ok(exponent)) => base.checked_pow(exponent),
        _ => None,
    };
    let narrow = matches!((value, power), (Number::Int32(_), Number::Int32(_)));
    match exact {
        Some(result) => match i32::try_from(result) {
            Ok(result) if narrow => RawBson::Int32(result),
            _ => RawBson::Int64(result),
        },
        None => RawBson::Double(value.lossy_double().powf(power.lossy_double())),
    }
}
