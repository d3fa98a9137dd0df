//! What a cursor holds, and how it begins.

use std::sync::Arc;

use kecoa_proto::CommandTag;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::rows::{Early, Fetched, Lookahead, Place};
use crate::arrow::Batching;
use crate::convert::classes;
use crate::dbapi::connection::Connection;

/// What PEP 249's `fetchmany` takes without an argument.
const ARRAYSIZE: i64 = 1;
/// How many rows iterating over a named cursor fetches at a time.
const ITERSIZE: i64 = 2000;

/// Locked for moments only, never across a call into Python; objects are dropped unlocked, because
/// dropping one may run Python code.
pub(crate) struct Inner {
    pub(super) connection: Option<Py<Connection>>,
    pub(super) name: Option<String>,
    pub(super) quoted_name: Option<String>,
    /// The transaction in which a named cursor was made.
    pub(super) mark: u64,
    pub(super) closed: bool,
    pub(super) withhold: bool,
    pub(super) scrollable: Option<bool>,
    pub(super) arraysize: i64,
    pub(super) itersize: i64,
    pub(super) rowcount: i64,
    pub(super) row: usize,
    /// The place of the row number `place_row`, which is behind `row` where rows were made early.
    pub(super) place: Place,
    pub(super) place_row: usize,
    pub(super) lastrowid: u32,
    pub(super) query: Option<Arc<[u8]>>,
    pub(super) statusmessage: Option<CommandTag>,
    pub(super) fetched: Option<Arc<Fetched>>,
    pub(super) lookahead: Option<Lookahead>,
    pub(super) early: Option<Early>,
    /// All rows of a result that became Arrow's batches.
    pub(super) batching: Option<Batching>,
    pub(super) description: Option<Py<PyTuple>>,
    pub(super) row_factory: Option<Py<PyAny>>,
    pub(super) tzinfo_factory: Option<Py<PyAny>>,
    pub(super) string_types: Option<Py<PyAny>>,
    pub(super) binary_types: Option<Py<PyAny>>,
}

impl Default for Inner {
    fn default() -> Inner {
        Inner {
            connection: None,
            name: None,
            quoted_name: None,
            mark: 0,
            closed: false,
            withhold: false,
            scrollable: None,
            arraysize: ARRAYSIZE,
            itersize: ITERSIZE,
            rowcount: -1,
            row: 0,
            place: Place::default(),
            place_row: 0,
            lastrowid: 0,
            query: None,
            statusmessage: None,
            fetched: None,
            lookahead: None,
            early: None,
            batching: None,
            description: None,
            row_factory: None,
            tzinfo_factory: None,
            string_types: None,
            binary_types: None,
        }
    }
}

impl Inner {
    /// What a fresh cursor of a connection holds.
    pub(super) fn of(connection: &Bound<'_, Connection>) -> PyResult<Inner> {
        let zones = classes::timezone(connection.py())?.clone().into_any().unbind();
        Ok(Inner {
            connection: Some(connection.clone().unbind()),
            tzinfo_factory: Some(zones),
            ..Inner::default()
        })
    }

    /// Forgets the last result; what is dropped is returned, to be dropped unlocked.
    pub(super) fn forget(&mut self) -> impl Sized + use<> {
        self.rowcount = -1;
        self.move_to(0, Place::default());
        self.lastrowid = 0;
        let rows = (self.lookahead.take(), self.early.take(), self.batching.take());
        (self.fetched.take(), rows, self.description.take())
    }

    /// The next row is this one.
    #[inline]
    pub(super) fn move_to(&mut self, row: usize, place: Place) {
        self.row = row;
        self.place = place;
        self.place_row = row;
    }

    /// Where the next row is in the result.
    #[inline]
    pub(super) fn place_in(&self, fetched: &Fetched) -> Place {
        if self.place_row == self.row { self.place } else { fetched.place_of(self.row) }
    }
}
