//! Decimal128: its bytes, its text, its arithmetic.

use bson::Decimal128;
use kecoa_mongo::bson::decimal128::{Decimal, Magnitude, ParseDecimalError};
use kecoa_mongo::bson::number::Number;

fn rows(table: &str) -> impl Iterator<Item = Vec<&str>> {
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split(' ').collect())
}

fn from_hexadecimal(text: &str) -> Decimal {
    Decimal::from_bson(Decimal128::from_bytes(
        u128::from_str_radix(text, 16).unwrap().to_le_bytes(),
    ))
}

#[test]
fn text_and_bytes() {
    let mut count = 0;
    for row in rows(include_str!("decimal_text.txt")) {
        let [text, canonical, bytes] = row[..] else { panic!("{row:?}") };
        let value = Decimal::parse_exact(text).unwrap();
        assert_eq!(value.to_string(), canonical, "{text}");
        assert_eq!(value, Decimal::parse(text).unwrap());
        assert_eq!(value, from_hexadecimal(bytes), "{text}");
        let written = u128::from_le_bytes(value.to_bson().bytes());
        assert_eq!(format!("{written:032x}"), bytes, "{text}");
        assert_eq!(Decimal::parse_exact(canonical).unwrap(), value);
        count += 1;
    }
    assert_eq!(count, 300);
}

#[test]
fn arithmetic() {
    let mut count = 0;
    for row in rows(include_str!("decimal_arithmetic.txt")) {
        let [operation, left, right, expected] = row[..] else { panic!("{row:?}") };
        let (left, right) =
            (Decimal::parse_exact(left).unwrap(), Decimal::parse_exact(right).unwrap());
        let result = match operation {
            "add" => left + right,
            "subtract" => left - right,
            "multiply" => left * right,
            other => panic!("{other}"),
        };
        assert_eq!(result.to_string(), expected, "{row:?}");
        count += 1;
    }
    assert_eq!(count, 899);
}

#[test]
fn functions() {
    let mut count = 0;
    for row in rows(include_str!("decimal_functions.txt")) {
        let [function, operands, expected] = row[..] else { panic!("{row:?}") };
        let (operand, second) = operands.split_once(',').unwrap_or((operands, "0"));
        let (operand, second) =
            (Decimal::parse_exact(operand).unwrap(), Decimal::parse_exact(second).unwrap());
        let result = match function {
            "exp" => operand.exponential(),
            "ln" => operand.logarithm(),
            "log10" => operand.logarithm_to_base_ten(),
            "sin" => operand.sin(),
            "cos" => operand.cos(),
            "tan" => operand.tan(),
            "asin" => operand.asin(),
            "acos" => operand.acos(),
            "atan" => operand.atan(),
            "sinh" => operand.sinh(),
            "cosh" => operand.cosh(),
            "tanh" => operand.tanh(),
            "asinh" => operand.asinh(),
            "acosh" => operand.acosh(),
            "atanh" => operand.atanh(),
            "pow" => operand.power(second),
            "atan2" => operand.atan2(second),
            other => panic!("{other}"),
        };
        let expected = Decimal::parse_exact(expected).unwrap();
        assert_eq!(Number::Decimal(result), Number::Decimal(expected), "{row:?}: {result}");
        count += 1;
    }
    assert_eq!(count, 370);
}

#[test]
fn quotients_and_remainders() {
    let cases = [
        ("/", "1", "3", "0.3333333333333333333333333333333333"),
        ("/", "2", "3", "0.6666666666666666666666666666666667"),
        ("/", "10", "4", "2.5"),
        ("/", "1.0", "1", "1.0"),
        ("/", "100", "1E+2", "1.00"),
        ("/", "1E+6000", "1E-6000", "Infinity"),
        ("/", "1E-6000", "1E+6000", "0E-6176"),
        ("/", "1", "0", "Infinity"),
        ("/", "-1", "0", "-Infinity"),
        ("/", "0", "0", "NaN"),
        ("/", "0", "-5", "-0"),
        ("/", "Infinity", "Infinity", "NaN"),
        ("/", "5", "Infinity", "0E-6176"),
        ("/", "9999999999999999999999999999999999", "7", "1428571428571428571428571428571428"),
        ("/", "1", "9999999999999999999999999999999999", "1.000000000000000000000000000000000E-34"),
        ("%", "7", "3", "1"),
        ("%", "-7", "3", "-1"),
        ("%", "7", "-3", "1"),
        ("%", "7.5", "2", "1.5"),
        ("%", "1E+6000", "7", "1"),
        ("%", "3", "1E+6000", "3"),
        ("%", "5", "0", "NaN"),
        ("%", "Infinity", "5", "NaN"),
        ("%", "5", "Infinity", "5"),
    ];
    for (operation, left, right, expected) in cases {
        let (left, right) =
            (Decimal::parse_exact(left).unwrap(), Decimal::parse_exact(right).unwrap());
        let result = if operation == "/" { left / right } else { left % right };
        assert_eq!(result.to_string(), expected, "{left} {operation} {right}");
    }
}

#[test]
fn text_that_is_no_number() {
    let refused = [
        "",
        " ",
        "+",
        "-",
        ".",
        "-.",
        "e",
        "E1",
        "e+1",
        ".e1",
        "1e",
        "1e+",
        "1e-",
        "1e1.0",
        "1e1e1",
        "1..0",
        "1.0.0",
        "--1",
        "+-1",
        "1-",
        "1+",
        "1 ",
        " 1",
        "1 0",
        "1_000",
        "1,5",
        "0x10",
        "٣",
        "１",
        "Infi",
        "Infinit",
        "Infinityx",
        "-9Inf",
        "inf inity",
        "NaNx",
        "NaN1",
        "sNaN",
        "nan()",
        "none",
        "1e٣",
        "1\0",
        "\u{feff}1",
    ];
    for text in refused {
        assert_eq!(Decimal::parse(text), Err(ParseDecimalError::Syntax), "{text:?}");
        assert_eq!(Decimal::parse_exact(text), Err(ParseDecimalError::Syntax), "{text:?}");
    }
}

#[test]
fn text_that_is_rounded() {
    let long = format!("1{}5{}1", "0".repeat(33), "0".repeat(200));
    let tie = format!("1{}5{}", "0".repeat(33), "0".repeat(200));
    let tiny = format!("0.{}1", "0".repeat(10_000));
    let cases = [
        ("12345678901234567890123456789012345", "1.234567890123456789012345678901234E+34"),
        ("12345678901234567890123456789012355", "1.234567890123456789012345678901236E+34"),
        ("99999999999999999999999999999999995", "1.000000000000000000000000000000000E+35"),
        (&*long, "1.000000000000000000000000000000001E+235"),
        (&*tie, "1.000000000000000000000000000000000E+234"),
        (&*tiny, "0E-6176"),
        ("5E-6177", "0E-6176"),
        ("15E-6177", "2E-6176"),
        ("5.1E-6177", "1E-6176"),
        ("1E+6145", "Infinity"),
        ("-1E+99999999999999999999999999", "-Infinity"),
        ("-1E-99999999999999999999999999", "-0E-6176"),
        ("9.9999999999999999999999999999999995E+6144", "Infinity"),
    ];
    for (text, expected) in cases {
        assert_eq!(Decimal::parse(text).unwrap().to_string(), expected, "{text}");
        assert_eq!(Decimal::parse_exact(text), Err(ParseDecimalError::Inexact), "{text}");
    }
}

#[test]
fn bytes_that_are_not_canonical() {
    let zero = |negative, exponent| Decimal {
        negative,
        magnitude: Magnitude::Finite { coefficient: 0, exponent },
    };
    // A coefficient above 34 digits is zero, in both forms.
    assert_eq!(from_hexadecimal("3041ed09bead87c0378d8e6400000000"), zero(false, 0));
    assert_eq!(from_hexadecimal("6c100000000000000000000000000000"), zero(false, 0));
    assert_eq!(from_hexadecimal("ec107fffffffffffffffffffffffffff"), zero(true, 0));
    // Payloads and signs of NaN, and what follows infinity.
    for nan in [
        "7c000000000000000000000000000012",
        "fc00000000000000000000000000000",
        "7e000000000000000000000000000000",
    ] {
        assert!(from_hexadecimal(&format!("{nan:0<32}")).is_nan());
    }
    assert_eq!(from_hexadecimal("78000000000000000000000000000001"), Decimal::infinity(false));
    assert_eq!(from_hexadecimal("f8ffffffffffffffffffffffffffffff"), Decimal::infinity(true));
}

#[test]
fn doubles_have_fifteen_digits() {
    let cases = [
        (0.1, "0.100000000000000"),
        (1.0, "1.00000000000000"),
        (-2.5, "-2.50000000000000"),
        (1e100, "1.00000000000000E+100"),
        (5e-324, "4.94065645841247E-324"),
        (123_456_789_012_345_678.0, "1.23456789012346E+17"),
        (0.0, "0"),
        (-0.0, "-0"),
        (f64::INFINITY, "Infinity"),
        (f64::NEG_INFINITY, "-Infinity"),
        (f64::NAN, "NaN"),
    ];
    for (double, expected) in cases {
        assert_eq!(Decimal::from(double).to_string(), expected);
    }
}
