//! From the syntax of PCRE to that of the regular expressions here.
//!
//! PCRE knows `\d`, `\w` and `\s` as ASCII alone, takes a brace that counts nothing for itself, and its sets of
//! characters know no operators.

use super::reader::Reader;
use super::{class, escape};

/// The same pattern in the other syntax. What is wrong in one is wrong in the other.
pub(super) fn translate(pattern: &str, extended: bool) -> String {
    let mut rest = pattern;
    for verb in ["(*UTF8)", "(*UTF)", "(*UCP)"] {
        rest = rest.strip_prefix(verb).unwrap_or(rest);
    }
    let mut output = String::with_capacity(rest.len() + 16);
    let mut reader = rest.char_indices().peekable();
    while let Some((at, character)) = reader.next() {
        match character {
            '\\' => escape::outside(&mut reader, &mut output),
            '[' => class::translate(&mut reader, &mut output),
            '{' if !is_count(rest.get(at..).unwrap_or_default()) => output.push_str("\\{"),
            '{' => count(&mut reader, &mut output),
            '}' => output.push_str("\\}"),
            '#' if extended => comment(&mut reader),
            '(' if rest.get(at..).is_some_and(|rest| rest.starts_with("(?#")) => {
                while reader.next().is_some_and(|(_, character)| character != ')') {}
            }
            _ => output.push(character),
        }
    }
    output
}

/// Whether a text begins with `{2}`, `{2,}` or `{2,3}`.
fn is_count(text: &str) -> bool {
    let Some((count, _)) = text.get(1..).and_then(|text| text.split_once('}')) else {
        return false;
    };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match count.split_once(',') {
        None => is_number(count),
        Some((least, most)) => is_number(least) && (most.is_empty() || is_number(most)),
    }
}

fn count(reader: &mut Reader<'_>, output: &mut String) {
    output.push('{');
    for (_, character) in reader.by_ref() {
        output.push(character);
        if character == '}' {
            return;
        }
    }
}

fn comment(reader: &mut Reader<'_>) {
    while reader.next().is_some_and(|(_, character)| character != '\n') {}
}
