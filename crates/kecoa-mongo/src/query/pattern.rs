//! Regular expressions.

mod class;
mod escape;
mod reader;
mod translate;

use std::fmt;

use ::bson::RawBsonRef;
use fancy_regex::{Regex, RegexBuilder};

use crate::error::{Code, Error};

/// The steps of a search before it is given up.
const BACKTRACK_LIMIT: usize = 1_000_000;
/// The bytes of a pattern.
const MAX_PATTERN: usize = 32_764;

/// A regular expression as MongoDB's queries have them.
#[derive(Clone)]
pub struct Pattern {
    text: Box<str>,
    options: Box<str>,
    regex: Regex,
    /// `$` stands before a line break that ends the text, too.
    ends_before_line_break: bool,
}

impl Pattern {
    /// Compile one; options are some of `i`, `m`, `s`, `x`, `u`.
    ///
    /// # Errors
    ///
    /// 51108 for an unknown option, 51091 for a pattern that can't be read, 2 for one with a zero byte or that is too
    /// long.
    pub fn new(text: &str, options: &str) -> Result<Self, Error> {
        if text.contains('\0') {
            return Err(Error::new(
                Code::BAD_VALUE,
                "Regular expression cannot contain an embedded null byte",
            ));
        }
        if text.len() > MAX_PATTERN {
            return Err(Error::new(Code::BAD_VALUE, "Regular expression is too long"));
        }
        let (mut ignore_case, mut lines, mut dot_all, mut extended) = (false, false, false, false);
        for option in options.chars() {
            match option {
                'i' => ignore_case = true,
                'm' => lines = true,
                's' => dot_all = true,
                'x' => extended = true,
                'u' => {}
                _ => {
                    return Err(Error::location(
                        51108,
                        format!("invalid flag in regex options: {option}"),
                    ));
                }
            }
        }
        let translated = translate::translate(text, extended);
        let regex = RegexBuilder::new(&translated)
            .case_insensitive(ignore_case)
            .multi_line(lines)
            .dot_matches_new_line(dot_all)
            .verbose_mode(extended)
            .backtrack_limit(BACKTRACK_LIMIT)
            .build()
            .map_err(|error| invalid(&error.to_string()))?;
        let ends_before_line_break = !lines && text.contains('$');
        Ok(Self { text: text.into(), options: options.into(), regex, ends_before_line_break })
    }

    /// The expression as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The options as they were written.
    #[must_use]
    pub fn options(&self) -> &str {
        &self.options
    }

    /// Whether it is found in a text.
    ///
    /// # Errors
    ///
    /// 51156 if the search takes too many steps.
    pub fn is_match(&self, text: &str) -> Result<bool, Error> {
        if self.search(text)? {
            return Ok(true);
        }
        match text.strip_suffix('\n') {
            Some(before) if self.ends_before_line_break => self.search(before),
            _ => Ok(false),
        }
    }

    /// Whether a value passes: a text in which it is found, or the same regular expression.
    pub(super) fn accepts(&self, value: Option<RawBsonRef<'_>>) -> Result<bool, Error> {
        match value {
            Some(RawBsonRef::String(text) | RawBsonRef::Symbol(text)) => self.is_match(text),
            Some(RawBsonRef::RegularExpression(regex)) => {
                Ok(regex.pattern.as_str() == &*self.text
                    && regex.options.as_str() == &*self.options)
            }
            _ => Ok(false),
        }
    }

    fn search(&self, text: &str) -> Result<bool, Error> {
        self.regex.is_match(text).map_err(|error| {
            Error::location(
                51156,
                format!(
                    "Error occurred while executing the regular expression '{}': {error}",
                    self.text
                ),
            )
        })
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/{}", self.text, self.options)
    }
}

fn invalid(problem: &str) -> Error {
    Error::location(51091, format!("Regular expression is invalid: {problem}"))
}
