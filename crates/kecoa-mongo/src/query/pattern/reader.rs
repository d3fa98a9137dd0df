//! What reads a pattern.

use std::iter::Peekable;
use std::str::CharIndices;

/// Characters with their places.
pub(super) type Reader<'a> = Peekable<CharIndices<'a>>;
