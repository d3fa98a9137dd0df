//! One client and its PostgreSQL session.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use kecoa_proto::frame::Frame;
use kecoa_proto::{CancelKey, ProtocolVersion};
use kecoa_server::accept::Shutdown;

use super::backend::Backend;
use super::column_names::ColumnNames;
use super::expect::{Expect, Prepared};
use super::flow::{End, Flow};
use super::look::{Looks, Turn};
use super::messages::{Client, put, put_frame, take_rows};
use super::origin::Origin;
use super::phrases::rephrase;
use super::replies::{Fields, put_tag, string, tag};
use super::request::Rerun;
use super::run::Run;
use super::seats::Seat;
use super::shared::Shared;
use super::texts::Text;
use super::wording::reword;
use crate::dialect::catalog::Catalog;
use crate::dialect::plan::{Class, OnError};
use crate::dialect::transaction::Transaction;
use crate::dialect::variables;

/// One client and its PostgreSQL session.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) client: Client,
    pub(super) backend: Backend,
    pub(super) shared: Arc<Shared>,
    pub(super) shutdown: Shutdown,
    /// Others may have it once this is dropped.
    pub(super) _seat: Seat,
    pub(super) version: ProtocolVersion,
    /// The role the client is.
    pub(super) user: String,
    /// It may act as another by now: see [`note_role`](Self::note_role).
    pub(super) acts_as_another: bool,
    /// The database the session is in.
    pub(super) database: String,
    /// The client's startup parameters, for another backend.
    pub(super) parameters: Vec<(Bytes, Bytes)>,
    /// The key the client was given.
    pub(super) key: Option<CancelKey>,
    pub(super) backend_key: Option<CancelKey>,
    /// What the client said last, for all to see.
    pub(super) text: Arc<Text>,
    pub(super) transaction: Transaction,
    /// What is known of the database for the statement at hand.
    pub(super) catalog: Catalog,
    /// Moves whenever something ran after which names may mean other tables, or tables may have
    /// other columns: see [`ran`](Self::ran).
    pub(super) moment: u64,
    /// The moment up to which PostgreSQL has reported the session's settings.
    pub(super) settled: u64,
    /// `standard_conforming_strings` is off.
    pub(super) backslash_escapes: bool,
    /// `client_encoding` is one in which the lexer cannot tell characters apart.
    pub(super) unreadable_encoding: bool,
    pub(super) statements: HashMap<Bytes, Arc<Prepared>>,
    pub(super) portals: HashMap<Bytes, Arc<Prepared>>,
    /// What PostgreSQL has yet to answer, in the extended protocol.
    pub(super) expected: VecDeque<Expect>,
    /// An error came: the client's messages are skipped up to its Sync.
    pub(super) skipping: bool,
    /// Messages of the extended protocol went out since the last Sync.
    pub(super) unsynced: bool,
    /// What was asked changes how the next statement is understood.
    pub(super) unsettled: bool,
    /// The failed `RELEASE` whose transaction must be made anew.
    pub(super) release_failed: bool,
    /// The status of the last ReadyForQuery that a Sync was answered with.
    pub(super) synced: Option<u8>,
    /// What the last Sync was to commit failed then.
    pub(super) commit_failed: bool,
    /// PostgreSQL owes an answer.
    pub(super) waiting: bool,
    /// A backend message that was read too early.
    pub(super) peeked: Option<Frame>,
    /// What the request at hand would need to be run again.
    pub(super) rerun: Rerun,
    /// What is wrong with the message for which a COPY was ended.
    pub(super) stray: Option<String>,
    /// When to look for what the client says next, and PostgreSQL.
    pub(super) client_looks: Looks,
    pub(super) backend_looks: Looks,
    pub(super) turn: Turn,
    /// The names that the client gave to columns, where PostgreSQL has others.
    pub(super) column_names: ColumnNames,
    /// Rows of a query the client does not see.
    pub(super) collected: Vec<Vec<Option<String>>>,
}

/// The parameters that CockroachDB reports, in its order.
pub(super) const REPORTED: [&[u8]; 12] = [
    b"server_version",
    b"server_encoding",
    b"client_encoding",
    b"application_name",
    b"DateStyle",
    b"IntervalStyle",
    b"is_superuser",
    b"TimeZone",
    b"integer_datetimes",
    b"standard_conforming_strings",
    b"crdb_version",
    b"session_authorization",
];

/// What CockroachDB says of a message that does not belong where it comes.
pub(super) fn unrecognized(tag: u8) -> String {
    let name = match tag {
        b'B' => "Bind",
        b'C' => "Close",
        b'D' => "Describe",
        b'E' => "Execute",
        b'P' => "Parse",
        b'Q' => "SimpleQuery",
        b'p' => "Password",
        other => return format!("unrecognized client message type ClientMessageType({other})"),
    };
    format!("unrecognized client message type ClientMsg{name}")
}

/// As whom a session was opened, and where.
pub(super) struct Entry {
    pub(super) user: String,
    pub(super) database: String,
    /// What the client asked for beside them.
    pub(super) parameters: Vec<(Bytes, Bytes)>,
    pub(super) seat: Seat,
}

impl Session {
    pub(super) fn new(
        client: Client,
        backend: Backend,
        shared: Arc<Shared>,
        shutdown: Shutdown,
        version: ProtocolVersion,
        entry: Entry,
    ) -> Self {
        let Entry { user, database, parameters, seat } = entry;
        Self {
            client,
            backend,
            shared,
            shutdown,
            _seat: seat,
            version,
            user,
            database,
            parameters,
            key: None,
            backend_key: None,
            text: Arc::default(),
            transaction: Transaction::default(),
            catalog: Catalog::default(),
            moment: 0,
            settled: 0,
            backslash_escapes: false,
            unreadable_encoding: false,
            statements: HashMap::new(),
            portals: HashMap::new(),
            expected: VecDeque::new(),
            skipping: false,
            unsynced: false,
            unsettled: false,
            release_failed: false,
            synced: None,
            commit_failed: false,
            waiting: false,
            peeked: None,
            rerun: Rerun::default(),
            stray: None,
            client_looks: Looks::default(),
            backend_looks: Looks::default(),
            turn: Turn::default(),
            column_names: ColumnNames::default(),
            acts_as_another: false,
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
        self.serve_by(key);
    }

    /// Notes which process of PostgreSQL serves the client from now on.
    pub(super) fn serve_by(&mut self, key: CancelKey) {
        self.leave_process();
        self.text = self.shared.texts.enter(key.process_id, &self.user);
        self.backend_key = Some(key);
    }

    /// Forgets what the client said last.
    pub(super) fn leave_process(&self) {
        if let Some(key) = &self.backend_key {
            self.shared.texts.leave(key.process_id);
        }
    }

    /// Passes on a message that any time may bring: a notice, a notification, a parameter, and
    /// whatever else there is no rule for.
    pub(super) fn forward(&mut self, frame: &Frame) {
        if frame.tag == b'S'
            && let Some((name, rest)) = string(&frame.body)
            && let Some((value, _)) = string(&rest)
        {
            match name.as_ref() {
                b"standard_conforming_strings" => self.backslash_escapes = value == "off",
                b"client_encoding" => {
                    let value = String::from_utf8_lossy(&value);
                    self.unreadable_encoding = !variables::is_utf8(&value);
                }
                b"server_version" => {
                    let known = variables::find("server_version");
                    return self.parameter("server_version", known.map_or("", |(v, _)| v));
                }
                // Of the superuser, which no client is; CockroachDB's is said at the start.
                b"is_superuser" => return,
                name if !REPORTED.contains(&name) => return,
                _ => {}
            }
        }
        put_frame(&mut self.client.output, frame);
    }

    /// Passes on a row, and those that have arrived behind it.
    pub(super) fn rows(&mut self, first: &Frame) {
        put_frame(&mut self.client.output, first);
        take_rows(&mut self.backend.input, &mut self.client.output);
    }

    /// Reports the parameters with which a session begins, and passes on what else it was told.
    pub(super) fn report(&mut self, frames: &[Frame], is_admin: bool) {
        let (found, others): (Vec<&Frame>, Vec<&Frame>) =
            frames.iter().partition(|frame| frame.tag == b'S');
        for name in REPORTED {
            match name {
                b"crdb_version" => {
                    let known = variables::find("crdb_version");
                    self.parameter("crdb_version", known.map_or("", |(value, _)| value));
                }
                b"is_superuser" => {
                    self.parameter("is_superuser", if is_admin { "on" } else { "off" });
                }
                _ => {
                    let is_named = |body: &[u8]| {
                        body.strip_prefix(name).is_some_and(|rest| rest.first() == Some(&0))
                    };
                    if let Some(frame) = found.iter().find(|frame| is_named(&frame.body)) {
                        self.forward(frame);
                    }
                }
            }
        }
        for frame in others {
            self.forward(frame);
        }
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
        match tag {
            b"DEALLOCATE ALL" | b"DISCARD ALL" => self.statements.clear(),
            b"COMMIT" => self.rerun.holding = false, // it would be done twice
            _ => {}
        }
    }

    /// Takes note of a statement that completed.
    pub(super) fn completed(&mut self, class: Option<Class>, after: Option<Transaction>) {
        match after {
            Some(after) => self.transaction = after,
            None => self.transaction.worked(class),
        }
    }

    /// A CommandComplete: the client's tag for it, and what it means for the session.
    pub(super) fn complete(&mut self, run: Run, frame: &Frame) {
        let found = frame.body.strip_suffix(b"\0").unwrap_or(&frame.body);
        self.noticed_tag(found);
        if let Some(message) = &run.notice {
            Fields::own("NOTICE", "00000", message).put(b'N', &mut self.client.output);
        }
        self.reports_first();
        if let Some(tag) = tag(&run.reply, found) {
            put_tag(&tag, &mut self.client.output);
        }
        self.completed(run.class, run.after);
    }

    /// Passes on the parameters that have changed, which PostgreSQL reports behind the tag, and
    /// CockroachDB before it.
    fn reports_first(&mut self) {
        while self.backend.input.first() == Some(&b'S')
            && let Ok(Some(frame)) = self.backend.message()
        {
            self.forward(&frame);
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
    pub(super) async fn error(
        &mut self,
        frame: &Frame,
        on_error: OnError,
        origin: Option<&Origin<'_>>,
    ) -> Flow<()> {
        let mut error = Fields::read(&frame.body);
        let place = error.translate(on_error, origin);
        if !matches!(on_error, OnError::Raised | OnError::Injected) {
            reword(&mut error, origin, place);
            rephrase(&mut error);
        }
        if let Some(stray) = self.stray.take().filter(|_| error.code() == "57014") {
            error.set(b'C', "08P01");
            error.set(b'M', &stray);
        }
        self.reword_check(&mut error).await;
        if !matches!(on_error, OnError::Raised | OnError::Injected) {
            self.reword_whose(&mut error, origin).await;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        self.transaction.failed(error.code(), on_error, now);
        let own_column = place.is_none()
            && origin.is_some_and(|o| memchr::memmem::find(&o.sql.text, b"= excluded.").is_some());
        self.failed_request(error.code(), on_error, own_column);
        self.release_failed |= on_error == OnError::Release;
        error.put(b'E', &mut self.client.output);
        match error.get(b'V') {
            Some(b"FATAL" | b"PANIC") => Err(End::Reported),
            _ => Ok(()),
        }
    }

    /// An error that PostgreSQL knows nothing of.
    pub(super) fn own_error(&mut self, mut error: Fields) {
        error.set(b'S', "ERROR");
        error.set(b'V', "ERROR");
        error.put(b'E', &mut self.client.output);
    }
}
