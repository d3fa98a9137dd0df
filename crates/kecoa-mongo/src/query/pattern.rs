//! Regular expressions.

mod class;
mod escape;
mod literal;
mod reader;
mod translate;

use std::fmt;

use ::bson::RawBsonRef;
use fancy_regex::{Regex, RegexBuilder};

use crate::error::{Code, Error};
use crate::interrupt::Interrupt;
use crate::regexes::{Compiled, Failure, LARGEST, Watched, is_hard, largest_for, most_steps};
use literal::Literal;

/// The bytes of a pattern.
const MAX_PATTERN: usize = 32_764;

/// A regular expression as MongoDB's queries have them.
#[derive(Clone)]
pub struct Pattern {
    text: Box<str>,
    options: Box<str>,
    search: Search,
    /// `$` stands before a line break that ends the text, too.
    ends_before_line_break: bool,
}

/// How it is looked for.
#[derive(Clone)]
enum Search {
    Literal(Literal),
    Regex(Compiled),
    /// It is compiled each time: there are too many to keep.
    Late,
}

/// What options say.
#[derive(Clone, Copy, Default)]
struct Flags {
    ignore_case: bool,
    lines: bool,
    dot_all: bool,
    extended: bool,
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
        let flags = Flags::read(options)?;
        let literal = match flags {
            Flags { lines: false, extended: false, ignore_case, .. } => {
                Literal::read(text, ignore_case)
            }
            _ => None,
        };
        let search = match literal {
            Some(literal) => Search::Literal(literal),
            None => Compiled::new(compile(text, flags, most_steps(0), LARGEST)?)
                .map_or(Search::Late, Search::Regex),
        };
        let ends_before_line_break = !flags.lines && text.contains('$');
        Ok(Self { text: text.into(), options: options.into(), search, ends_before_line_break })
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
    /// 51156 if the search takes too many steps, or the pattern is too large for such a text; what interrupts it.
    pub fn is_match(&self, text: &str, interrupt: &Interrupt) -> Result<bool, Error> {
        let flags = Flags::read(&self.options)?;
        let compiled = |size| {
            compile(&self.text, flags, most_steps(text.len()), size)
                .map_err(|_| self.failed("it is too large for a text of this length"))
        };
        let made;
        let regex = match &self.search {
            Search::Literal(literal) => return Ok(literal.is_in(text)),
            Search::Regex(regex)
                if !is_hard(&self.text, text.len())
                    && regex.suits(text.len(), |size| compiled(size).is_ok()) =>
            {
                regex
            }
            Search::Regex(_) | Search::Late => {
                made = compiled(largest_for(text.len()))?;
                &made
            }
        };
        if self.search(regex, text, interrupt)? {
            return Ok(true);
        }
        match text.strip_suffix('\n') {
            Some(before) if self.ends_before_line_break => self.search(regex, before, interrupt),
            _ => Ok(false),
        }
    }

    /// Whether a value passes: a text in which it is found, or the same regular expression.
    pub(super) fn accepts(
        &self,
        value: Option<RawBsonRef<'_>>,
        interrupt: &Interrupt,
    ) -> Result<bool, Error> {
        match value {
            Some(RawBsonRef::String(text) | RawBsonRef::Symbol(text)) => {
                self.is_match(text, interrupt)
            }
            Some(RawBsonRef::RegularExpression(regex)) => {
                Ok(regex.pattern.as_str() == &*self.text
                    && regex.options.as_str() == &*self.options)
            }
            _ => Ok(false),
        }
    }

    fn search(&self, regex: &Regex, text: &str, interrupt: &Interrupt) -> Result<bool, Error> {
        Watched::new(text, interrupt).is_match(regex).map_err(|failure| match failure {
            Failure::Interrupted(error) => error,
            Failure::TooManySteps(error) => self.failed(&error.to_string()),
        })
    }

    fn failed(&self, why: &str) -> Error {
        let text =
            format!("Error occurred while executing the regular expression '{}': {why}", self.text);
        Error::location(51156, text)
    }
}

impl Flags {
    fn read(options: &str) -> Result<Self, Error> {
        let mut flags = Self::default();
        for option in options.chars() {
            match option {
                'i' => flags.ignore_case = true,
                'm' => flags.lines = true,
                's' => flags.dot_all = true,
                'x' => flags.extended = true,
                'u' => {}
                _ => {
                    return Err(Error::location(
                        51108,
                        format!("invalid flag in regex options: {option}"),
                    ));
                }
            }
        }
        Ok(flags)
    }
}

fn compile(text: &str, flags: Flags, steps: usize, size: usize) -> Result<Regex, Error> {
    RegexBuilder::new(&translate::translate(text, flags.extended))
        .case_insensitive(flags.ignore_case)
        .multi_line(flags.lines)
        .dot_matches_new_line(flags.dot_all)
        .verbose_mode(flags.extended)
        .backtrack_limit(steps)
        .delegate_size_limit(size)
        .build()
        .map_err(|error| invalid(&error.to_string()))
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/{}", self.text, self.options)
    }
}

fn invalid(problem: &str) -> Error {
    Error::location(51091, format!("Regular expression is invalid: {problem}"))
}
