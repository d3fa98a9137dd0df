//! Searches that look at the interruption at each step.
//!
//! The engine knows no interruption. But each of its steps asks the text that it searches for its bytes: a text of
//! our own looks at the flag then, and unwinds out of the engine where the work is to end. Between two looks lies one
//! pass of the linear engine over the text at most.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use fancy_regex::{Captures, Input, Regex, RegexInput};

use crate::error::Error;
use crate::interrupt::Interrupt;

/// A text that looks at the interruption whenever the engine looks at it.
#[derive(Clone, Copy, Debug)]
pub struct Watched<'t> {
    text: &'t str,
    interrupt: &'t Interrupt,
}

/// Why a search has no result.
#[derive(Debug)]
pub enum Failure {
    /// It was interrupted, with this error.
    Interrupted(Error),
    /// It took too many steps back.
    TooManySteps(fancy_regex::Error),
}

impl<'t> Watched<'t> {
    /// A text, and what stops a search in it.
    #[must_use]
    pub fn new(text: &'t str, interrupt: &'t Interrupt) -> Self {
        Self { text, interrupt }
    }

    /// The text itself.
    #[must_use]
    pub fn text(&self) -> &'t str {
        self.text
    }

    /// Whether the pattern is found in it.
    ///
    /// # Errors
    ///
    /// An interruption; too many steps.
    pub fn is_match(&self, regex: &Regex) -> Result<bool, Failure> {
        run(|| regex.is_match(self))
    }

    /// The first place at which the pattern is found, from a byte on.
    ///
    /// # Errors
    ///
    /// An interruption; too many steps.
    pub fn captures<'w>(
        &'w self,
        regex: &Regex,
        from: usize,
    ) -> Result<Option<Captures<'w, Self>>, Failure> {
        run(|| regex.captures_input(RegexInput::new(self).from_pos(from)))
    }

    fn look(&self) {
        if let Err(error) = self.interrupt.check() {
            // No panic: nobody is told of it, and `run` takes it.
            resume_unwind(Box::new(error));
        }
    }
}

/// Runs a search.
fn run<T>(search: impl FnOnce() -> fancy_regex::Result<T>) -> Result<T, Failure> {
    // The engine clears what a search has left before the next one.
    match catch_unwind(AssertUnwindSafe(search)) {
        Ok(found) => found.map_err(Failure::TooManySteps),
        Err(thrown) => match thrown.downcast::<Error>() {
            Ok(error) => Err(Failure::Interrupted(*error)),
            Err(panic) => resume_unwind(panic),
        },
    }
}

impl Input for Watched<'_> {
    type Match<'m>
        = Range<usize>
    where
        Self: 'm;

    fn len(&self) -> usize {
        self.look();
        self.text.len()
    }

    fn as_bytes(&self) -> &[u8] {
        self.look();
        self.text.as_bytes()
    }

    fn is_char_boundary(&self, at: usize) -> bool {
        self.text.is_char_boundary(at)
    }

    fn is_ascii(&self) -> bool {
        self.text.is_ascii()
    }

    fn prev_codepoint_ix(&self, at: usize) -> usize {
        let is_start = |at: &usize| self.text.is_char_boundary(*at);
        (0..at).rev().find(is_start).unwrap_or(0)
    }

    fn make_match(&self, start: usize, end: usize) -> Range<usize> {
        start..end
    }

    fn advance_position(&self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        at + rest.chars().next().map_or(1, char::len_utf8)
    }
}
