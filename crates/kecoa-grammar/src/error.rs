//! Why there is no tree.

/// Why a statement has no tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The grammar does not hold this kind of statement, or what starts at this token: nothing is
    /// known of it.
    NotHeld {
        /// The token.
        token: usize,
    },
    /// It is nested deeper than is looked into: nothing is known of it.
    TooDeep,
    /// PostgreSQL has this, CockroachDB's grammar has not.
    Foreign {
        /// The token at which it starts.
        token: usize,
        /// Its name.
        what: &'static str,
    },
    /// CockroachDB's grammar has no place for this token, as far as is known.
    Syntax {
        /// The token; their number when the statement ends too early.
        token: usize,
        /// What would have been right.
        expected: &'static str,
    },
}
