//! How tightly operators bind: CockroachDB's levels, which the tree has, and PostgreSQL's.
//!
//! They differ. For CockroachDB `->` and `||` bind tighter than `<@` and `~`, each of `|`, `#`, `&`
//! has a level of its own, and a prefix `~` binds as tightly as a sign; PostgreSQL gives one level to all
//! operators that SQL does not name.

use crate::kind::Kind;
use crate::symbol::Operator;

/// CockroachDB's levels, the loosest first.
pub(crate) mod level {
    pub(crate) const OR: u8 = 1;
    pub(crate) const AND: u8 = 2;
    pub(crate) const NOT: u8 = 3;
    pub(crate) const IS: u8 = 4;
    pub(crate) const COMPARE: u8 = 5;
    pub(crate) const LIKE: u8 = 6;
    pub(crate) const ESCAPE: u8 = 7;
    pub(crate) const CONTAIN: u8 = 8;
    pub(crate) const OVERLAPS: u8 = 9;
    pub(crate) const JOIN: u8 = 10;
    pub(crate) const BIT_OR: u8 = 11;
    pub(crate) const BIT_XOR: u8 = 12;
    pub(crate) const BIT_AND: u8 = 13;
    pub(crate) const SHIFT: u8 = 14;
    pub(crate) const OPERATOR: u8 = 15;
    pub(crate) const SUM: u8 = 16;
    pub(crate) const PRODUCT: u8 = 17;
    pub(crate) const POWER: u8 = 18;
    pub(crate) const AT: u8 = 19;
    pub(crate) const COLLATE: u8 = 20;
    pub(crate) const SIGN: u8 = 21;
    pub(crate) const CAST: u8 = 22;
}

impl Operator {
    /// CockroachDB's level of it between two operands, and whether `a op b op c` is an error.
    pub(crate) fn level(self) -> Option<(u8, bool)> {
        Some(match self {
            Self::Compare | Self::Equal => (level::COMPARE, true),
            Self::Tilde | Self::Match => (level::LIKE, true),
            Self::Contain => (level::CONTAIN, true),
            Self::Join => (level::JOIN, false),
            Self::BitOr => (level::BIT_OR, false),
            Self::BitXor => (level::BIT_XOR, false),
            Self::BitAnd => (level::BIT_AND, false),
            Self::Shift => (level::SHIFT, false),
            Self::Sum => (level::SUM, false),
            Self::Star | Self::Product => (level::PRODUCT, false),
            Self::Power => (level::POWER, false),
            Self::Root | Self::At => return None,
        })
    }
}

/// How PostgreSQL groups an operator of the tree with those next to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Its level against an operator in front of its first operand; `None` when it starts with itself.
    pub left: Option<u8>,
    /// Its level against an operator behind its last operand; `None` when it ends with itself.
    pub right: Option<u8>,
    /// Whether `a op b op c` is `(a op b) op c`.
    pub associates: bool,
}

/// PostgreSQL's levels for a node with this operator (its text), the loosest first. `None` for what
/// has brackets or words around it, so that no operator next to it can take a part of it.
pub fn postgresql(kind: Kind, operator: &[u8]) -> Option<Binding> {
    let both = |level, associates| Binding { left: Some(level), right: Some(level), associates };
    let left = |level| Binding { left: Some(level), right: None, associates: true };
    let right = |level| Binding { left: None, right: Some(level), associates: false };
    Some(match kind {
        Kind::Or => both(1, true),
        Kind::And => both(2, true),
        Kind::Not => right(3),
        Kind::Is => Binding { associates: false, ..left(4) },
        Kind::IsDistinct => both(4, false),
        Kind::Like | Kind::Between => both(6, false),
        Kind::In => Binding { associates: false, ..left(6) },
        Kind::Prefix => right(if matches!(operator, b"+" | b"-") { 14 } else { 7 }),
        Kind::Binary => {
            let (level, associates) = symbols(operator);
            both(level, associates)
        }
        Kind::Quantified => {
            let (level, associates) = if operator.first().is_some_and(u8::is_ascii_alphabetic) {
                (6, false)
            } else {
                symbols(operator)
            };
            Binding { associates, ..left(level) }
        }
        Kind::AtTimeZone => both(11, true),
        Kind::Collate => left(12),
        Kind::Cast | Kind::Annotation => left(16),
        _ => return None,
    })
}

fn symbols(operator: &[u8]) -> (u8, bool) {
    match operator {
        b"<" | b">" | b"=" | b"<=" | b">=" | b"<>" | b"!=" => (5, false),
        b"+" | b"-" => (8, true),
        // `//` is none of PostgreSQL's own.
        b"*" | b"/" | b"%" => (9, true),
        b"^" => (10, true),
        _ => (7, true),
    }
}
