//! Aggregation's expressions, by tables.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too, and says which cases did"
)]

mod interface;
mod notation;
mod support;

use support::{run_cases, run_matrix};

#[test]
fn every_operator_on_every_type() {
    assert_eq!(run_matrix(include_str!("types.txt")), 4950);
}

#[test]
fn language() {
    assert_eq!(run_cases(include_str!("language.txt")), 185);
}

#[test]
fn numbers() {
    assert_eq!(run_cases(include_str!("numbers.txt")), 185);
}

#[test]
fn strings() {
    assert_eq!(run_cases(include_str!("strings.txt")), 105);
}

#[test]
fn arrays() {
    assert_eq!(run_cases(include_str!("arrays.txt")), 146);
}

#[test]
fn dates() {
    assert_eq!(run_cases(include_str!("dates.txt")), 175);
}

#[test]
fn conversions() {
    assert_eq!(run_cases(include_str!("conversions.txt")), 97);
}

#[test]
fn objects() {
    assert_eq!(run_cases(include_str!("objects.txt")), 60);
}
