//! One client and its PostgreSQL session.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::mem;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use kecoa_proto::frame::Frame;
use kecoa_proto::{CancelKey, ProtocolVersion};
use tokio::sync::watch;

use super::backend::{self, Backend, Opened};
use super::extended::{Expect, Prepared};
use super::replies::{Fields, row, string};
use super::socket::{Reader, Writer};
use super::startup::unavailable;
use super::stream::{HIGH_WATER, Stream, put};
use super::{Shared, cancel};
use crate::dialect::catalog::{Catalog, Context};
use crate::dialect::edit::Sql;
use crate::dialect::plan::{Analysis, Class, OnError, Piece};
use crate::dialect::statement::Statement;
use crate::dialect::transaction::{Phase, Transaction};
use crate::dialect::{self, quote::quote};

/// The stream to the client.
pub(super) type Client = Stream<Reader, Writer>;

/// Why a session is over.
#[derive(Debug)]
pub(super) enum End {
    /// The client left, or its socket failed.
    Client,
    /// PostgreSQL closed the session, or its socket failed.
    Backend,
    /// PostgreSQL closed the session and said why, which the client has been told.
    Told,
    /// The client does not follow the protocol.
    Protocol(String),
    /// The endpoint stops.
    Shutdown,
}

/// The result of whatever can end the session.
pub(super) type Flow<T> = Result<T, End>;

/// One client and its PostgreSQL session.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) client: Client,
    pub(super) backend: Backend,
    pub(super) shared: Arc<Shared>,
    stopped: watch::Receiver<bool>,
    version: ProtocolVersion,
    /// The database the session is in.
    pub(super) database: String,
    /// What the client said at startup, for another backend to be told.
    parameters: Vec<(Bytes, Bytes)>,
    /// The key the client was given.
    key: Option<CancelKey>,
    backend_key: Option<CancelKey>,
    pub(super) transaction: Transaction,
    /// What the statement at hand was told of the database.
    pub(super) catalog: Catalog,
    /// Moves whenever something ran after which names may mean other tables, or tables may have
    /// other columns: see [`ran`](Self::ran).
    pub(super) moment: u64,
    /// The moment up to which PostgreSQL has reported the session's settings.
    pub(super) settled: u64,
    /// `standard_conforming_strings` is off.
    pub(super) backslash_escapes: bool,
    /// `client_encoding` is one in which the lexer cannot tell characters apart.
    pub(super) foreign_encoding: bool,
    pub(super) statements: HashMap<Bytes, Arc<Prepared>>,
    pub(super) portals: HashMap<Bytes, Arc<Prepared>>,
    /// What PostgreSQL has yet to answer, in the extended protocol.
    pub(super) expected: VecDeque<Expect>,
    /// An error came: the client's messages are skipped up to its Sync.
    pub(super) skipping: bool,
    /// Messages of the extended protocol went out since the last Sync.
    pub(super) unsynced: bool,
    /// The failed `RELEASE` whose transaction must be made anew.
    pub(super) release_failed: bool,
    /// The status of the last ReadyForQuery that a Sync was answered with.
    pub(super) synced: Option<u8>,
    /// PostgreSQL owes an answer.
    waiting: bool,
    /// A backend message that was read too early.
    pub(super) peeked: Option<Frame>,
    /// Rows of a query the client does not see.
    pub(super) collected: Vec<Vec<Option<String>>>,
}

impl Session {
    pub(super) fn new(
        client: Client,
        backend: Backend,
        shared: Arc<Shared>,
        stopped: watch::Receiver<bool>,
        version: ProtocolVersion,
        database: String,
        parameters: Vec<(Bytes, Bytes)>,
    ) -> Self {
        Self {
            client,
            backend,
            shared,
            stopped,
            version,
            database,
            parameters,
            key: None,
            backend_key: None,
            transaction: Transaction::default(),
            catalog: Catalog::default(),
            moment: 0,
            settled: 0,
            backslash_escapes: false,
            foreign_encoding: false,
            statements: HashMap::new(),
            portals: HashMap::new(),
            expected: VecDeque::new(),
            skipping: false,
            unsynced: false,
            release_failed: false,
            synced: None,
            waiting: false,
            peeked: None,
            collected: Vec::new(),
        }
    }

    /// Gives the client its first backend's key.
    pub(super) fn adopt_key(&mut self, key: Option<CancelKey>) {
        let Some(key) = key else { return };
        let mut body = key.process_id.to_be_bytes().to_vec();
        body.extend_from_slice(&key.secret);
        put(&mut self.client.output, b'K', &body);
        self.shared.keys.set(&key, key.clone());
        self.key = Some(key.clone());
        self.backend_key = Some(key);
    }

    /// Serves the client until either side leaves.
    pub(super) async fn run(mut self) {
        let end = match self.serve().await {
            Ok(()) => End::Client,
            Err(end) => end,
        };
        if let Some(key) = &self.key {
            self.shared.keys.remove(key);
        }
        let own = |code, message: &str| Some(Fields::own("FATAL", code, message));
        let error = match &end {
            End::Client => {
                if let Some(key) = self.backend_key.take().filter(|_| self.waiting) {
                    // Nobody waits for what the backend is doing.
                    let socket = backend::socket(&self.shared.options.backend);
                    let _ = cancel::send(&socket, key).await;
                }
                None
            }
            End::Told => None,
            End::Backend => own("57P01", "the local endpoint lost its PostgreSQL server"),
            End::Protocol(message) => own("08P01", message),
            End::Shutdown => own("57P01", "server is shutting down"),
        };
        if let Some(error) = error {
            error.put(b'E', &mut self.client.output);
        }
        if !matches!(end, End::Client) {
            let _ = self.client.flush().await;
        }
    }

    async fn serve(&mut self) -> Flow<()> {
        loop {
            let frame = self.client_frame().await?;
            match frame.tag {
                b'Q' => self.query(&frame.body).await?,
                b'P' | b'B' | b'D' | b'E' | b'C' | b'H' | b'S' => self.extended(frame).await?,
                b'F' => self.function_call(&frame).await?,
                b'X' => return Ok(()),
                // What is left of a COPY that failed.
                b'd' | b'c' | b'f' => {}
                other => {
                    let message = format!("invalid frontend message type {other}");
                    return Err(End::Protocol(message));
                }
            }
        }
    }

    /// The next message of an idle client; what PostgreSQL says unasked is passed on meanwhile.
    async fn client_frame(&mut self) -> Flow<Frame> {
        loop {
            if let Some(frame) = self.client.frame().map_err(protocol)? {
                return Ok(frame);
            }
            if !self.expected.is_empty() {
                // Unsynced messages are out: PostgreSQL may hold replies back, or wait.
                self.client.flush().await.map_err(|_| End::Client)?;
            }
            tokio::select! {
                read = self.client.exchange() => read.map_err(|_| End::Client)?,
                read = self.backend.read() => {
                    if read.is_err() {
                        return Err(End::Backend);
                    }
                    self.unasked()?;
                }
                _ = self.stopped.changed() => return Err(End::Shutdown),
            }
        }
    }

    /// Passes on what PostgreSQL says while nothing is asked of it.
    fn unasked(&mut self) -> Flow<()> {
        while self.expected.is_empty() {
            let Some(frame) = self.backend.frame().map_err(|_| End::Backend)? else { break };
            self.tell(&frame);
            if frame.tag == b'E' {
                return Err(End::Told); // nobody asked: it is the session's end
            }
        }
        Ok(())
    }

    /// The next message of PostgreSQL. Meanwhile output is written, and the client is listened to:
    /// one that left must not keep its transaction open.
    pub(super) async fn backend_frame(&mut self) -> Flow<Frame> {
        loop {
            if let Some(frame) = self.peeked.take() {
                return Ok(frame);
            }
            if let Some(frame) = self.backend.frame().map_err(|_| End::Backend)? {
                if self.client.output.len() > HIGH_WATER {
                    self.client.flush().await.map_err(|_| End::Client)?;
                }
                self.waiting = false;
                return Ok(frame);
            }
            self.waiting = true;
            let listen = self.client.input.len() < HIGH_WATER;
            tokio::select! {
                done = self.backend.exchange() => done.map_err(|_| End::Backend)?,
                done = self.client.pass(listen) => done.map_err(|_| End::Client)?,
                _ = self.stopped.changed() => return Err(End::Shutdown),
            }
        }
    }

    /// Passes on a message that any time may bring: a notice, a notification, a parameter, and
    /// whatever else there is no rule for.
    pub(super) fn tell(&mut self, frame: &Frame) {
        if frame.tag == b'S'
            && let Some((name, rest)) = string(&frame.body)
            && let Some((value, _)) = string(&rest)
        {
            match name.as_ref() {
                b"standard_conforming_strings" => self.backslash_escapes = value == "off",
                b"client_encoding" => {
                    let value = String::from_utf8_lossy(&value);
                    self.foreign_encoding = !dialect::variables::is_utf8(&value);
                }
                b"server_version" => {
                    let known = dialect::variables::find("server_version");
                    return self.parameter("server_version", known.map_or("", |(v, _)| v));
                }
                _ => {}
            }
        }
        self.client.put(frame);
    }

    /// Passes on a row, and those that have arrived behind it.
    pub(super) fn rows(&mut self, first: &Frame) {
        self.client.put(first);
        self.backend.take_rows(&mut self.client.output);
    }

    /// Reports a parameter of the endpoint's own.
    pub(super) fn parameter(&mut self, name: &str, value: &str) {
        let body = [name.as_bytes(), &[0], value.as_bytes(), &[0]].concat();
        put(&mut self.client.output, b'S', &body);
    }

    /// Takes note of a ReadyForQuery, and passes it on if the client waits for it.
    pub(super) fn ready(&mut self, status: u8, visible: bool) {
        let status = self.transaction.ready(status);
        if status == b'I' {
            self.portals.clear();
        }
        self.ran();
        self.settled = self.moment;
        if visible {
            put(&mut self.client.output, b'Z', &[status]);
        }
    }

    /// Takes note of what PostgreSQL's own tag says of the session.
    pub(super) fn noticed_tag(&mut self, tag: &[u8]) {
        if matches!(tag, b"DEALLOCATE ALL" | b"DISCARD ALL") {
            self.statements.clear();
        }
    }

    /// Takes note of a statement that completed.
    pub(super) fn completed(&mut self, class: Option<Class>, after: Option<Transaction>) {
        match after {
            Some(after) => self.transaction = after,
            None => self.transaction.worked(class),
        }
    }

    /// Takes note that something ran which may have changed what names mean: anything that is sent,
    /// other than more of the same UPSERT in the same pipeline. No list of statements would do: any
    /// function, default or trigger may set the search path, and another session may have
    /// changed the table meanwhile.
    pub(super) fn ran(&mut self) {
        self.moment = self.moment.wrapping_add(1);
    }

    /// Passes an error on, in the client's terms.
    pub(super) fn error(
        &mut self,
        frame: &Frame,
        on_error: OnError,
        source: Option<(&Sql, &[u8])>,
    ) -> Flow<()> {
        let mut error = Fields::read(&frame.body);
        error.translate(on_error, source);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        self.transaction.failed(error.code(), on_error, now);
        self.release_failed |= on_error == OnError::Release;
        error.put(b'E', &mut self.client.output);
        match error.get(b'V') {
            Some(b"FATAL" | b"PANIC") => Err(End::Told),
            _ => Ok(()),
        }
    }

    /// An error that PostgreSQL knows nothing of.
    pub(super) fn own_error(&mut self, mut error: Fields) {
        error.set(b'S', "ERROR");
        error.set(b'V', "ERROR");
        error.put(b'E', &mut self.client.output);
    }

    /// Understands a statement, asking PostgreSQL what must be known first.
    pub(super) async fn analyse(&mut self, statement: &Statement<'_>) -> Flow<Analysis> {
        self.catalog.clear();
        // Each look-up answers one need, and a statement has few names; a bound holds it all the
        // same.
        for _ in 0..256 {
            let context = Context {
                database: &self.database,
                catalog: &self.catalog,
                backslash_escapes: self.backslash_escapes,
            };
            let need = match dialect::analyse(statement, &context) {
                Ok(analysis) => return Ok(analysis),
                Err(need) => need,
            };
            if self.skipping || self.transaction.phase == Phase::Failed {
                break; // PostgreSQL refuses any statement now, whatever it is
            }
            match self.lookup(&need.sql()).await? {
                Some(rows) => self.catalog.answer(need, &rows),
                None => break,
            }
        }
        Ok(Analysis::piece(Class::Work, Piece::forward(Sql::made("SELECT 1"))))
    }

    /// Runs a query for the endpoint itself; nothing may be in flight. The error is PostgreSQL's.
    pub(super) async fn hidden(
        &mut self,
        sql: &str,
    ) -> Flow<Result<Vec<Vec<Option<String>>>, Fields>> {
        backend::put_query(sql.as_bytes(), &mut self.backend.output);
        let mut rows = Vec::new();
        let mut error = None;
        loop {
            let frame = self.backend_frame().await?;
            match frame.tag {
                b'D' => rows.push(row(&frame.body)),
                b'E' => error = Some(Fields::read(&frame.body)),
                b'Z' => return Ok(error.map_or(Ok(rows), Err)),
                b'A' | b'S' => self.tell(&frame),
                _ => {}
            }
        }
    }

    /// Gives back to a client whose `RELEASE` failed the failed transaction it must see; returns
    /// the status byte.
    pub(super) async fn repair_release(&mut self, status: u8) -> Flow<u8> {
        if !mem::take(&mut self.release_failed) || status != b'I' {
            return Ok(status);
        }
        for sql in self.transaction.after_failed_release() {
            // The last of them fails, as it shall.
            let _ = self.hidden(&sql).await?;
        }
        Ok(b'E')
    }

    /// Moves the session to another database: a new backend with the old one's settings.
    pub(super) async fn use_database(&mut self, name: Option<String>) -> Flow<Result<(), Fields>> {
        let name = name.unwrap_or_else(|| self.shared.options.database.clone());
        if name == self.database {
            return Ok(Ok(()));
        }
        let settings = "SELECT name, pg_catalog.current_setting(name) FROM pg_catalog.pg_settings \
                        WHERE source = 'session' AND name !~ '^transaction_'";
        let settings = match self.hidden(settings).await? {
            Ok(settings) => settings,
            Err(error) => return Ok(Err(error)),
        };
        let address = &self.shared.options.backend;
        let opened = backend::open(address, self.version, name.as_bytes(), &self.parameters).await;
        let Opened { backend, frames, key } = match opened {
            Ok(opened) => opened,
            Err(refused) => return Ok(Err(unavailable(refused))),
        };
        self.backend = backend;
        for frame in &frames {
            if frame.tag == b'S' {
                self.tell(frame);
            }
        }
        for setting in settings {
            if let [Some(name), Some(value)] = setting.as_slice() {
                let sql = format!(
                    "SELECT pg_catalog.set_config({}, {}, false)",
                    quote(name),
                    quote(value)
                );
                let _ = self.hidden(&sql).await?;
            }
        }
        if let (Some(client), Some(key)) = (&self.key, key) {
            self.shared.keys.set(client, key.clone());
            self.backend_key = Some(key);
        }
        self.database = name;
        self.ran();
        self.statements.clear();
        self.portals.clear();
        Ok(Ok(()))
    }

    async fn function_call(&mut self, frame: &Frame) -> Flow<()> {
        self.drain().await?;
        if self.skipping {
            return Ok(());
        }
        self.backend.put(frame);
        self.ran();
        loop {
            let frame = self.backend_frame().await?;
            match frame.tag {
                b'E' => self.error(&frame, OnError::Fail, None)?,
                b'Z' => {
                    self.unsynced = false;
                    self.ready(frame.body.first().copied().unwrap_or(b'I'), true);
                    return self.client.flush().await.map_err(|_| End::Client);
                }
                _ => self.tell(&frame),
            }
        }
    }

    /// Passes the client's data on until it is complete or PostgreSQL has an error, which is kept
    /// for the next [`backend_frame`](Self::backend_frame).
    pub(super) async fn copy_in(&mut self) -> Flow<()> {
        self.client.flush().await.map_err(|_| End::Client)?;
        loop {
            while let Some(frame) = self.client.frame().map_err(protocol)? {
                match frame.tag {
                    b'H' | b'S' => continue, // PostgreSQL ignores them here
                    b'X' => return Err(End::Client),
                    _ => self.backend.put(&frame),
                }
                if frame.tag != b'd' {
                    return Ok(());
                }
                if self.backend.output.len() > HIGH_WATER {
                    break;
                }
            }
            while let Some(frame) = self.backend.frame().map_err(|_| End::Backend)? {
                if matches!(frame.tag, b'N' | b'A' | b'S') {
                    self.tell(&frame);
                } else {
                    self.peeked = Some(frame);
                    return Ok(());
                }
            }
            let read = self.backend.output.len() <= HIGH_WATER;
            tokio::select! {
                done = self.backend.exchange() => done.map_err(|_| End::Backend)?,
                done = self.client.pass(read) => done.map_err(|_| End::Client)?,
                _ = self.stopped.changed() => return Err(End::Shutdown),
            }
        }
    }
}

fn protocol(error: io::Error) -> End {
    End::Protocol(error.to_string())
}
