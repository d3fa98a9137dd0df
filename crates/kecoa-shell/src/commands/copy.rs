//! `\copy`: rows from and to files of this machine.

use std::fs::File;
use std::io::{self, Read, Write as _};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::connection::Failure;
use crate::copy::{self, Copy, Counted, Direction, InlineData};
use crate::destination::ForTerminal;
use crate::escape;
use crate::input::Input;
use crate::output;
use crate::replacement::Replacement;
use crate::shell::{Flow, Shell};
use crate::source::Source;

impl Shell {
    pub(super) fn copy(
        &mut self,
        text: &str,
        source: &mut dyn Source,
        input: &mut Input,
    ) -> io::Result<Flow> {
        let copy = match copy::parse(&self.variables.expand(text)) {
            Ok(copy) => copy,
            Err(message) => return Ok(self.refuse(&escape::line(message.as_bytes()))),
        };
        let Copy { direction, sql, file, of_program } = copy;
        match (direction, file) {
            (Direction::In, Some(path)) => {
                let opened = File::open(output::home_expanded(&path))
                    .and_then(|file| file.metadata().map(|metadata| (file, metadata)));
                let (opened, size) = match opened {
                    Ok((_, metadata)) if metadata.is_dir() => {
                        return Ok(self.refuse(&format!(
                            "cannot read {}: it is a folder",
                            copy::shown(Some(&path))
                        )));
                    }
                    Ok((file, metadata)) => (file, metadata.len()),
                    Err(error) => {
                        return Ok(self.refuse(&format!(
                            "cannot read {}: {error}",
                            copy::shown(Some(&path))
                        )));
                    }
                };
                let bar = self.bar(Some(size));
                let mut data = Counted { inner: opened, bar: &bar };
                let flow = self.report(&sql, |shell| {
                    let copied = shell.copy_in(&sql, &mut data);
                    bar.finish_and_clear();
                    copied
                });
                bar.finish_and_clear();
                flow
            }
            (Direction::In, None) if of_program || self.data_is_program_input(source) => {
                let mut data = io::stdin().lock();
                self.report(&sql, |shell| shell.copy_in(&sql, &mut data))
            }
            (Direction::In, None) if input.is_pending() => Ok(self.refuse(
                "\\copy: expected it on a line of its own, found a statement without its ; before it",
            )),
            (Direction::In, None) => {
                let mut data = InlineData::new(source, input);
                let flow =
                    self.report(&sql, |shell| shell.copy_in(&sql, &mut data as &mut dyn Read));
                self.cancelled |= data.was_interrupted();
                flow
            }
            (Direction::Out, Some(path)) => {
                let file = match Replacement::of(&path) {
                    Ok(file) => file,
                    Err(message) => return Ok(self.refuse(&message)),
                };
                let bar = self.bar(None);
                let mut sink = Counted { inner: file, bar: &bar };
                self.report(&sql, |shell| {
                    let Some(connection) = &mut shell.connection else { return Ok(()) };
                    let copied = connection.copy_out(&sql, &mut sink);
                    bar.finish_and_clear();
                    let rows = copied.inspect_err(|_| sink.inner.tell_remains())?;
                    sink.inner.finish().map_err(Failure::Output)?;
                    if let Some(rows) = rows.filter(|_| shell.tells_tags()) {
                        writeln!(io::stdout(), "COPY {rows}").map_err(Failure::Output)?;
                    }
                    Ok(())
                })
            }
            (Direction::Out, None) => self.report(&sql, |shell| {
                shell.with_output(|shell, out, screen| {
                    let Some(connection) = &mut shell.connection else { return Ok(None) };
                    let mut safe = ForTerminal { out, on: screen.is_terminal };
                    connection.copy_to_output(&sql, &mut safe).map(|_| None)
                })
            }),
        }
    }

    /// A bar for so many bytes, where somebody sees it.
    fn bar(&self, size: Option<u64>) -> ProgressBar {
        use std::io::IsTerminal as _;

        if self.manner.quiet || !io::stderr().is_terminal() || !moves_cursor() {
            return ProgressBar::with_draw_target(size, ProgressDrawTarget::hidden());
        }
        let (bar, template) = match size {
            Some(size) => {
                (ProgressBar::new(size), "{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}")
            }
            None => (ProgressBar::new_spinner(), "{spinner} {bytes} {bytes_per_sec}"),
        };
        match ProgressStyle::with_template(template) {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        }
    }
}

/// Whether the terminal says that it can move its cursor.
fn moves_cursor() -> bool {
    std::env::var_os("TERM").is_some_and(|name| !name.is_empty() && name != "dumb")
}
