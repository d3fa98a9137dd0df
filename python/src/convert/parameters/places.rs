//! Placeholders whose type nothing in the statement says.
//!
//! A plain string has no type as a parameter, so that the server takes what the place wants: `WHERE id = $1` an
//! integer. Where a place wants nothing in particular, CockroachDB refuses the parameter, and PostgreSQL does in
//! arguments of any type (`indeterminate_datatype`), while both take the literal for text. There, it is text.

use super::tokens::{first_word, is_name, is_word_of};

/// Functions that take arguments of any type.
const ANY: &[&str] = &[
    "concat",
    "concat_ws",
    "format",
    "json_build_array",
    "json_build_object",
    "jsonb_build_array",
    "jsonb_build_object",
    "num_nonnulls",
    "num_nulls",
    "to_json",
    "to_jsonb",
];

/// What may stand behind an element of a query's list.
const BEHIND: &[&str] = &["as", "from", "group", "limit", "order", "where"];

/// Follows a statement from word to word.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// For each bracket that is open, whether it is one of arguments of any type.
    brackets: Vec<bool>,
    /// The last word takes such arguments, if a bracket follows.
    takes_any: bool,
    /// In the list of the outermost SELECT.
    in_list: bool,
    /// There was a word.
    began: bool,
    /// Queries are combined: a column's type may be another one's.
    combined: bool,
    /// For each placeholder, what it is.
    found: Vec<Place>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Something says its type.
    Typed,
    /// An argument of any type.
    Argument,
    /// An element of the outermost SELECT's list.
    Listed,
}

impl Places {
    /// A word; `before` is what stands in front of it.
    pub(super) fn word(&mut self, word: &[u8], before: &[u8]) {
        self.takes_any = is_word_of(word, ANY) && !before.ends_with(b".");
        if self.brackets.is_empty() {
            if is_word_of(word, &["select"]) {
                self.in_list = !self.began;
            } else if is_word_of(word, BEHIND) && !is_word_of(word, &["as"]) {
                self.in_list = false;
            }
        }
        self.began = true;
        self.combined |= is_word_of(word, &["union", "intersect", "except"]);
    }

    /// Any other byte outside of quotes.
    pub(super) fn symbol(&mut self, byte: u8) {
        match byte {
            b'(' => self.brackets.push(self.takes_any),
            b')' => {
                self.brackets.pop();
            }
            _ if byte.is_ascii_whitespace() => return,
            _ => {}
        }
        self.takes_any = false;
        self.began = true;
    }

    /// A placeholder between what stands in front of it and behind it.
    pub(super) fn placeholder(&mut self, before: &[u8], behind: &[u8]) {
        let before = before.trim_ascii_end();
        let behind = behind.trim_ascii_start();
        let next = behind.first();
        let length = before.iter().rev().take_while(|byte| is_name(**byte)).count();
        let word = before.get(before.len() - length..).unwrap_or_default();
        let place = match self.brackets.last() {
            Some(true)
                if matches!(before.last(), Some(b'(' | b','))
                    && matches!(next, Some(b')' | b',')) =>
            {
                Place::Argument
            }
            None if self.in_list
                && (before.last() == Some(&b',')
                    || is_word_of(word, &["select", "distinct", "all"]))
                && (matches!(next, None | Some(b',' | b';'))
                    || is_word_of(first_word(behind), BEHIND)) =>
            {
                Place::Listed
            }
            _ => Place::Typed,
        };
        self.found.push(place);
        self.takes_any = false;
    }

    /// For each placeholder, whether nothing says its type.
    pub(super) fn untyped(self) -> Vec<bool> {
        let combined = self.combined;
        let untyped = |place| place == Place::Argument || place == Place::Listed && !combined;
        self.found.into_iter().map(untyped).collect()
    }
}
