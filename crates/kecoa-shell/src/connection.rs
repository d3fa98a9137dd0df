//! The connection: statements whose rows are handed on as they come, and Ctrl-C.

use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kecoa::blocking::Client;
use kecoa::proto::{
    CommandTag, Reply, Request, RowDescription, Rows, ServerError, TransactionStatus,
};
use kecoa::{Config, Error, Interrupt};

/// Set by Ctrl-C.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupted {
    /// Pressed, and not seen yet.
    pressed: Arc<AtomicBool>,
    /// Pressed, and seen by whoever waits for the server.
    seen: Arc<AtomicBool>,
}

impl Interrupted {
    /// Has SIGINT set it for the rest of the process's life.
    pub(crate) fn on_sigint() -> io::Result<Interrupted> {
        let flag = Interrupted::default();
        signal_hook::flag::register(signal_hook::consts::SIGINT, flag.pressed.clone())?;
        Ok(flag)
    }

    pub(crate) fn is_set(&self) -> bool {
        self.pressed.load(Ordering::Relaxed) || self.seen.load(Ordering::Relaxed)
    }

    fn set(&self) {
        self.pressed.store(true, Ordering::Relaxed);
    }

    /// Whether it was set; it is not any more.
    pub(crate) fn take(&self) -> bool {
        let seen = self.seen.swap(false, Ordering::Relaxed);
        self.pressed.swap(false, Ordering::Relaxed) || seen
    }
}

/// The first Ctrl-C has the server cancel what it does; one more does not wait for that.
impl Interrupt for Interrupted {
    fn check(&mut self) -> ControlFlow<()> {
        if self.pressed.swap(false, Ordering::Relaxed) {
            self.seen.store(true, Ordering::Relaxed);
        }
        if self.is_set() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn gives_up(&self) -> bool {
        self.seen.load(Ordering::Relaxed) && self.pressed.load(Ordering::Relaxed)
    }
}

/// Ctrl-C, or that what comes cannot be written any more.
struct Stop {
    interrupted: Interrupted,
    output: Interrupted,
}

impl Interrupt for Stop {
    fn check(&mut self) -> ControlFlow<()> {
        match (self.interrupted.check(), self.output.check()) {
            (ControlFlow::Continue(()), ControlFlow::Continue(())) => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        }
    }

    fn gives_up(&self) -> bool {
        self.interrupted.gives_up()
    }
}

/// Takes what a statement gives, as it comes.
pub(crate) trait Receiver {
    fn columns(&mut self, description: &RowDescription) -> io::Result<()>;
    fn rows(&mut self, rows: &Rows) -> io::Result<()>;
    fn complete(&mut self, tag: &CommandTag) -> io::Result<()>;
    fn notice(&mut self, notice: &ServerError);
}

/// Why a statement came to no good end.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The server, or the way to it. The flag: Ctrl-C was pressed.
    Database(Error, bool),
    /// What it gave could not be written.
    Output(io::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Database(error, false)
    }
}

/// Keeps the error that ended writing.
struct Output<'a> {
    sink: &'a mut dyn Write,
    failed: Option<io::Error>,
}

impl Output<'_> {
    fn keep<T>(&mut self, done: io::Result<T>) -> io::Result<T> {
        done.map_err(|error| {
            let kind = error.kind();
            if kind != io::ErrorKind::Interrupted {
                self.failed.get_or_insert(error);
            }
            kind.into()
        })
    }
}

impl Write for Output<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let done = self.sink.write(data);
        self.keep(done)
    }

    fn flush(&mut self) -> io::Result<()> {
        let done = self.sink.flush();
        self.keep(done)
    }
}

/// A connection of the shell.
#[derive(Debug)]
pub(crate) struct Connection {
    client: Client,
    interrupted: Interrupted,
}

impl Connection {
    pub(crate) fn open(config: &Config, interrupted: Interrupted) -> Result<Connection, Error> {
        let client = Client::connect_with(config, &mut interrupted.clone())?;
        Ok(Connection { client, interrupted })
    }

    pub(crate) fn reconnect(&mut self) -> Result<(), Error> {
        self.client.reconnect_with(&mut self.interrupted)
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    pub(crate) fn transaction(&self) -> TransactionStatus {
        self.client.transaction_status()
    }

    pub(crate) fn is_cockroach(&self) -> bool {
        self.client.crdb_version().is_some()
    }

    /// Name and version of the server.
    pub(crate) fn server_name(&self) -> String {
        match (self.client.crdb_version(), self.client.parameter("server_version")) {
            (Some(version), _) => version.to_owned(),
            (None, Some(version)) => format!("PostgreSQL {version}"),
            (None, None) => "a server that does not say its version".to_owned(),
        }
    }

    /// Takes what has come without being asked for.
    pub(crate) fn poll(&mut self, receiver: &mut dyn Receiver) {
        // A loss shows at the next statement.
        let _ = self.client.poll();
        for notice in self.client.take_notices() {
            receiver.notice(&notice);
        }
    }

    /// The notifications that have come.
    pub(crate) fn notifications(&mut self) -> Vec<kecoa::proto::Notification> {
        self.client.take_notifications()
    }

    /// Runs a statement in the simple protocol and hands its rows on. After an error the connection is
    /// usable, unless it [is closed](Connection::is_closed).
    pub(crate) fn run(&mut self, sql: &str, receiver: &mut dyn Receiver) -> Result<(), Failure> {
        let request = self.client.submit(&Request::Query(sql.as_bytes()))?;
        // What cannot be written any more ends the statement as Ctrl-C does.
        let stop = Interrupted::default();
        let mut hook = Stop { interrupted: self.interrupted.clone(), output: stop.clone() };
        let mut failed: Option<Error> = None;
        let mut output: Option<io::Error> = None;
        loop {
            let reply = self.client.next_reply(request, &mut hook);
            for notice in self.client.take_notices() {
                receiver.notice(&notice);
            }
            let stopped = output.is_some() || self.interrupted.is_set();
            let written = match reply.map_err(|error| self.failure(error))? {
                Reply::Ready(_) => break,
                Reply::Error(error) => {
                    failed.get_or_insert(Error::from_server(error));
                    Ok(())
                }
                Reply::CopyIn(_) => {
                    self.client
                        .copy_fail("expected a statement by itself, found COPY among others")?;
                    Ok(())
                }
                Reply::CopyBoth(_) => {
                    self.client.close();
                    let message = "expected a statement with an end, found replication: the connection \
                                   was closed";
                    return Err(Error::usage(message).into());
                }
                _ if stopped => Ok(()),
                Reply::RowDescription(description) => receiver.columns(&description),
                Reply::Rows(rows) => receiver.rows(&rows),
                Reply::CommandComplete(tag) => receiver.complete(&tag),
                _ => Ok(()),
            };
            if let Err(error) = written {
                output.get_or_insert(error);
                stop.set();
            }
        }
        match (output, failed) {
            (Some(error), _) => Err(Failure::Output(error)),
            (None, Some(error)) => Err(self.failure(error)),
            (None, None) => Ok(()),
        }
    }

    fn failure(&self, error: Error) -> Failure {
        Failure::Database(error, self.interrupted.is_set())
    }

    /// `COPY … FROM STDIN`.
    pub(crate) fn copy_in(
        &mut self,
        sql: &str,
        data: &mut dyn Read,
    ) -> Result<Option<u64>, Failure> {
        let copied = self.client.copy_in(sql, data, &mut self.interrupted);
        copied.map_err(|error| self.failure(error))
    }

    /// `COPY … TO STDOUT`.
    pub(crate) fn copy_out(
        &mut self,
        sql: &str,
        sink: &mut dyn Write,
    ) -> Result<Option<u64>, Failure> {
        let copied = self.client.copy_out(sql, sink, &mut self.interrupted);
        copied.map_err(|error| self.failure(error))
    }

    /// [`copy_out`](Connection::copy_out) to where results go, whose errors are no errors of the statement: the reader
    /// of a pipe may leave.
    pub(crate) fn copy_to_output(
        &mut self,
        sql: &str,
        sink: &mut dyn Write,
    ) -> Result<Option<u64>, Failure> {
        let mut output = Output { sink, failed: None };
        let copied = self.copy_out(sql, &mut output);
        match output.failed {
            Some(error) => Err(Failure::Output(error)),
            None => copied,
        }
    }

    /// The rows of a query, as text; for what the shell itself asks.
    pub(crate) fn query(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, Failure> {
        let sets = self.client.run(&Request::Query(sql.as_bytes()), &mut self.interrupted);
        let sets = sets.map_err(|error| self.failure(error))?;
        let text =
            |value: Option<&[u8]>| value.map(|value| String::from_utf8_lossy(value).into_owned());
        Ok(sets
            .iter()
            .flat_map(|set| &set.rows)
            .flat_map(Rows::iter)
            .map(|row| row.fields().map(text).collect())
            .collect())
    }
}
