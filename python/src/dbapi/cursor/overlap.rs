//! Rows that are made while more of their result is awaited, so that the server and the program work at
//! the same time.
//!
//! No program sees it. Only loaders that call no code of the program's are used, and the garbage
//! collector, which may, waits meanwhile. The bytes of the rows are kept: rows that were made are dropped
//! where they are not what a fetch would make (another zone factory or row factory, a cursor that
//! moved), and a row that cannot be converted is left to the fetch that asks for it, which raises.
//! The server's error drops the result with all that was made of it.
//!
//! How much is made depends on what the connection has learnt (see `Habits`): a few MiB ahead, all of a
//! result where the last large one was fetched at once, nothing where it was not fetched. Where another
//! thread has the interpreter, waiting for it would take longer than the work: then no more rows are made
//! of this statement, and for some statements to come.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use kecoa::{Interrupt, ResultSet};
use kecoa_proto::{RowDescription, Rows};
use pyo3::exceptions::PyValueError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use super::fetch::{track, tuple_row};
use super::inner::Inner;
use super::rows::{Early, Fetched, Place, RowsAs, row_at};
use super::{Cursor, Mode};
use crate::arrow;
use crate::convert::codec::Codec;
use crate::convert::layout::Layout;
use crate::convert::load::Context;
use crate::dbapi::connection::{Connection, Habits, Taken};
use crate::sync::lock;

/// What rows that are made ahead may come to, in bytes, where nobody knows that they will be fetched.
const MOST_AHEAD: usize = 4 << 20;
/// What a row, and a value of it, take beside the bytes that came for them.
const ROW_COST: usize = 64;
const VALUE_COST: usize = 32;
/// The bytes of rows from which on a result is large.
const LARGE: usize = 256 << 10;
/// Who waits longer than this for the interpreter waits for another thread.
const CONTENDED: Duration = Duration::from_micros(200);

/// For tests: whether rows are made ahead.
const AUTO: u8 = 0;
const NEVER: u8 = 1;
const ALWAYS: u8 = 2;
static MODE: AtomicU8 = AtomicU8::new(AUTO);
/// How many rows were made ahead in this process.
static MADE: AtomicU64 = AtomicU64::new(0);

/// For tests: has rows made ahead as the driver sees fit ("auto"), at every chance and without a bound
/// ("always"), or never.
///
/// # Errors
/// ValueError for another word.
#[pyfunction]
pub(crate) fn _set_overlap(mode: &str) -> PyResult<()> {
    let mode = match mode {
        "auto" => AUTO,
        "never" => NEVER,
        "always" => ALWAYS,
        other => {
            let message = format!("expected auto, never or always, found {other:?}");
            return Err(PyValueError::new_err(message));
        }
    };
    MODE.store(mode, Ordering::Relaxed);
    Ok(())
}

/// For tests: how many rows were made ahead in this process.
#[pyfunction]
pub(crate) fn _rows_made_ahead() -> u64 {
    MADE.load(Ordering::Relaxed)
}

/// What is made of a statement's rows while more are awaited.
#[derive(Default)]
pub(crate) enum Work {
    #[default]
    Nothing,
    /// A cursor's rows.
    Objects(Overlap),
    /// Arrow's record batches.
    Batches,
}

/// Works on the rows of a cursor's statement.
pub(crate) struct Overlap {
    cursor: Py<Cursor>,
    /// From its first chance on.
    habits: Option<Arc<Habits>>,
    stopped: bool,
}

/// What was made of a result so far.
struct Made {
    layout: Arc<Layout>,
    codec: Arc<Codec>,
    zones: Option<Py<PyAny>>,
    rows: Vec<Py<PyAny>>,
    /// The place behind the last row that was made.
    place: Place,
    cost: usize,
    most: usize,
    /// No more is made.
    over: bool,
}

/// While it lives, the garbage collector runs none of the program's code in this thread. Python 3.12 and
/// later run it between bytecodes only, and there are none here.
struct CollectorAtRest {
    was_on: bool,
}

impl CollectorAtRest {
    fn new(py: Python<'_>) -> CollectorAtRest {
        static BETWEEN_BYTECODES: PyOnceLock<bool> = PyOnceLock::new();
        let between = *BETWEEN_BYTECODES.get_or_init(py, || py.version_info() >= (3, 12));
        // SAFETY: the thread is attached. It does not let go of the interpreter while this lives, so that no
        // other thread finds the collector turned off.
        CollectorAtRest { was_on: !between && unsafe { ffi::PyGC_Disable() } == 1 }
    }
}

impl Drop for CollectorAtRest {
    fn drop(&mut self) {
        if self.was_on {
            // SAFETY: as above.
            unsafe { ffi::PyGC_Enable() };
        }
    }
}

impl Overlap {
    /// For a statement of this cursor.
    pub(crate) fn new(cursor: &Bound<'_, Cursor>) -> Overlap {
        Overlap { cursor: cursor.clone().unbind(), habits: None, stopped: false }
    }

    /// For a statement of this cursor that runs so.
    pub(super) fn in_mode(cursor: &Bound<'_, Cursor>, mode: Mode) -> Work {
        match mode {
            Mode::Normal => Work::Objects(Overlap::new(cursor)),
            Mode::CountOnly | Mode::NoBegin => Work::Nothing,
        }
    }

    /// Makes the rows that have come. The thread may be attached to the interpreter, or not.
    pub(crate) fn work(&mut self, result: &mut ResultSet) {
        if self.stopped {
            return;
        }
        let asked = Instant::now();
        // None where the interpreter is going away.
        let worked = Python::try_attach(|py| self.attached(py, asked.elapsed(), result));
        self.stopped = worked != Some(true);
    }

    /// Whether to go on with the rest of the statement.
    fn attached(&mut self, py: Python<'_>, waited: Duration, result: &mut ResultSet) -> bool {
        let this = self.cursor.get();
        let mode = MODE.load(Ordering::Relaxed);
        if mode == NEVER {
            return false;
        }
        let first = self.habits.is_none();
        if first {
            let Ok(connection) = this.connection_of(py) else { return false };
            self.habits = Some(connection.get().habits().clone());
        }
        let Some(habits) = &self.habits else { return false };
        if mode == AUTO {
            if first && !habits.may_ask() {
                return false;
            }
            if waited > CONTENDED {
                habits.had_to_wait();
                return false;
            }
            if first {
                habits.was_undisturbed();
            }
        }
        if result.made.is_none() {
            let most = if mode == ALWAYS { Some(usize::MAX) } else { this.most_ahead(habits) };
            let Some(most) = most else { return false };
            match Made::begin(py, this, result, most) {
                Ok(Some(made)) => result.made = Some(Arc::new(made)),
                // Another result of the statement may have other columns.
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
        let Some(made) = result.made.as_mut().and_then(Arc::get_mut) else { return false };
        let Some(made) = made.downcast_mut::<Made>() else { return false };
        made.go_on(py, &result.rows);
        true
    }
}

/// For an event loop, which asks nobody while it waits; with others it is what their own hook does.
impl Interrupt for Work {
    fn check(&mut self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn awaiting(&mut self, result: &mut ResultSet) {
        match self {
            Work::Nothing => {}
            Work::Objects(overlap) => overlap.work(result),
            Work::Batches => arrow::work_ahead(result),
        }
    }
}

impl Made {
    /// Nothing yet; None where the program's code would be called.
    fn begin(
        py: Python<'_>,
        cursor: &Cursor,
        result: &ResultSet,
        most: usize,
    ) -> PyResult<Option<Made>> {
        let Some(description) = &result.description else { return Ok(None) };
        let layout = cursor.layout_of(py, description)?;
        let zones = cursor.object(py, |inner| &inner.tzinfo_factory);
        let made = Made {
            layout,
            codec: cursor.codec(py),
            zones,
            rows: Vec::new(),
            place: Place::default(),
            cost: 0,
            most,
            over: false,
        };
        let calls = !made.layout.native || made.context(py)?.calls_zones();
        Ok((!calls).then_some(made))
    }

    fn context<'py>(&self, py: Python<'py>) -> PyResult<Context<'py, 'py>> {
        let zones = self.zones.as_ref().map_or_else(|| py.None(), |zones| zones.clone_ref(py));
        Context::without_cursor(py, self.codec.clone(), zones.bind(py))
    }

    /// Makes the rows that came since.
    fn go_on(&mut self, py: Python<'_>, rows: &[Rows]) {
        if self.over {
            return;
        }
        let Ok(mut context) = self.context(py) else { return };
        let _at_rest = CollectorAtRest::new(py);
        let before = self.rows.len();
        let row_cost = ROW_COST + VALUE_COST * self.layout.loaders.len();
        while let Some((row, next)) = row_at(rows, self.place) {
            if self.cost > self.most {
                self.over = true;
                break;
            }
            let Ok(made) = tuple_row(&mut context, &self.layout, &row) else {
                // The fetch that comes to it raises.
                self.over = true;
                break;
            };
            self.cost += row_cost + next.bytes_from(self.place);
            self.place = next;
            self.rows.push(made.unbind());
        }
        let made = u64::try_from(self.rows.len() - before).unwrap_or_default();
        MADE.fetch_add(made, Ordering::Relaxed);
    }
}

impl Early {
    /// The next row, and its result where that has to know of it.
    fn next(&mut self) -> Option<(Py<PyAny>, Option<Arc<Fetched>>)> {
        let row = self.rows.next()?;
        let told = self.row == 0 || !self.fetched.layout.atomic;
        self.row += 1;
        Some((row, told.then(|| self.fetched.clone())))
    }

    /// Whether these rows are what a fetch would make now.
    fn fits(&self, inner: &Inner) -> bool {
        let same_zones = match (&self.zones, &inner.tzinfo_factory) {
            (Some(zones), Some(now)) => zones.is(now),
            (None, None) => true,
            _ => false,
        };
        same_zones
            && self.row == inner.row
            && !inner.closed
            && inner.fetched.as_ref().is_some_and(|held| Arc::ptr_eq(held, &self.fetched))
            && inner.connection.as_ref().is_some_and(|conn| !conn.get().is_closed())
    }
}

impl Cursor {
    /// What rows that are made ahead may come to; None where none are made.
    fn most_ahead(&self, habits: &Habits) -> Option<usize> {
        let inner = lock(&self.inner);
        if inner.name.is_some() || inner.closed {
            return None;
        }
        match (habits.taken(), inner.row_factory.is_some()) {
            (Taken::Not, _) | (Taken::Unknown | Taken::ByFactory, true) => None,
            (Taken::Whole, _) => Some(usize::MAX),
            _ => Some(MOST_AHEAD),
        }
    }

    /// The result of a statement, and the rows that were made of it. Its layout may be known already.
    pub(super) fn with_early(
        &self,
        py: Python<'_>,
        connection: &Connection,
        mut result: ResultSet,
        description: &Arc<RowDescription>,
        known: Option<Arc<Layout>>,
    ) -> PyResult<(Arc<Fetched>, Option<Early>)> {
        let made = result.made.take().and_then(|made| made.downcast::<Made>().ok());
        let made = made.and_then(Arc::into_inner);
        let layout = match &made {
            Some(made) => made.layout.clone(),
            None => match known {
                Some(known) => known,
                None => self.layout_of(py, description)?,
            },
        };
        let bytes: usize = result.rows.iter().map(|rows| rows.bytes().len()).sum();
        let codec = connection.codec_of(py, result.encoding.as_deref());
        let mut fetched = Fetched::new(result, layout, codec);
        if bytes >= LARGE {
            connection.habits().note(Taken::Not);
            fetched.habits = Some(connection.habits().clone());
        }
        let fetched = Arc::new(fetched);
        // The statement itself may have changed the encoding.
        let early = made.filter(|made| made.codec == fetched.codec).map(|made| Early {
            fetched: fetched.clone(),
            zones: made.zones,
            row: 0,
            rows: made.rows.into_iter(),
        });
        Ok((fetched, early))
    }

    /// The next row of what the cursor holds, if it was made early; none that `row_factory` is to make.
    pub(super) fn take_early_row<'py>(
        slf: &Bound<'py, Cursor>,
        mut inner: MutexGuard<'_, Inner>,
        rows: RowsAs,
    ) -> Option<Bound<'py, PyAny>> {
        let by_factory = rows == RowsAs::Cursor && inner.row_factory.is_some();
        let fits = !by_factory && inner.early.as_ref().is_some_and(|early| early.fits(&inner));
        let row = if fits { inner.early.as_mut().and_then(Early::next) } else { None };
        let Some((row, fetched)) = row else {
            let old = inner.early.take();
            drop(inner);
            drop(old);
            return None;
        };
        inner.row += 1;
        drop(inner);
        let row = row.into_bound(slf.py());
        if let Some(fetched) = fetched {
            fetched.note(Taken::InParts);
            track(&fetched, &row);
        }
        Some(row)
    }

    /// Drops rows that were made early: they are not what is wanted.
    pub(super) fn drop_early(&self) {
        let old = lock(&self.inner).early.take();
        drop(old);
    }

    /// Up to `limit` of the next rows that were made early, of this result and from this row on, for one who
    /// wants tuples. The cursor moves past them.
    pub(super) fn take_early(
        slf: &Bound<'_, Cursor>,
        fetched: &Arc<Fetched>,
        row: usize,
        limit: usize,
    ) -> Vec<Py<PyAny>> {
        let mut inner = lock(&slf.get().inner);
        let fits = inner.early.as_ref().is_some_and(|early| {
            early.row == row && Arc::ptr_eq(&early.fetched, fetched) && early.fits(&inner)
        });
        let mut taken = Vec::new();
        let mut old = None;
        if fits && let Some(early) = &mut inner.early {
            if early.rows.len() <= limit {
                old = inner.early.take();
                taken = old
                    .as_mut()
                    .map(|early| std::mem::take(&mut early.rows).collect())
                    .unwrap_or_default();
            } else {
                taken = early.rows.by_ref().take(limit).collect();
                early.row += taken.len();
            }
            inner.row += taken.len();
        } else {
            old = inner.early.take();
        }
        drop(inner);
        drop(old);
        taken
    }
}
