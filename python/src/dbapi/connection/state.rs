//! What a connection knows of itself.

use std::sync::Arc;

use kecoa::Canceller;
use kecoa::config::Target;
use kecoa_proto::TransactionStatus;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyWeakrefReference};

use crate::convert::codec::Codec;
use crate::convert::parameters::Binding;

/// `STATUS_SETUP`: made, not connected.
pub(crate) const STATUS_SETUP: i32 = 0;
/// `STATUS_READY`: no transaction begun.
pub(crate) const STATUS_READY: i32 = 1;
/// `STATUS_BEGIN`: a transaction begun by the driver.
pub(crate) const STATUS_BEGIN: i32 = 2;
/// `STATUS_PREPARED`: a two-phase transaction prepared.
pub(crate) const STATUS_PREPARED: i32 = 5;

/// What Python asks about without waiting for a running statement. Locked for moments only, never
/// across a call into Python.
#[derive(Default)]
pub(crate) struct State {
    /// 0 open, 1 closed, 2 broken.
    pub(super) closed: i32,
    pub(super) status: i32,
    pub(super) asynchronous: bool,
    /// A request is under way that is polled.
    pub(super) busy: bool,
    pub(super) autocommit: bool,
    pub(super) binding: Binding,
    /// How long a statement may take.
    pub(super) statement_timeout: Option<std::time::Duration>,
    pub(super) isolation: Option<u8>,
    pub(super) readonly: Option<bool>,
    pub(super) deferrable: Option<bool>,
    /// Inside `with connection`.
    pub(super) entered: bool,
    /// Counts transactions, so that named cursors know when theirs is over.
    pub(super) mark: u64,
    pub(super) transaction: TransactionStatus,
    /// How many COMMITs the server has confirmed.
    pub(super) commits: u64,
    /// How many statements have changed the session.
    pub(super) session_changes: u64,
    pub(super) codec: Arc<Codec>,
    pub(super) encoding: String,
    /// Which of the encodings that the session has had this one is.
    pub(super) encodings: u64,
    pub(super) standard_strings: bool,
    /// The server says that it is CockroachDB.
    pub(super) cockroach: bool,
    pub(super) dsn: String,
    pub(super) options: Vec<(String, String)>,
    /// The place that was connected to: one of those that the options name.
    pub(super) target: Option<Target>,
    pub(super) password: Option<String>,
    pub(super) server_version: i32,
    pub(super) process_id: i32,
    pub(super) descriptor: Option<i32>,
    pub(super) tls: Option<(&'static str, &'static str)>,
    /// What the last statement's error said, for `info.error_message`.
    pub(super) last_error: Option<String>,
    pub(super) canceller: Option<Canceller>,
}

/// Python objects that belong to the connection.
#[derive(Default)]
pub(super) struct Objects {
    pub(super) string_types: Option<Py<PyDict>>,
    pub(super) binary_types: Option<Py<PyDict>>,
    pub(super) notices: Option<Py<PyAny>>,
    pub(super) notifies: Option<Py<PyAny>>,
    pub(super) cursor_factory: Option<Py<PyAny>>,
    /// The cursor that an asynchronous statement is for.
    pub(super) cursor: Option<Py<PyWeakrefReference>>,
    /// The identifier of the two-phase transaction begun.
    pub(super) xid: Option<Py<PyAny>>,
}
