//! Backslash commands, run.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::process::Command as Process;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use kecoa::Config;
use kecoa::proto::TransactionStatus;

use crate::command::{self, Command, HELP};
use crate::connection::Failure;
use crate::copy::{self, Copy, Counted, Direction, InlineData};
use crate::describe::{self, View};
use crate::escape;
use crate::format::{Expanded, Format, Look};
use crate::input::{Input, without_comments_around};
use crate::keywords::STATEMENTS;
use crate::output;
use crate::password::connect_asking;
use crate::say::{note, say};
use crate::settings::OPTIONS;
use crate::shell::{Destination, Flow, ForTerminal, INTERRUPTED, Shell};
use crate::source::{Script, Source};
use crate::style::Role;
use crate::variables::is_name;

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
        let flow = self.run_command(&command, source, input)?;
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
        note(message);
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
        let kept = match command.arguments.first() {
            Some(path) => match self.open(path) {
                Ok(file) => Some(std::mem::replace(&mut self.destination, file)),
                Err(flow) => return Ok(flow),
            },
            None => None,
        };
        let flow = self.statement(&sql, source, &mut Input::default());
        self.settings.look.expanded = expanded;
        if let Some(kept) = kept {
            self.destination = kept;
        }
        flow
    }

    fn open(&mut self, path: &str) -> Result<Destination, Flow> {
        if path.starts_with('|') {
            return Err(self.refuse(
                "a program as the destination is not supported: write a file, or pipe the whole shell",
            ));
        }
        match output::file(path) {
            Ok(file) => Ok(Destination::File(file)),
            Err(message) => Err(self.refuse(&message)),
        }
    }

    fn redirect(&mut self, path: Option<&str>) -> Flow {
        let destination = match path {
            None => Destination::Terminal,
            Some(path) => match self.open(path) {
                Ok(file) => file,
                Err(flow) => return flow,
            },
        };
        self.destination = destination;
        Flow::Next
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

    /// Has the statement edited in the user's editor, and put where the next line is typed.
    fn edit(
        &mut self,
        path: Option<&str>,
        source: &mut dyn Source,
        input: &mut Input,
    ) -> io::Result<Flow> {
        if !source.is_interactive() {
            return Ok(self.refuse("\\e needs a terminal"));
        }
        let filled = |name| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        let editor =
            filled("VISUAL").or_else(|| filled("EDITOR")).unwrap_or_else(|| "vi".to_owned());
        let mut own = None;
        let path = match path {
            Some(path) => output::home_expanded(path),
            None => {
                // Only its user can read it.
                let mut file =
                    tempfile::Builder::new().prefix("kecoa-").suffix(".sql").tempfile()?;
                writeln!(file, "{}", self.typed(input))?;
                let path = file.path().to_owned();
                own = Some(file);
                path
            }
        };
        let status = Process::new("sh")
            .arg("-c")
            .arg(format!("{editor} \"$1\""))
            .arg("sh")
            .arg(&path)
            .status();
        self.interrupted.take();
        match status {
            Ok(status) if status.success() => {}
            Ok(status) => return Ok(self.refuse(&format!("the editor {editor} failed: {status}"))),
            Err(error) => {
                return Ok(self.refuse(&format!("cannot run the editor {editor}: {error}")));
            }
        }
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                input.clear();
                source.edit_next(text.trim_end().to_owned());
            }
            Err(error) => {
                return Ok(self.refuse(&format!("cannot read {}: {error}", path.display())));
            }
        }
        drop(own);
        Ok(Flow::Next)
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
        let interactive = std::mem::replace(&mut self.manner.interactive, false);
        let failed = std::mem::replace(&mut self.failed, false);
        let flow = self.run(&mut Script::new(BufReader::new(file), path));
        self.manner.interactive = interactive;
        self.depth -= 1;
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

    fn copy(&mut self, text: &str, source: &mut dyn Source, input: &mut Input) -> io::Result<Flow> {
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
            (Direction::In, None) if of_program || source_is_program(source, self) => {
                let mut data = io::stdin().lock();
                self.report(&sql, |shell| shell.copy_in(&sql, &mut data))
            }
            (Direction::In, None) if input.is_pending() => Ok(self.refuse(
                "\\copy: expected it on a line of its own, found a statement without its ; before it",
            )),
            (Direction::In, None) => {
                let mut ahead = || input.take_line();
                let mut data = InlineData::new(source, &mut ahead);
                self.report(&sql, |shell| shell.copy_in(&sql, &mut data as &mut dyn Read))
            }
            (Direction::Out, Some(path)) => {
                let file = match output::file(&path) {
                    Ok(file) => file,
                    Err(message) => return Ok(self.refuse(&message)),
                };
                let bar = self.bar(None);
                let mut sink = Counted { inner: file, bar: &bar };
                self.report(&sql, |shell| {
                    let Some(connection) = &mut shell.connection else { return Ok(()) };
                    let copied = connection.copy_out(&sql, &mut sink);
                    bar.finish_and_clear();
                    let rows = copied?;
                    sink.flush().map_err(Failure::Output)?;
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
                    connection.copy_out(&sql, &mut safe).map(|_| None)
                })
            }),
        }
    }

    /// A bar for so many bytes, where somebody sees it.
    fn bar(&self, size: Option<u64>) -> ProgressBar {
        use std::io::IsTerminal as _;

        if self.manner.quiet || !io::stderr().is_terminal() {
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

    fn connect_to(&mut self, arguments: &[String]) -> Flow {
        let mut config = match arguments.first().map(String::as_str) {
            None | Some("-") => Ok(self.config.clone()),
            Some(text) if text.contains("://") || text.contains('=') => Config::parse(text),
            Some(database) => {
                let mut config = self.config.clone();
                let name = crate::catalogue::Pattern::database(database);
                config.set("dbname", name).map(|_| ()).map(|()| config)
            }
        };
        // psql's other arguments: user, host, port.
        for (name, value) in ["user", "host", "port"].iter().zip(arguments.iter().skip(1)) {
            if value != "-"
                && let Ok(given) = &mut config
                && let Err(error) = given.set(name, value.as_str())
            {
                return self.refuse(&escape::line(error.to_string().as_bytes()));
            }
        }
        let was_open = self.transaction() != TransactionStatus::Idle;
        let connected = config.and_then(|config| {
            self.interrupted.take();
            let may_ask = self.manner.interactive;
            connect_asking(&mut |config| self.connect(config), &config, may_ask)
        });
        match connected {
            Ok(()) => {
                if was_open {
                    note("the transaction of the old connection was rolled back");
                }
                if !self.manner.quiet && self.manner.interactive {
                    let place = format!("connected to {} as {}", self.database, self.user);
                    say(&escape::line(place.as_bytes()));
                }
                Flow::Next
            }
            Err(error) => {
                let text = escape::lines(error.to_string().as_bytes()).into_owned();
                self.refuse(&format!("{text}\nkecoa: the connection before is kept"))
            }
        }
    }

    fn connection_info(&self) -> String {
        let Some(connection) = &self.connection else { return "not connected".to_owned() };
        let client = connection.client();
        let mut lines = vec![connection.server_name()];
        lines.push(format!("database {}, user {}", self.database, self.user));
        if let Some(target) = client.target() {
            lines.push(match target.socket_path() {
                Some(path) => format!("unix socket {path}"),
                None => {
                    let address = target.hostaddr.as_deref().map(|a| format!(" ({a})"));
                    format!(
                        "host {}{}, port {}",
                        target.host,
                        address.unwrap_or_default(),
                        target.port
                    )
                }
            });
        }
        lines.push(match client.tls_info() {
            Some((version, cipher)) => format!("TLS: {version}, {cipher}"),
            None => "not encrypted".to_owned(),
        });
        if let Some(process) = client.process_id() {
            lines.push(format!("process {process} of the server"));
        }
        lines.push(match client.transaction_status() {
            TransactionStatus::Idle => "no transaction is open".to_owned(),
            TransactionStatus::InTransaction => "a transaction is open".to_owned(),
            TransactionStatus::Failed => "a transaction is open and has failed".to_owned(),
        });
        if connection.is_closed() {
            lines.push("the connection is lost".to_owned());
        }
        lines
            .iter()
            .map(|line| escape::line(line.as_bytes()).into_owned())
            .collect::<Vec<_>>()
            .join("\n")
    }
}

/// Whether the data behind `\copy … FROM stdin` comes from the program's own standard input: where the
/// command does not come from a terminal or a file.
fn source_is_program(source: &dyn Source, shell: &Shell) -> bool {
    !source.is_interactive() && shell.depth == 0 && source.is_argument()
}

fn help(style: crate::style::Style) -> String {
    let mut text = String::new();
    let usage =
        |name: &str, arguments: &str| format!("  \\{name} {arguments}").trim_end().to_owned();
    for (name, arguments, about) in HELP {
        if name.is_empty() {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&format!("{}\n", style.paint(Role::Heading, about)));
            continue;
        }
        let usage = usage(name, arguments);
        if usage.len() < 26 {
            text.push_str(&format!("{usage:26}{about}\n"));
        } else {
            text.push_str(&format!("{usage}\n{:26}{about}\n", ""));
        }
    }
    text.push_str(
        "\nA statement ends with ; and may have several lines. Ctrl-C cancels what runs, or clears what is\n\
         typed; Tab completes; Ctrl-R searches the history.",
    );
    text
}

/// What `\h` says of a statement.
fn statement_help(name: &str) -> String {
    let wanted = name.trim().to_ascii_uppercase();
    let found: Vec<&str> =
        STATEMENTS.iter().copied().filter(|statement| statement.starts_with(&wanted)).collect();
    match found.as_slice() {
        [] => format!(
            "there is no help for {}; \\h lists the statements",
            escape::line(wanted.as_bytes())
        ),
        [..] if wanted.is_empty() || found.len() > 1 && !found.contains(&wanted.as_str()) => {
            format!("{}\n\n\\h STATEMENT says where it is documented", found.join("\n"))
        }
        [first, ..] => {
            let postgresql = match *first {
                "UPSERT" => None,
                "WITH" => Some("queries-with".to_owned()),
                "COMMENT ON" => Some("sql-comment".to_owned()),
                "CREATE USER" => Some("sql-createuser".to_owned()),
                statement => {
                    Some(format!("sql-{}", statement.to_ascii_lowercase().replace(' ', "")))
                }
            };
            let mut text = format!("{first}\n");
            if let Some(page) = postgresql {
                text.push_str(&format!(
                    "  PostgreSQL:   https://www.postgresql.org/docs/current/{page}.html\n"
                ));
            }
            text.push_str(
                "  CockroachDB:  https://www.cockroachlabs.com/docs/stable/sql-statements",
            );
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_has_every_command() {
        let text = help(crate::style::Style { on: false });
        for (name, _, about) in HELP.iter().filter(|(name, _, _)| !name.is_empty()) {
            assert!(text.contains(&format!("  \\{name}")), "{name}");
            assert!(text.contains(about), "{about}");
        }
        assert!(text.lines().all(|line| line.len() <= 120));
    }

    #[test]
    fn statements_have_pages() {
        assert!(statement_help("create table").contains("sql-createtable.html"));
        assert!(statement_help("").contains("SELECT"));
        assert!(statement_help("nonsense").contains("no help"));
        assert!(!statement_help("upsert").contains("PostgreSQL"));
    }
}
