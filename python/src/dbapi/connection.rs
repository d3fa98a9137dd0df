//! `connection`: psycopg2's connection object over `kecoa::blocking::Client`.
//!
//! The object is here; what it does is below, a topic a file. `methods` is what Python sees of it.

pub(crate) mod batch;
pub(crate) mod buffered;
mod characteristics;
mod delivery;
mod drive;
pub(crate) mod event_loop;
mod habits;
pub(crate) mod info;
mod limits;
mod link;
pub(crate) mod lookahead;
mod methods;
pub(crate) mod objects;
mod open;
mod polling;
pub(crate) mod queue;
mod reentrancy;
mod replication;
pub(crate) mod results;
mod settings;
pub(crate) mod signals;
mod state;
mod transaction;
mod two_phase;
pub(crate) mod update;

use std::collections::VecDeque;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex};

use kecoa_proto::Notification;
use pyo3::prelude::*;

pub(crate) use self::habits::{Habits, Taken};
use self::link::Link;
use self::queue::Queued;
use self::reentrancy::Reentrancy;
use self::state::{Objects, State};
use crate::convert::layout::Layouts;

/// A connection to a server.
#[pyclass(subclass, dict, weakref, frozen, name = "connection", module = "kecoa.extensions")]
#[derive(Default)]
pub(crate) struct Connection {
    pub(super) link: Mutex<Link>,
    /// The thread that holds the link while code in Python may run.
    reentrancy: Reentrancy,
    pub(super) state: Mutex<State>,
    objects: Mutex<Objects>,
    /// How the columns of its results load.
    pub(super) layouts: Layouts,
    /// Notifications that the program's list has not taken yet.
    waiting: Mutex<VecDeque<Notification>>,
    /// Statements that run or wait for their turn.
    executing: AtomicU32,
    /// Statements of pipelines that wait to be sent.
    pub(super) queue: Mutex<Vec<Queued>>,
    /// How its program takes results.
    habits: Arc<Habits>,
}
