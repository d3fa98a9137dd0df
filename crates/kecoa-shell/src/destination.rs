//! Where results go.

use std::io::{self, BufWriter, Write};

use crate::connection::Failure;
use crate::escape;
use crate::format::Screen;
use crate::output::{self, Paged};
use crate::replacement::Replacement;
use crate::style::Style;

/// Where results go, for one statement or for all.
pub(crate) enum Destination {
    Terminal,
    File(Replacement),
}

/// How standard output shows results.
#[derive(Clone, Copy)]
pub(crate) struct View {
    /// It is a terminal.
    pub(crate) terminal: bool,
    pub(crate) interactive: bool,
    /// What does not fit the screen goes through the pager.
    pub(crate) pages: bool,
    pub(crate) style: Style,
}

impl Destination {
    /// Puts the file in its place. What failed before anything was written, `whole` says, leaves a file as it
    /// was.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn finish(self, whole: bool) -> io::Result<()> {
        match self {
            Destination::File(file) if whole || file.has_begun() => file.finish(),
            _ => Ok(()),
        }
    }

    /// Has something written there. What comes back is to be said when it is there.
    ///
    /// # Errors
    /// What `work` fails with, or that its text cannot be written.
    pub(crate) fn take(
        &mut self,
        view: View,
        work: impl FnOnce(&mut dyn Write, Screen) -> Result<Option<String>, Failure>,
    ) -> Result<Option<String>, Failure> {
        let plain =
            Screen { width: None, is_terminal: false, cut: false, style: Style { on: false } };
        match self {
            Destination::File(file) => {
                let done = work(file, plain);
                let flushed = file.flush().map_err(Failure::Output);
                let remark = done?;
                flushed?;
                Ok(remark)
            }
            Destination::Terminal if view.terminal => {
                let pager = if view.pages { output::pager() } else { None };
                let screen = Screen {
                    width: output::terminal_size().map(|(columns, _)| columns),
                    is_terminal: true,
                    cut: pager.is_none() && view.interactive,
                    style: view.style,
                };
                let mut paged = Paged::new(pager);
                let done = work(&mut paged, screen);
                let shown = paged.finish();
                // What the pager was left by is no error, and Ctrl-C was for it.
                let remark = match done {
                    Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                        None
                    }
                    done => done?,
                };
                shown.map_err(Failure::Output)?;
                Ok(remark)
            }
            Destination::Terminal => {
                let mut out = BufWriter::with_capacity(64 * 1024, io::stdout().lock());
                let screen = Screen { style: view.style, ..plain };
                let done = work(&mut out, screen);
                let flushed = out.flush();
                let named = |error: io::Error| {
                    io::Error::new(error.kind(), format!("standard output: {error}"))
                };
                let remark = match done {
                    Err(Failure::Output(error)) => return Err(Failure::Output(named(error))),
                    done => done?,
                };
                flushed.map_err(|error| Failure::Output(named(error)))?;
                Ok(remark)
            }
        }
    }
}

/// Lets only text through that a terminal may see.
pub(crate) struct ForTerminal<'a> {
    pub(crate) out: &'a mut dyn Write,
    pub(crate) on: bool,
}

impl Write for ForTerminal<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.on {
            self.out.write_all(escape::lines(data).as_bytes())?;
        } else {
            self.out.write_all(data)?;
        }
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
