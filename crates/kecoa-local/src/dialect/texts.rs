//! Texts of values that PostgreSQL does not read: `'urn:uuid:…'::UUID`, `'1w2d'::INTERVAL`.

use kecoa_sql::{Statement, TokenKind};

use super::edit::Edits;
use super::quote::quote;

/// Rewrites the literal at `at`, which is of the type whose name stands at `kind`.
pub(super) fn literal(statement: &Statement<'_>, at: usize, kind: usize, edits: &mut Edits) {
    if statement.kind(at) != Some(TokenKind::String) {
        return;
    }
    let Some(value) = statement.value(at) else { return };
    let changed = if statement.is(kind, "UUID") {
        value.strip_prefix("urn:uuid:").map(str::to_owned)
    } else if statement.is(kind, "INTERVAL") {
        apart(&value)
    } else {
        None
    };
    if let Some(changed) = changed {
        edits.replace(statement.start(at), statement.end(at), quote(&changed));
    }
}

/// `1w2d` -> `1w 2d`: PostgreSQL knows some units only where a blank follows. `P1W2D` it reads.
fn apart(interval: &str) -> Option<String> {
    if interval.trim_start().starts_with(['P', 'p']) {
        return None;
    }
    let mut spaced = String::with_capacity(interval.len() + 4);
    let mut unit = false;
    for letter in interval.chars() {
        if unit && (letter.is_ascii_digit() || matches!(letter, '.' | '+' | '-')) {
            spaced.push(' ');
        }
        unit = letter.is_ascii_alphabetic();
        spaced.push(letter);
    }
    (spaced.len() > interval.len()).then_some(spaced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_put_apart() {
        assert_eq!(apart("1w2d-3h.5s").as_deref(), Some("1w 2d -3h .5s"));
        for same in ["1 week 2 days", "P1W2D", "1-2 3 04:05:06", "", "-1d"] {
            assert_eq!(apart(same), None, "{same}");
        }
    }
}
