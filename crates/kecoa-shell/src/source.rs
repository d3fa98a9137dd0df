//! Where lines come from: somebody who types, a file, an argument.

use std::io::{self, BufRead};

/// What is shown before a line is typed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Prompt {
    pub(crate) text: String,
    /// The line is data, not SQL.
    pub(crate) plain: bool,
}

/// A line, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// With its line end. Somebody who types may give several.
    Text(String),
    End,
    /// Ctrl-C.
    Interrupted,
}

/// Gives lines.
pub(crate) trait Source {
    /// The next line. `pending` is what came before of a statement that is not whole yet.
    ///
    /// # Errors
    /// It cannot be read.
    fn line(&mut self, prompt: &Prompt, pending: &str) -> io::Result<Line>;

    /// Whether somebody types.
    fn is_interactive(&self) -> bool {
        false
    }

    /// Whether its lines are an argument of the program.
    fn is_argument(&self) -> bool {
        false
    }

    /// What it is called in errors, where its lines have numbers.
    fn name(&self) -> Option<&str> {
        None
    }

    /// Puts text where the next line is typed.
    fn edit_next(&mut self, text: String) {
        let _ = text;
    }

    /// What was typed before, oldest first.
    fn history(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Lines of a file, of standard input, of an argument.
pub(crate) struct Script<'a> {
    reader: Box<dyn BufRead + 'a>,
    /// What it is called in errors.
    name: String,
    number: u64,
    argument: bool,
}

impl<'a> Script<'a> {
    pub(crate) fn new(reader: impl BufRead + 'a, name: impl Into<String>) -> Script<'a> {
        Script { reader: Box::new(reader), name: name.into(), number: 0, argument: false }
    }

    /// The text of an argument.
    pub(crate) fn of_argument(text: &'a str) -> Script<'a> {
        Script { argument: true, ..Script::new(text.as_bytes(), "-c") }
    }
}

impl Source for Script<'_> {
    fn name(&self) -> Option<&str> {
        (!self.argument).then_some(&self.name)
    }

    fn is_argument(&self) -> bool {
        self.argument
    }

    fn line(&mut self, _prompt: &Prompt, _pending: &str) -> io::Result<Line> {
        let mut line = Vec::new();
        self.reader.read_until(b'\n', &mut line).map_err(|error| {
            let message = format!("cannot read {}: {error}", self.name);
            // As what is no text: the file is to blame.
            io::Error::new(io::ErrorKind::InvalidData, message)
        })?;
        if line.is_empty() {
            return Ok(Line::End);
        }
        self.number += 1;
        match String::from_utf8(line) {
            // A byte order mark is none of the text.
            Ok(text) if self.number == 1 => {
                Ok(Line::Text(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned()))
            }
            Ok(text) => Ok(Line::Text(text)),
            Err(_) => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{}: expected UTF-8, found other bytes in line {}", self.name, self.number),
            )),
        }
    }
}
