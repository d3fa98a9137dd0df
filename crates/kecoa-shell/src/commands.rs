//! Backslash commands, run.

mod connect;
mod copy;
mod edit;
mod help;
mod restrict;

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::time::{Duration, Instant};

use crate::command::{self, Command};
use crate::connection::Failure;
use crate::describe::{self, View};
use crate::destination::Destination;
use crate::escape;
use crate::format::{Expanded, Format, Look};
use crate::input::{Input, without_comments_around};
use crate::output;
use crate::replacement::Replacement;
use crate::say::{note, say};
use crate::settings::OPTIONS;
use crate::shell::{Flow, INTERRUPTED, Shell};
use crate::source::{Script, Source};
use crate::variables::is_name;
use help::{help, statement_help};

/// How deep files may include each other.
const DEEPEST: usize = 50;

impl Shell {
    /// Runs the command on a line without its backslash.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub(crate) fn command(
        &mut self,
        line: &str,
        source: &mut dyn Source,
        input: &mut Input,
    ) -> io::Result<Flow> {
        let command = match command::parse(line, &self.variables) {
            Ok(command) => command,
            Err(message) => return Ok(self.refuse(&message)),
        };
        let flow = match self.restrict(&command) {
            Some(flow) => flow,
            None => self.run_command(&command, source, input)?,
        };
        if flow != Flow::Next {
            return Ok(flow);
        }
        if let Some(behind) = &command.behind {
            input.put_back(behind);
        }
        Ok(Flow::Next)
    }

    /// Says what is wrong with a command.
    fn refuse(&mut self, message: &str) -> Flow {
        note(&format!("{}{message}", self.place));
        self.after_error()
    }

    /// Writes where results go.
    fn print(&mut self, text: &str) -> io::Result<()> {
        let done = self.with_output(|_, out, _| {
            writeln!(out, "{text}").map_err(Failure::Output).map(|()| None)
        });
        match done {
            Err(Failure::Output(error)) => Err(error),
            _ => Ok(()),
        }
    }

    fn run_command(
        &mut self,
        command: &Command,
        source: &mut dyn Source,
        input: &mut Input,
    ) -> io::Result<Flow> {
        let first = command.arguments.first().map(String::as_str);
        match command.name.as_str() {
            "q" | "quit" | "exit" => {
                return Ok(Flow::Leave(i32::from(self.failed && !self.manner.interactive)));
            }
            "?" | "help" => self.print(&help(self.manner.style))?,
            "h" => {
                let text = statement_help(&command.rest);
                self.print(&text)?;
            }
            "conninfo" => {
                let text = self.connection_info();
                self.print(&text)?;
            }
            "c" | "connect" => return Ok(self.connect_to(&command.arguments)),
            "timing" | "x" | "t" => {
                return self.set_option(&command.name, first);
            }
            "a" => {
                let format = match self.settings.look.format {
                    Format::Unaligned => "table",
                    _ => "unaligned",
                };
                return self.set_option("format", Some(format));
            }
            "pset" => match first {
                Some(name) => {
                    return self.set_option(name, command.arguments.get(1).map(String::as_str));
                }
                None => {
                    let text = OPTIONS.map(|name| self.settings.shown(name)).join("\n");
                    self.print(&text)?;
                }
            },
            "set" => return self.set_variable(&command.arguments),
            "unset" => match first {
                Some(name) if self.variables.unset(name) => {}
                _ => return Ok(self.refuse("\\unset: expected the name of a variable that is set")),
            },
            "echo" | "qecho" | "warn" => {
                let text = escape::lines(command.arguments.join(" ").as_bytes()).into_owned();
                if command.name == "warn" {
                    say(&text);
                } else {
                    self.print(&text)?;
                }
            }
            "p" => {
                let text = self.typed(input);
                self.print(&escape::lines(text.as_bytes()))?;
            }
            "r" | "reset" => input.clear(),
            "s" => return self.show_history(first, source),
            "g" | "gx" => return self.run_typed(command, source, input),
            "watch" => return self.watch(first, input),
            "e" | "edit" => return self.edit(first, source, input),
            "i" | "include" | "ir" => match first {
                Some(path) => return self.include(path),
                None => return Ok(self.refuse("\\i: expected the name of a file")),
            },
            "o" => return Ok(self.redirect(first)),
            "copy" => return self.copy(&command.rest, source, input),
            "!" => {
                return Ok(self.refuse(
                    "\\! is not supported: a file of SQL from somebody else could run programs with it; use \
                     another terminal, or Ctrl-Z",
                ));
            }
            "" => return Ok(self.refuse("expected a command behind \\; \\? lists them")),
            name => {
                let letters = name.trim_end_matches(['+', 'S']);
                return match describe::listing(letters) {
                    Some(listing) if command.arguments.len() <= 1 => {
                        self.report("", |shell| shell.describe(name, listing, first))
                    }
                    Some(_) => Ok(self.refuse(&format!("\\{name}: expected one name"))),
                    None => {
                        let name = escape::line(name.as_bytes()).into_owned();
                        Ok(self.refuse(&format!(
                            "there is no command \\{name}; \\? lists those there are"
                        )))
                    }
                };
            }
        }
        Ok(Flow::Next)
    }

    fn set_option(&mut self, name: &str, value: Option<&str>) -> io::Result<Flow> {
        match self.settings.set(name, value) {
            Ok(now) => {
                if self.manner.interactive && !self.manner.quiet {
                    self.print(&escape::line(now.as_bytes()))?;
                }
                Ok(Flow::Next)
            }
            Err(message) => Ok(self.refuse(&escape::line(message.as_bytes()))),
        }
    }

    fn set_variable(&mut self, arguments: &[String]) -> io::Result<Flow> {
        match arguments.split_first() {
            None => {
                let lines: Vec<String> = self
                    .variables
                    .iter()
                    .map(|(name, value)| format!("{name} = '{value}'"))
                    .collect();
                if !lines.is_empty() {
                    self.print(&escape::lines(lines.join("\n").as_bytes()))?;
                }
            }
            Some((name, values)) if is_name(name) => self.variables.set(name, &values.concat()),
            Some((name, _)) => {
                let name = escape::line(name.as_bytes()).into_owned();
                return Ok(self.refuse(&format!(
                    "\\set: expected a name of letters, digits and _, found {name}"
                )));
            }
        }
        Ok(Flow::Next)
    }

    /// What is typed and not run; else the last statement.
    fn typed(&self, input: &Input) -> String {
        let typed = without_comments_around(input.pending());
        if typed.is_empty() { self.last.clone() } else { typed.to_owned() }
    }

    fn run_typed(
        &mut self,
        command: &Command,
        source: &mut dyn Source,
        input: &mut Input,
    ) -> io::Result<Flow> {
        let sql = self.typed(input);
        input.clear();
        if sql.is_empty() {
            return Ok(
                self.refuse(&format!("\\{}: expected a statement, found none", command.name))
            );
        }
        let expanded = self.settings.look.expanded;
        if command.name == "gx" {
            self.settings.look.expanded = Expanded::On;
        }
        let flow = match command.arguments.first() {
            Some(path) => self.run_into(path, &sql, source),
            None => self.statement(&sql, source, &mut Input::default()),
        };
        self.settings.look.expanded = expanded;
        flow
    }

    /// Runs a statement whose result goes into a file: all of it, or none.
    fn run_into(&mut self, path: &str, sql: &str, source: &mut dyn Source) -> io::Result<Flow> {
        let file = match self.open(path, Replacement::of) {
            Ok(file) => file,
            Err(flow) => return Ok(flow),
        };
        let kept = std::mem::replace(&mut self.destination, file);
        let before = std::mem::replace(&mut self.failed, false);
        let flow = self.statement(sql, source, &mut Input::default());
        let whole = !std::mem::replace(&mut self.failed, before);
        self.failed |= !whole;
        match std::mem::replace(&mut self.destination, kept).finish(whole) {
            Ok(()) => flow,
            Err(error) => Ok(self.refuse(&error.to_string())),
        }
    }

    fn open(
        &mut self,
        path: &str,
        open: fn(&str) -> Result<Replacement, String>,
    ) -> Result<Destination, Flow> {
        if path.starts_with('|') {
            return Err(self.refuse(
                "a program as the destination is not supported: write a file, or pipe the whole shell",
            ));
        }
        match open(path) {
            Ok(file) => Ok(Destination::File(file)),
            Err(message) => Err(self.refuse(&message)),
        }
    }

    fn redirect(&mut self, path: Option<&str>) -> Flow {
        let destination = match path {
            None => Destination::Terminal,
            Some(path) => match self.open(path, Replacement::at_first_write) {
                Ok(file) => file,
                Err(flow) => return flow,
            },
        };
        let before = std::mem::replace(&mut self.destination, destination);
        // A file that nothing was written into is empty, unless that was for an error.
        match before.finish(!self.failed) {
            Ok(()) => Flow::Next,
            Err(error) => self.refuse(&error.to_string()),
        }
    }

    fn describe(
        &mut self,
        command: &str,
        listing: crate::catalogue::Listing,
        pattern: Option<&str>,
    ) -> Result<(), Failure> {
        self.with_output(|shell, out, screen| {
            // What the catalogue has no word for is nothing.
            let look = Look { null: String::new(), ..shell.settings.look.clone() };
            let error_style = shell.manner.error_style;
            let Some(connection) = &mut shell.connection else { return Ok(None) };
            let mut view = View { out, look, screen, error_style };
            describe::describe(connection, &mut view, command, listing, pattern)
        })
    }

    fn show_history(&mut self, path: Option<&str>, source: &mut dyn Source) -> io::Result<Flow> {
        let text = source.history().join("\n");
        match path {
            None => self.print(&escape::lines(text.as_bytes()))?,
            Some(path) => match output::file(path) {
                Ok(mut file) => {
                    if let Err(error) = writeln!(file, "{text}").and_then(|()| file.flush()) {
                        return Ok(self.refuse(&format!("cannot write {path}: {error}")));
                    }
                }
                Err(message) => return Ok(self.refuse(&message)),
            },
        }
        Ok(Flow::Next)
    }

    /// Runs a statement every few seconds, until Ctrl-C.
    fn watch(&mut self, seconds: Option<&str>, input: &mut Input) -> io::Result<Flow> {
        let sql = self.typed(input);
        input.clear();
        let text = seconds.unwrap_or("2");
        let Some(pause) = text
            .parse()
            .ok()
            .filter(|seconds: &f64| seconds.is_finite() && *seconds >= 0.1 && *seconds <= 86400.0)
        else {
            return Ok(
                self.refuse(&format!("\\watch: expected seconds from 0.1 to 86400, found {text}"))
            );
        };
        if sql.is_empty() {
            return Ok(self.refuse("\\watch: expected a statement, found none"));
        }
        let sql = self.variables.expand(&sql);
        self.last.clone_from(&sql);
        let pager = std::mem::replace(&mut self.settings.pager, false);
        let flow = loop {
            let failures = std::mem::replace(&mut self.failed, false);
            let flow = self.report(&sql, |shell| shell.run_statement(&sql));
            let failed = std::mem::replace(&mut self.failed, failures);
            self.failed |= failed;
            if failed || !matches!(flow, Ok(Flow::Next)) {
                break flow;
            }
            if !self.sleep(Duration::from_secs_f64(pause)) {
                let scripted = !self.manner.interactive;
                break Ok(if scripted { Flow::Leave(INTERRUPTED) } else { Flow::Next });
            }
        };
        self.settings.pager = pager;
        flow
    }

    /// Sleeps; false when Ctrl-C ended it.
    fn sleep(&self, time: Duration) -> bool {
        let end = Instant::now() + time;
        loop {
            if self.interrupted.take() {
                return false;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            std::thread::sleep(left.min(Duration::from_millis(50)));
        }
    }

    /// Runs a file.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub(crate) fn include(&mut self, path: &str) -> io::Result<Flow> {
        if self.depth >= DEEPEST {
            return Ok(self.refuse(&format!(
                "\\i {path}: expected at most {DEEPEST} files within each other; does one include itself?"
            )));
        }
        let file = match File::open(output::home_expanded(path)) {
            Ok(file) => file,
            Err(error) => return Ok(self.refuse(&format!("cannot read {path}: {error}"))),
        };
        self.depth += 1;
        let place = self.place.clone();
        let interactive = std::mem::replace(&mut self.manner.interactive, false);
        let failed = std::mem::replace(&mut self.failed, false);
        let flow = self.run(&mut Script::new(BufReader::new(file), path));
        self.manner.interactive = interactive;
        self.depth -= 1;
        self.place = place;
        let flow = match flow {
            Ok(flow) => flow,
            // Of what the file is made the file is to blame.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                self.refuse(&error.to_string())
            }
            Err(error) => return Err(error),
        };
        let here = self.failed;
        self.failed |= failed;
        if interactive {
            self.interrupted.take();
            self.cancelled |= flow == Flow::Leave(INTERRUPTED);
            if flow != Flow::Next && here {
                note(&format!("{path} ended at its first error"));
            }
            // \q in a file ends the file.
            return Ok(Flow::Next);
        }
        Ok(match flow {
            Flow::Leave(0) => Flow::Next,
            other => other,
        })
    }
}
