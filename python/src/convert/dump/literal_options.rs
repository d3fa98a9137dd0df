//! Literals that differ from psycopg2's.

use std::ops::Range;

use super::scalar;
use crate::convert::parameters::{Binding, is_row_statement};

/// Where literals are others than psycopg2's: on connections that bind on the server, for what has to be
/// merged there after all.
#[derive(Clone, Copy, Default)]
pub(crate) struct LiteralOptions {
    /// Infinite decimals stay what they are.
    pub(super) infinite: bool,
    /// The smallest integers are put in parentheses: in `-2147483648::int4` the cast comes first.
    pub(super) enclosed: bool,
}

impl LiteralOptions {
    /// For a statement, or a piece of one, on a connection that binds in that way.
    pub(crate) fn of(binding: Binding, sql: &[u8]) -> LiteralOptions {
        if binding == Binding::Client {
            return LiteralOptions::default();
        }
        // SET, ALTER SEQUENCE and the like take a number without parentheses only.
        let takes_any = is_row_statement(sql) || sql.trim_ascii_start().first() == Some(&b'(');
        LiteralOptions { infinite: true, enclosed: takes_any }
    }

    /// The same for literals that may travel beside the statement; where they do not, their text is for
    /// [`enclose_smallest`](LiteralOptions::enclose_smallest).
    pub(crate) fn beside(binding: Binding) -> LiteralOptions {
        LiteralOptions { infinite: binding != Binding::Client, enclosed: false }
    }

    /// Puts the smallest integers among the literals of a text, in order, into parentheses.
    pub(crate) fn enclose_smallest(self, literals: &[Range<usize>], text: &mut Vec<u8>) {
        if !self.enclosed {
            return;
        }
        for literal in literals.iter().rev() {
            let found = text.get(literal.clone()).unwrap_or_default();
            if scalar::SMALLEST.iter().any(|smallest| smallest.as_bytes() == found) {
                text.insert(literal.end, b')');
                text.insert(literal.start, b'(');
            }
        }
    }
}
