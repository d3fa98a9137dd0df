//! Numbers as bytes: equal values of int32, int64, double and Decimal128 alike, all others apart.
//!
//! Eight bytes hold the double that is next to the number on the side of zero, so arranged that bytes compare as
//! doubles do: sign bit set for numbers from zero up, all bits inverted for those below. A byte says whether the
//! double is the number (`00`) or not (`01`); if not, the number itself follows as a decimal: exponent (2 bytes)
//! and coefficient of 34 digits (15 bytes). Below zero, these bytes are inverted, too. NaN is nine zero bytes.

use crate::bson::decimal128::{Decimal, Magnitude};
use crate::bson::exact;
use crate::bson::number::Number;

/// Added to exponents, so that none is below zero.
const EXPONENT_BIAS: i32 = 7000;
const SIGN: u64 = 1 << 63;

pub(super) fn append(out: &mut Vec<u8>, value: Number) {
    match (value.exact_double(), value) {
        (Some(double), _) => append_double(out, double),
        (None, Number::Decimal(value)) => append_decimal(out, value),
        (None, Number::Int64(value)) => append_decimal(out, Decimal::from(value)),
        // These have an exact double.
        (None, Number::Int32(_) | Number::Double(_)) => {}
    }
}

fn append_double(out: &mut Vec<u8>, value: f64) {
    if value.is_nan() {
        out.extend_from_slice(&[0; 9]);
    } else {
        append_parts(out, value < 0.0, value.abs(), None);
    }
}

fn append_decimal(out: &mut Vec<u8>, value: Decimal) {
    let negative = value.negative;
    match value.magnitude {
        Magnitude::NaN => append_double(out, f64::NAN),
        Magnitude::Infinity => append_parts(out, negative, f64::INFINITY, None),
        Magnitude::Finite { coefficient: 0, .. } => append_parts(out, false, 0.0, None),
        Magnitude::Finite { coefficient, exponent } => {
            let (double, exact) = exact::truncate(coefficient, exponent);
            let rest = (!exact).then(|| exact::normalize(coefficient, exponent));
            append_parts(out, negative, double, rest);
        }
    }
}

/// `double` is not below zero; `rest` is the number, if that is more.
fn append_parts(out: &mut Vec<u8>, negative: bool, double: f64, rest: Option<(u128, i32)>) {
    let start = out.len();
    out.extend_from_slice(&(double.to_bits() | SIGN).to_be_bytes());
    out.push(u8::from(rest.is_some()));
    if let Some((coefficient, exponent)) = rest {
        let biased = u16::try_from(exponent + EXPONENT_BIAS).unwrap_or(0);
        out.extend_from_slice(&biased.to_be_bytes());
        // 34 digits have 113 bits.
        let [_, coefficient @ ..] = coefficient.to_be_bytes();
        out.extend_from_slice(&coefficient);
    }
    if negative {
        for byte in out.iter_mut().skip(start) {
            *byte = !*byte;
        }
    }
}
