//! Opening and closing, and what the other parts of the module ask of a connection.

use std::ffi::CString;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use kecoa::blocking::Client;
use kecoa::config::{Config, conninfo};
use kecoa_proto::TransactionStatus;
use pyo3::exceptions::PyUserWarning;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::link::Link;
use super::signals::Signals;
use super::state::{STATUS_READY, STATUS_SETUP};
use super::update::SessionUpdate;
use super::{Connection, Habits};
use crate::convert::codec::{Codec, clean_name};
use crate::convert::dump::Settings;
use crate::convert::parameters::Binding;
use crate::errors::error;
use crate::names;
use crate::sync::lock;

/// `180001` for "18.1", `90603` for "9.6.3", as `PQserverVersion`.
fn version_number(text: &str) -> i32 {
    let mut numbers = text.split(|c: char| c == '.' || c.is_ascii_whitespace()).map_while(|part| {
        let digits = part.chars().take_while(char::is_ascii_digit).collect::<String>();
        digits.parse::<i32>().ok().filter(|number| *number < 1000)
    });
    let major = numbers.next().unwrap_or(0);
    let minor = numbers.next().unwrap_or(0);
    if major >= 10 {
        return major * 10_000 + minor;
    }
    major * 10_000 + minor * 100 + numbers.next().unwrap_or(0)
}

/// The connection string with secrets as xxx, options in libpq's order.
pub(super) fn masked(config: &Config) -> String {
    conninfo::format(Config::names().filter_map(|name| {
        let value = config.get(name)?;
        Some((name, if Config::is_secret(name) { "xxx" } else { value }))
    }))
}

impl Link {
    /// Closes what is open.
    pub(super) fn shut(&mut self) {
        self.connecting = None;
        if self.buffered.is_some() && self.pid == std::process::id() {
            // Where statements commit by themselves they are there when the connection is not.
            let mut signals = Signals::default();
            self.settle_all(&mut signals);
        }
        self.lookahead = None;
        let pid = self.pid;
        if let Some(client) = self.client.take() {
            if pid == std::process::id() {
                drop(client);
            } else {
                std::mem::forget(client);
            }
        }
    }
}

impl Connection {
    /// Whether it was closed, here or by the server.
    pub(crate) fn is_closed(&self) -> bool {
        lock(&self.state).closed != 0
    }

    /// Whether it was opened and not closed.
    pub(crate) fn is_connected(&self) -> bool {
        let state = lock(&self.state);
        state.closed == 0 && state.status != STATUS_SETUP
    }

    /// InterfaceError when closed or never opened.
    pub(crate) fn check_open(&self, py: Python<'_>) -> PyResult<()> {
        let (closed, status) = {
            let state = lock(&self.state);
            (state.closed, state.status)
        };
        if closed == 0 && status != STATUS_SETUP {
            return Ok(());
        }
        Err(names::interface_error(py, "connection already closed"))
    }

    /// How literals are written on this connection.
    pub(crate) fn settings(&self) -> Settings {
        let state = lock(&self.state);
        Settings {
            codec: state.codec.clone(),
            standard_strings: state.standard_strings,
            connected: true,
        }
    }

    /// How its program takes results.
    pub(crate) fn habits(&self) -> &Arc<Habits> {
        &self.habits
    }

    /// How text is encoded.
    pub(crate) fn codec(&self) -> Arc<Codec> {
        lock(&self.state).codec.clone()
    }

    /// How text is encoded that came in the encoding which the server calls so; as now where it did
    /// not say.
    pub(crate) fn codec_of(&self, py: Python<'_>, encoding: Option<&str>) -> Arc<Codec> {
        let Some(encoding) = encoding else { return self.codec() };
        let known = |name: &str| {
            let state = lock(&self.state);
            (state.encoding == name).then(|| state.codec.clone())
        };
        known(encoding).unwrap_or_else(|| {
            let name = clean_name(encoding);
            known(&name).unwrap_or_else(|| Codec::in_force(py, &name).into())
        })
    }

    /// Which transaction this is; see `State::mark`.
    pub(crate) fn mark(&self) -> u64 {
        lock(&self.state).mark
    }

    /// How values get into statements unless a call says otherwise.
    pub(crate) fn binding(&self) -> Binding {
        lock(&self.state).binding
    }

    /// Whether statements commit by themselves.
    pub(crate) fn is_autocommit(&self) -> bool {
        lock(&self.state).autocommit
    }

    /// Whether the next statement commits by itself: in autocommit, outside of a transaction and of a
    /// block `with connection`.
    pub(crate) fn commits_by_itself(&self) -> bool {
        let state = lock(&self.state);
        state.autocommit && !state.entered && state.transaction == TransactionStatus::Idle
    }

    /// What the server says about the transaction.
    pub(crate) fn server_transaction(&self) -> TransactionStatus {
        lock(&self.state).transaction
    }

    /// How many COMMITs the server has answered.
    pub(crate) fn commits(&self) -> u64 {
        lock(&self.state).commits
    }

    /// The connection's own typecasters.
    pub(crate) fn string_types<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let found = lock(&self.objects).string_types.as_ref().map(|types| types.clone_ref(py));
        match found {
            Some(types) => Ok(types.into_bound(py)),
            None => Err(names::interface_error(py, "connection not initialised")),
        }
    }

    /// Whether the server is CockroachDB.
    pub(crate) fn is_cockroach(&self) -> bool {
        lock(&self.state).cockroach
    }

    /// psycopg2's number of the transaction's status.
    pub(crate) fn transaction_number(&self) -> i32 {
        let transaction = {
            let state = lock(&self.state);
            if state.closed != 0 || state.status == STATUS_SETUP {
                return 4;
            }
            state.transaction
        };
        if self.executing.load(Ordering::Relaxed) > 0 {
            return 1;
        }
        match transaction {
            TransactionStatus::Idle => 0,
            TransactionStatus::InTransaction => 2,
            TransactionStatus::Failed => 3,
        }
    }

    /// A setting that the server reports by itself. Waits for a running statement.
    pub(crate) fn server_parameter(&self, py: Python<'_>, name: &str) -> PyResult<Option<String>> {
        self.refuse_reentry(py)?;
        Ok(py.detach(|| {
            let link = lock(&self.link);
            link.client.as_ref()?.parameter(name).map(ToOwned::to_owned)
        }))
    }

    /// All options but secrets.
    pub(crate) fn dsn_parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let options = lock(&self.state).options.clone();
        let dict = PyDict::new(py);
        for (name, value) in options {
            dict.set_item(name, value)?;
        }
        Ok(dict)
    }

    pub(super) fn connect(slf: &Bound<'_, Connection>, dsn: &str) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        this.refuse_reentry(py)?;
        let config =
            Config::parse(dsn).map_err(|error| names::operational_error(py, error.to_string()))?;
        let has_password = config.pairs().any(|(name, _)| Config::is_secret(name));
        let shown = if has_password { masked(&config) } else { dsn.to_owned() };
        lock(&this.state).dsn.clone_from(&shown);
        if this.is_async() {
            return this.start_connecting(py, &config);
        }
        if let Some(callback) = this.green(py) {
            return Connection::connect_green(slf, &config, &callback);
        }
        let mut signals = Signals::default();
        let connected = py.detach(|| Client::connect_with(&config, &mut signals));
        let client = match connected {
            Ok(client) => client,
            Err(error) => {
                lock(&this.state).closed = 2;
                return Err(match signals.into_raised() {
                    Some(raised) => raised,
                    None => error::connect_exception(py, &error),
                });
            }
        };
        this.adopt(py, client, Some(&config))?;
        if !this.dates_are_iso(py)? {
            Connection::command(slf, "SET datestyle TO 'ISO'", false)?;
        }
        Ok(())
    }

    /// Takes over a client that has connected; `config` is where to, if it does not say so itself.
    pub(super) fn adopt(
        &self,
        py: Python<'_>,
        client: Client,
        config: Option<&Config>,
    ) -> PyResult<()> {
        let version = client.parameter("server_version").map_or(0, version_number);
        let resolved = client.config().or(config);
        let options = resolved
            .into_iter()
            .flat_map(Config::pairs)
            .filter(|(name, value)| !Config::is_secret(name) && !value.is_empty())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let password = resolved.and_then(Config::password).map(ToOwned::to_owned);
        let passed_over: Vec<CString> = resolved
            .into_iter()
            .flat_map(Config::notices)
            .filter_map(|notice| CString::new(notice).ok())
            .collect();
        {
            let mut state = lock(&self.state);
            state.closed = 0;
            state.status = STATUS_READY;
            state.options = options;
            state.target = client.target().cloned();
            state.password = password;
            state.server_version = version;
            state.cockroach = client.parameter("crdb_version").is_some();
            state.process_id = client.process_id().unwrap_or(0);
            state.descriptor = client.raw_fd();
            state.tls = client.tls_info();
            state.canceller = Some(client.canceller());
        }
        let update = py.detach(|| {
            let mut link = lock(&self.link);
            link.client = Some(client);
            link.lookahead = None;
            link.buffered = None;
            link.reports = None;
            link.pid = std::process::id();
            SessionUpdate::collect(&mut link, &self.state)
        });
        if let Some(update) = update {
            self.settle(py, update)?;
        }
        // libpq writes them to stderr, where warnings go unless a program wants them elsewhere.
        for notice in &passed_over {
            PyErr::warn(py, &py.get_type::<PyUserWarning>(), notice, callers_level(py))?;
        }
        Ok(())
    }

    pub(super) fn shut(&self, py: Python<'_>) {
        {
            let mut state = lock(&self.state);
            if state.closed == 1 {
                return;
            }
            state.closed = 1;
            state.descriptor = None;
            state.canceller = None;
        }
        if self.reentrancy.is_here() {
            // Whoever holds the link closes it when the statement is over.
            return;
        }
        self.end_work(py);
        py.detach(|| lock(&self.link).shut());
    }

    /// Asks the server to cancel what runs.
    pub(super) fn cancel_statement(&self, py: Python<'_>) -> PyResult<()> {
        self.check_open(py)?;
        self.refuse_connecting(py)?;
        self.refuse_prepared(py, "cancel")?;
        let canceller = lock(&self.state).canceller.clone();
        let Some(canceller) = canceller else { return Ok(()) };
        py.detach(|| canceller.cancel()).map_err(|error| self.raise(py, &error))
    }

    /// The error of this connection's client as an exception, without a cursor.
    pub(super) fn raise(&self, py: Python<'_>, error: &kecoa::Error) -> PyErr {
        error::plain_exception(py, error, &self.codec())
    }
}

/// The `stacklevel` of a warning that is to name the line which connects, not one of this package.
fn callers_level(py: Python<'_>) -> i32 {
    let own = |level: i32| -> PyResult<bool> {
        let frame = py.import("sys")?.call_method1("_getframe", (level - 1,))?;
        let name = frame.getattr("f_globals")?.get_item("__name__")?;
        let name = name.extract::<String>()?;
        Ok(name == "kecoa" || name.starts_with("kecoa."))
    };
    (1..32).find(|level| !own(*level).unwrap_or(false)).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::version_number;

    #[test]
    fn versions_are_numbers_as_libpq_makes_them() {
        for (text, number) in [
            ("18.1 (Debian 18.1-1)", 180_001),
            ("18beta2", 180_000),
            ("13.0.0", 130_000),
            ("9.6.3", 90_603),
            ("", 0),
        ] {
            assert_eq!(version_number(text), number, "{text}");
        }
    }
}
