//! Aggregation's expressions, by tables.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too, and says which cases did"
)]

mod arguments;
mod interface;
mod notation;
mod support;

use support::{As, run_cases, run_matrix};

#[test]
fn every_operator_on_every_type() {
    let both = include_str!("types.txt");
    assert_eq!(run_matrix(both, As::Path), 6675);
    assert_eq!(run_matrix(both, As::Literal), 6675);
    assert_eq!(run_matrix(include_str!("types_paths.txt"), As::Path), 275);
    assert_eq!(run_matrix(include_str!("types_constants.txt"), As::Literal), 250);
}

#[test]
fn language() {
    assert_eq!(run_cases(include_str!("language.txt")), 252);
}

#[test]
fn numbers() {
    assert_eq!(run_cases(include_str!("numbers.txt")), 272);
}

#[test]
fn strings() {
    assert_eq!(run_cases(include_str!("strings.txt")), 154);
}

#[test]
fn arrays() {
    assert_eq!(run_cases(include_str!("arrays.txt")), 203);
}

#[test]
fn dates() {
    assert_eq!(run_cases(include_str!("dates.txt")), 328);
}

#[test]
fn conversions() {
    assert_eq!(run_cases(include_str!("conversions.txt")), 162);
}

#[test]
fn objects() {
    assert_eq!(run_cases(include_str!("objects.txt")), 103);
}
