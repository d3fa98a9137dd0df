//! What a statement gives, written as it comes.

use std::io::{self, Write};

use kecoa::proto::{CommandTag, RowDescription, Rows, ServerError};

use crate::connection::Receiver;
use crate::escape;
use crate::format::{self, Column, Look, Printer, Screen};
use crate::report;
use crate::say::say;
use crate::style::Style;

/// Writes the results of one statement.
pub(crate) struct Results<'a> {
    out: &'a mut dyn Write,
    look: Look,
    screen: Screen,
    /// Whether what a statement did is told: `INSERT 0 1`.
    tells_tags: bool,
    printer: Option<Box<dyn Printer>>,
    /// What the one at the terminal should know.
    pub(crate) remark: Option<String>,
    /// What the last statement did.
    pub(crate) tag: Option<String>,
    error_style: Style,
}

impl<'a> Results<'a> {
    pub(crate) fn new(
        out: &'a mut dyn Write,
        look: Look,
        screen: Screen,
        tells_tags: bool,
        error_style: Style,
    ) -> Results<'a> {
        Results {
            out,
            look,
            screen,
            tells_tags,
            printer: None,
            remark: None,
            tag: None,
            error_style,
        }
    }
}

impl Receiver for Results<'_> {
    fn columns(&mut self, description: &RowDescription) -> io::Result<()> {
        self.printer = Some(format::printer(&self.look, self.screen, Column::all(description)));
        Ok(())
    }

    fn rows(&mut self, rows: &Rows) -> io::Result<()> {
        match &mut self.printer {
            Some(printer) => printer.rows(rows, self.out),
            None => Ok(()),
        }
    }

    fn complete(&mut self, tag: &CommandTag) -> io::Result<()> {
        let text = escape::line(tag.as_bytes()).into_owned();
        match self.printer.take() {
            Some(mut printer) => {
                self.remark = printer.end(self.out)?;
                // A statement that changes rows and returns some says both.
                if self.tells_tags && !text.starts_with("SELECT") && !text.starts_with("SHOW") {
                    writeln!(self.out, "{text}")?;
                }
            }
            None if self.tells_tags => writeln!(self.out, "{text}")?,
            None => {}
        }
        self.tag = Some(text);
        Ok(())
    }

    fn notice(&mut self, notice: &ServerError) {
        say(&report::server(notice, "", self.error_style));
    }
}
