//! `$substr`, `$substrBytes`, `$substrCP`, `$indexOfBytes`, `$indexOfCP`.

use super::arrays::index_bound;
use super::context::Outcome;
use super::integers::{to_int32, truncated};
use super::outcome::{fail, is_nullish, null, number, present, text, type_of};
use super::parser::{Definition, Operator};
use super::text::plain;
use crate::error::Error;
use crate::value::Value;

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "$indexOfBytes", definition: Definition::Ranged(2, 4, index_of_bytes) },
    Operator { name: "$indexOfCP", definition: Definition::Ranged(2, 4, index_of_points) },
    Operator { name: "$substr", definition: Definition::Exactly(3, bytes) },
    Operator { name: "$substrBytes", definition: Definition::Exactly(3, bytes) },
    Operator { name: "$substrCP", definition: Definition::Exactly(3, points) },
];

fn bytes(values: Vec<Option<Value<'_>>>) -> Outcome<'_> {
    let [value, start, length] = &values[..] else { return null() };
    let whole = plain(value)?;
    let Some(from) = number(start) else {
        let found = type_of(start);
        let text =
            format!("$substrBytes: starting index must be a numeric type (is BSON type {found})");
        return fail(16034, text);
    };
    let Some(length) = number(length) else {
        let found = type_of(length);
        let text = format!("$substrBytes: length must be a numeric type (is BSON type {found})");
        return fail(16035, text);
    };
    let (from, length) = (truncated(from), truncated(length));
    let Ok(from) = usize::try_from(from) else {
        let text = format!("$substrBytes: starting index must be non-negative (got: {from})");
        return fail(50752, text);
    };
    if from >= whole.len() {
        return present("");
    }
    if !whole.is_char_boundary(from) {
        let text = "$substrBytes: Invalid range, starting index is a UTF-8 continuation byte.";
        return fail(28656, text.to_owned());
    }
    // A negative length takes all that is left.
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let end = from.saturating_add(length).min(whole.len());
    let Some(part) = whole.get(from..end) else {
        let text =
            "$substrBytes: Invalid range, ending index is in the middle of a UTF-8 character.";
        return fail(28657, text.to_owned());
    };
    present(part)
}

fn points(values: Vec<Option<Value<'_>>>) -> Outcome<'_> {
    let [value, start, length] = &values[..] else { return null() };
    let whole = plain(value)?;
    let start = narrow("starting index", start, (34450, 34451))?;
    let length = narrow("length", length, (34452, 34453))?;
    let length = count("length", length, 34454)?;
    let start = count("starting index", start, 34455)?;
    present(whole.chars().skip(start).take(length).collect::<String>())
}

/// An int32.
fn narrow(
    what: &str,
    value: &Option<Value<'_>>,
    (not_numeric, not_narrow): (i32, i32),
) -> Result<i32, Error> {
    let Some(found) = number(value) else {
        let found = type_of(value);
        let text = format!("$substrCP: {what} must be a numeric type (is BSON type {found})");
        return fail(not_numeric, text);
    };
    to_int32(found).map_or_else(
        || {
            let text =
                format!("$substrCP: {what} cannot be represented as a 32-bit integral value");
            fail(not_narrow, text)
        },
        Ok,
    )
}

/// A number of code points.
fn count(what: &str, found: i32, negative: i32) -> Result<usize, Error> {
    usize::try_from(found)
        .or_else(|_| fail(negative, format!("$substrCP: {what} must be a nonnegative integer.")))
}

fn index_of_bytes(values: Vec<Option<Value<'_>>>) -> Outcome<'_> {
    let Some(search) = Search::read("$indexOfBytes", (40091, 40092), &values)? else {
        return null();
    };
    let end = search.end.min(search.whole.len());
    if search.start > end {
        return present(-1);
    }
    let within = search.whole.as_bytes().get(search.start..end).unwrap_or(&[]);
    let found = memmem(within, search.sought.as_bytes());
    present(found.map_or(-1, |at| i32::try_from(at + search.start).unwrap_or(-1)))
}

fn index_of_points(values: Vec<Option<Value<'_>>>) -> Outcome<'_> {
    let Some(search) = Search::read("$indexOfCP", (40093, 40094), &values)? else {
        return null();
    };
    let (whole, sought) = (search.whole, search.sought);
    if whole.is_empty() && sought.is_empty() && search.start == 0 {
        return present(0);
    }
    // What is sought begins before the end, but may reach beyond it.
    let mut points = whole.char_indices().enumerate().skip(search.start);
    let (Some((_, (first, _))), Some(last)) = (points.next(), search.end.checked_sub(1)) else {
        return present(-1);
    };
    if last < search.start {
        return present(-1);
    }
    let found = whole.get(first..).and_then(|rest| rest.find(sought)).map(|at| first + at);
    let point = found.map(|at| whole.get(..at).map_or(0, |before| before.chars().count()));
    let within = point.filter(|point| *point <= last);
    present(within.map_or(-1, |at| i32::try_from(at).unwrap_or(-1)))
}

/// Where bytes lie in others.
fn memmem(within: &[u8], sought: &[u8]) -> Option<usize> {
    if sought.is_empty() {
        return Some(0);
    }
    // Whole strings were validated, so that a match on bytes is one on characters.
    match (std::str::from_utf8(within), std::str::from_utf8(sought)) {
        (Ok(within), Ok(sought)) => within.find(sought),
        _ => within.windows(sought.len()).position(|part| part == sought),
    }
}

/// What is searched for what.
struct Search<'a> {
    whole: &'a str,
    sought: &'a str,
    start: usize,
    end: usize,
}

impl<'a> Search<'a> {
    /// None if there is nothing to search.
    fn read(
        operator: &str,
        (first, second): (i32, i32),
        values: &'a [Option<Value<'_>>],
    ) -> Result<Option<Self>, Error> {
        let [whole, sought, bounds @ ..] = values else { return Ok(None) };
        if is_nullish(whole.as_ref()) {
            return Ok(None);
        }
        let Some(whole) = text(whole) else {
            let found = type_of(whole);
            let text =
                format!("{operator} requires a string as the first argument, found: {found}");
            return fail(first, text);
        };
        let Some(sought) = text(sought) else {
            let found = type_of(sought);
            let text =
                format!("{operator} requires a string as the second argument, found: {found}");
            return fail(second, text);
        };
        let start = match bounds {
            [start, ..] => index_bound(operator, start, "starting")?,
            [] => 0,
        };
        let end = match bounds {
            [_, end, ..] => index_bound(operator, end, "ending")?,
            _ => usize::MAX,
        };
        Ok(Some(Self { whole, sought, start, end }))
    }
}
