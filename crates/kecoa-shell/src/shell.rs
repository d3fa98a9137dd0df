//! The shell: pieces of input are run, one after the other.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use kecoa::config::Environment;
use kecoa::proto::TransactionStatus;
use kecoa::{Config, Error};

use crate::connection::{Connection, Failure, Interrupted};
use crate::copy::{self, Direction, InlineData};
use crate::destination::{Destination, ForTerminal, View};
use crate::escape;
use crate::format::Screen;
use crate::input::{Input, Piece, bare_command};
use crate::names::SharedNames;
use crate::report;
use crate::results::Results;
use crate::say::{note, say};
use crate::settings::Settings;
use crate::source::{Line, Prompt, Source};
use crate::style::Style;
use crate::variables::Variables;

/// What to do after a piece of input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Go on.
    Next,
    /// End, with this exit status.
    Leave(i32),
}

/// The exit status after Ctrl-C in a script, as shells have it.
pub(crate) const INTERRUPTED: i32 = 130;

/// How the shell behaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    /// Somebody types.
    pub(crate) interactive: bool,
    /// Results go to a terminal.
    pub(crate) terminal: bool,
    pub(crate) quiet: bool,
    /// Statements are shown before they run.
    pub(crate) echo: bool,
    /// A script goes on after an error.
    pub(crate) continues: bool,
    /// Colours of results, and of what is said.
    pub(crate) style: Style,
    pub(crate) error_style: Style,
}

pub(crate) struct Shell {
    pub(crate) config: Config,
    pub(crate) connect_timeout: &'static str,
    pub(crate) connection: Option<Connection>,
    pub(crate) interrupted: Interrupted,
    pub(crate) settings: Settings,
    pub(crate) variables: Variables,
    pub(crate) names: SharedNames,
    pub(crate) manner: Manner,
    pub(crate) destination: Destination,
    /// The statement that ran last.
    pub(crate) last: String,
    /// User and database as the server has them now.
    pub(crate) user: String,
    pub(crate) database: String,
    /// Something failed in a script that went on.
    pub(crate) failed: bool,
    /// Ctrl-C ended a statement: nothing that was entered with it runs.
    pub(crate) cancelled: bool,
    /// Where in a script the statement or command stands that runs: `FILE:LINE: `.
    pub(crate) place: String,
    /// Files within files.
    pub(crate) depth: usize,
    /// A statement ended a transaction, or the connection that it was on was left.
    pub(crate) leaves_transaction: bool,
    /// The key of `\restrict`, behind it.
    pub(crate) restricted: Option<String>,
}

impl Shell {
    /// Connects, or connects anew.
    ///
    /// # Errors
    /// No connection could be made.
    pub(crate) fn connect(&mut self, config: &Config) -> Result<(), Error> {
        let mut config = config.clone();
        if !self.connect_timeout.is_empty() {
            let environment = Environment::from_process();
            config.set_default("connect_timeout", self.connect_timeout, &environment)?;
        }
        let connection = Connection::open(&config, self.interrupted.clone())?;
        if let Some(resolved) = connection.client().config() {
            for notice in resolved.notices() {
                note(notice);
            }
            self.config = resolved.clone();
        }
        self.connection = Some(connection);
        self.keep_encoding();
        self.learn_place();
        if self.manner.interactive {
            self.names.refresh(&self.config);
        }
        Ok(())
    }

    /// Asks who and where the session is.
    pub(crate) fn learn_place(&mut self) {
        self.user = self.config.user().unwrap_or_default().to_owned();
        self.database = self.config.dbname().unwrap_or_default().to_owned();
        if !self.manner.interactive {
            return;
        }
        let Some(connection) = &mut self.connection else { return };
        if connection.transaction() == TransactionStatus::Failed {
            return;
        }
        if let Ok(rows) = connection.query("SELECT current_user, current_database()")
            && let Some([Some(user), Some(database)]) = rows.first().map(Vec::as_slice)
        {
            self.user.clone_from(user);
            self.database.clone_from(database);
        }
    }

    /// What is shown before a line is typed: user, host, database, and the transaction's state.
    fn prompt(&self, pending: &str) -> Prompt {
        let mark = match self.connection.as_ref().map(Connection::transaction) {
            _ if !pending.is_empty() => "-> ",
            None => "(not connected)> ",
            Some(TransactionStatus::Idle) => "> ",
            Some(TransactionStatus::InTransaction) => "*> ",
            Some(TransactionStatus::Failed) => "!> ",
        };
        let target = self.connection.as_ref().and_then(|connection| connection.client().target());
        let host = match target {
            Some(target) if target.is_unix() => "[local]",
            Some(target) if target.host.is_empty() => {
                target.hostaddr.as_deref().unwrap_or_default()
            }
            Some(target) => &target.host,
            None => "",
        };
        let place = format!("{}@{host}/{}", self.user, self.database);
        Prompt { text: format!("{} {mark}", escape::line(place.as_bytes())), plain: false }
    }

    /// Runs everything that a source gives.
    ///
    /// # Errors
    /// The source cannot be read, or standard output not be written.
    pub(crate) fn run(&mut self, source: &mut dyn Source) -> io::Result<Flow> {
        let mut input = Input::default();
        loop {
            while let Some(piece) = input.next() {
                self.place = place(source, &input);
                let flow = match piece {
                    Piece::Statement(sql) => self.statement(&sql, source, &mut input)?,
                    Piece::Command(line) => self.command(&line, source, &mut input)?,
                };
                if flow != Flow::Next {
                    return Ok(flow);
                }
                if std::mem::take(&mut self.cancelled) {
                    input.clear();
                }
            }
            let mut pending = String::new();
            if source.is_interactive() {
                match input.is_pending() {
                    true => pending.push_str(input.pending()),
                    false => input.clear(),
                }
            }
            self.tell_news();
            match source.line(&self.prompt(&pending), &pending)? {
                Line::Text(_) | Line::End
                    if !self.manner.interactive && self.interrupted.is_set() =>
                {
                    return Ok(Flow::Leave(INTERRUPTED));
                }
                Line::Text(line) => match bare_command(&line) {
                    Some(command) if source.is_interactive() && pending.is_empty() => {
                        let flow = self.command(command, source, &mut input)?;
                        if flow != Flow::Next {
                            return Ok(flow);
                        }
                    }
                    _ => input.push(&line),
                },
                Line::Interrupted => input.clear(),
                Line::End => break,
            }
        }
        match input.take_rest() {
            Some(sql) if !source.is_interactive() => {
                self.place = place(source, &input);
                self.statement(&sql, source, &mut input)
            }
            _ => Ok(Flow::Next),
        }
    }

    /// Tells what the server sent without being asked.
    fn tell_news(&mut self) {
        let Some(connection) = &mut self.connection else { return };
        if self.manner.interactive {
            let mut sink = io::sink();
            let look = self.settings.look.clone();
            let style = self.manner.error_style;
            let screen = Screen { width: None, is_terminal: false, cut: false, style };
            connection.poll(&mut Results::new(&mut sink, look, screen, false, style));
        }
        for news in connection.notifications() {
            let text = format!(
                "notification on {} from process {}: {}",
                escape::line(news.channel.as_ref()),
                news.process_id,
                escape::line(news.payload.as_ref()),
            );
            say(&text);
        }
    }

    /// Runs a statement, and says what went wrong.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub(crate) fn statement(
        &mut self,
        sql: &str,
        source: &mut dyn Source,
        input: &mut Input,
    ) -> io::Result<Flow> {
        let sql = self.variables.expand(sql);
        self.last.clone_from(&sql);
        if self.manner.echo {
            let mut out = io::stdout().lock();
            writeln!(out, "{};", escape::lines(sql.as_bytes()))?;
        }
        match copy::direction(&sql) {
            Some(Direction::In) => {
                // What follows the semicolon on its line is none of the data, and runs after it, as in psql.
                let behind = input.take_line();
                let flow = if self.data_is_program_input(source) {
                    let mut data = io::stdin().lock();
                    self.report(&sql, |shell| shell.copy_in(&sql, &mut data))
                } else {
                    let mut data = InlineData::new(source, input);
                    let flow = self.report(&sql, |shell| shell.copy_in(&sql, &mut data));
                    self.cancelled |= data.was_interrupted();
                    flow
                };
                if let Some(behind) = behind.filter(|behind| !behind.trim().is_empty()) {
                    input.put_back(behind.trim_end_matches('\n'));
                }
                flow
            }
            _ => self.report(&sql, |shell| shell.run_statement(&sql)),
        }
    }

    /// Whether the data of a COPY FROM STDIN is the program's standard input: an argument has no lines of data.
    pub(crate) fn data_is_program_input(&self, source: &dyn Source) -> bool {
        self.depth == 0 && source.is_argument()
    }

    /// Does something with the server, and says what went wrong.
    pub(crate) fn report(
        &mut self,
        sql: &str,
        work: impl FnOnce(&mut Shell) -> Result<(), Failure>,
    ) -> io::Result<Flow> {
        // Ctrl-C of before was for something else.
        self.interrupted.take();
        if !self.is_connected() && !self.reconnect() {
            return Ok(self.after_error());
        }
        let before = self.transaction();
        let began = Instant::now();
        let worked = work(self);
        self.note_end(sql, before);
        self.keep_encoding();
        let failure = match worked {
            Ok(()) => {
                if !sql.is_empty() {
                    self.tell_time(began.elapsed());
                }
                self.note_change(sql, before);
                return Ok(Flow::Next);
            }
            Err(failure) => failure,
        };
        let (error, interrupted) = match failure {
            Failure::Output(error) if self.manner.interactive => {
                if error.kind() != io::ErrorKind::BrokenPipe {
                    note(&format!("the result cannot be written: {error}"));
                }
                return Ok(self.after_error());
            }
            Failure::Output(error) => return Err(error),
            Failure::Database(error, interrupted) => (error, interrupted),
        };
        let text = report::error(&error, sql, before, interrupted, self.manner.error_style);
        say(&format!("{}{text}", self.place));
        self.tell_time(began.elapsed());
        self.failed = true;
        if interrupted && !self.manner.interactive {
            return Ok(Flow::Leave(INTERRUPTED));
        }
        self.cancelled |= interrupted;
        self.interrupted.take();
        if !self.is_connected() {
            if !self.manner.interactive {
                note("the script ends here: its session is lost");
                return Ok(Flow::Leave(1));
            }
            self.reconnect();
        }
        Ok(self.after_error())
    }

    /// What to do after an error that was told.
    pub(crate) fn after_error(&mut self) -> Flow {
        self.failed = true;
        if self.manner.interactive || self.manner.continues { Flow::Next } else { Flow::Leave(1) }
    }

    fn tell_time(&self, time: Duration) {
        if self.settings.timing {
            say(&format!("Time: {}", duration(time)));
        }
    }

    /// The transaction's state.
    pub(crate) fn transaction(&self) -> TransactionStatus {
        self.connection.as_ref().map(Connection::transaction).unwrap_or_default()
    }

    /// Whether a transaction is open, on a connection that is.
    pub(crate) fn is_in_transaction(&self) -> bool {
        self.is_connected() && self.transaction() != TransactionStatus::Idle
    }

    /// Takes note of a transaction's end. With AND CHAIN another one is open at once.
    fn note_end(&mut self, sql: &str, before: TransactionStatus) {
        if before == TransactionStatus::Idle {
            return;
        }
        let statements = kecoa_sql::split(sql.as_bytes(), false);
        let chains = statements.first().is_some_and(|statement| {
            statement.is_any(0, &["commit", "end", "rollback", "abort"])
                && (1..4).any(|index| statement.are(index, &["and", "chain"]))
        });
        self.leaves_transaction |= chains || self.transaction() == TransactionStatus::Idle;
    }

    /// Sets another `client_encoding` back: all text that comes and goes here is UTF-8, and would be taken for
    /// other text.
    fn keep_encoding(&mut self) {
        let Some(connection) = &mut self.connection else { return };
        let found = connection.client().parameter("client_encoding").unwrap_or("UTF8").to_owned();
        let usable =
            !connection.is_closed() && connection.transaction() != TransactionStatus::Failed;
        if ["UTF8", "UTF-8", "UNICODE"].iter().any(|name| found.eq_ignore_ascii_case(name))
            || !usable
        {
            return;
        }
        let found = escape::line(found.as_bytes()).into_owned();
        match connection.query("SET client_encoding = 'UTF8'") {
            Ok(_) => note(&format!(
                "client_encoding was {found}, and is UTF8 again: scripts and results are UTF-8 here; for a file in \
                 another encoding there is \\copy … WITH (ENCODING '…')",
            )),
            Err(_) => {
                self.failed = true;
                note(&format!(
                    "client_encoding is {found} and cannot be set back to UTF8: text beyond ASCII is not what it \
                     seems",
                ));
            }
        }
    }

    fn is_connected(&self) -> bool {
        self.connection.as_ref().is_some_and(|connection| !connection.is_closed())
    }

    /// Makes a lost connection anew. What ran is not run again.
    fn reconnect(&mut self) -> bool {
        let connected = match &mut self.connection {
            Some(connection) => connection.reconnect(),
            None => return false,
        };
        match connected {
            Ok(()) => {
                note(
                    "connected again; no statement was run again, and the settings and temporary tables of \
                     the old session are gone",
                );
                self.learn_place();
                true
            }
            Err(error) => {
                let text = escape::lines(error.to_string().as_bytes()).into_owned();
                note(&format!("cannot connect again: {text}; the next statement tries anew"));
                false
            }
        }
    }

    /// Takes note of what a statement changed: names, place, a COMMIT that was none.
    fn note_change(&mut self, sql: &str, before: TransactionStatus) {
        let statements = kecoa_sql::split(sql.as_bytes(), false);
        let Some(statement) = statements.first() else { return };
        if before == TransactionStatus::Failed && statement.is_any(0, &["commit", "end"]) {
            note("the transaction had failed: it was rolled back, and nothing of it is kept");
        }
        if !self.manner.interactive {
            return;
        }
        if statement.is(0, "use")
            || statement.is_any(0, &["set", "reset"])
                && statement.is_any(1, &["database", "role", "session", "local"])
        {
            self.learn_place();
        }
        if self.transaction() == TransactionStatus::Idle
            && (statement
                .is_any(0, &["create", "alter", "drop", "import", "restore", "use", "commit"])
                || statement.is(0, "set") && statement.is_any(1, &["search_path", "database"]))
        {
            let mut config = self.config.clone();
            if config.set("dbname", self.database.as_str()).is_ok() {
                self.names.refresh(&config);
            }
        }
    }

    /// Whether what statements did is told.
    pub(crate) fn tells_tags(&self) -> bool {
        let wanted = self.manner.interactive
            || self.settings.look.format.is_for_people() && !self.settings.look.tuples_only;
        wanted && !self.manner.quiet
    }

    /// Runs a statement that is no COPY … FROM STDIN.
    pub(crate) fn run_statement(&mut self, sql: &str) -> Result<(), Failure> {
        let copies = copy::direction(sql) == Some(Direction::Out);
        self.with_output(|shell, out, screen| {
            let Some(connection) = &mut shell.connection else { return Ok(None) };
            if copies {
                let mut safe = ForTerminal { out, on: screen.is_terminal };
                let rows = connection.copy_to_output(sql, &mut safe)?;
                return Ok(rows.filter(|_| shell.tells_tags()).map(|rows| format!("COPY {rows}")));
            }
            let tells = shell.tells_tags();
            let Some(connection) = &mut shell.connection else { return Ok(None) };
            let look = shell.settings.look.clone();
            let mut results = Results::new(out, look, screen, tells, shell.manner.error_style);
            connection.run(sql, &mut results)?;
            Ok(results.remark.filter(|_| shell.manner.terminal))
        })
    }

    /// Has something written where results go; what comes back is said when it is there.
    pub(crate) fn with_output(
        &mut self,
        work: impl FnOnce(&mut Shell, &mut dyn Write, Screen) -> Result<Option<String>, Failure>,
    ) -> Result<(), Failure> {
        let Manner { terminal, interactive, style, .. } = self.manner;
        let pages = interactive && self.settings.pager;
        let view = View { terminal, interactive, pages, style };
        let mut destination = std::mem::replace(&mut self.destination, Destination::Terminal);
        let done = destination.take(view, |out, screen| work(self, out, screen));
        self.destination = destination;
        if let Some(remark) = done? {
            note(&remark);
        }
        Ok(())
    }

    /// Runs a COPY … FROM STDIN with this data.
    pub(crate) fn copy_in(&mut self, sql: &str, data: &mut dyn io::Read) -> Result<(), Failure> {
        let Some(connection) = &mut self.connection else { return Ok(()) };
        let rows = connection.copy_in(sql, data)?;
        if let Some(rows) = rows
            && self.tells_tags()
        {
            let mut out = io::stdout().lock();
            writeln!(out, "COPY {rows}").map_err(Failure::Output)?;
        }
        Ok(())
    }
}

/// Where the last piece of the input stands, in front of what is said of it.
fn place(source: &dyn Source, input: &Input) -> String {
    let name = source.name().map(|name| escape::line(name.as_bytes()).into_owned());
    name.map_or_else(String::new, |name| format!("{name}:{}: ", input.line()))
}

/// A time as people read it.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 1.0 {
        format!("{:.1} ms", seconds * 1000.0)
    } else if seconds < 60.0 {
        format!("{seconds:.2} s")
    } else {
        let whole = time.as_secs();
        format!("{} min {:02} s", whole / 60, whole % 60)
    }
}
