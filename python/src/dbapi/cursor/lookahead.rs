//! Rows that are made before a program asks for them one by one: what a fetch looks up is looked up once
//! for several rows.
//!
//! No program sees it. Only loaders that call no code of the program's are used; a row that cannot be
//! converted is left to the fetch that asks for it, which raises; and rows that were made are dropped
//! when the cursor moves otherwise.

use std::sync::Arc;

use pyo3::prelude::*;

use super::Cursor;
use super::fetch::{Plan, track, tuple_row};
use super::rows::{Lookahead, Place, RowsAs};
use crate::convert::load::Context;
use crate::sync::lock;

/// How many rows are made at the first time, and at most: the work for those that nobody asks for is
/// bounded.
const FIRST: usize = 8;
const MOST: usize = 64;
/// The bytes of rows after which no more are made at a time.
const BYTES: usize = 64 * 1024;

impl Cursor {
    /// The next row, if it was made already; none that `row_factory` is to make.
    #[inline]
    pub(super) fn take_made<'py>(
        slf: &Bound<'py, Cursor>,
        rows: RowsAs,
    ) -> Option<Bound<'py, PyAny>> {
        let mut guard = lock(&slf.get().inner);
        let inner = &mut *guard;
        if inner.early.is_some() {
            return Cursor::take_early_row(slf, guard, rows);
        }
        let ahead = inner.lookahead.as_mut()?;
        let fits = ahead.row == inner.row
            && (rows == RowsAs::Tuples || inner.row_factory.is_none())
            && !inner.closed
            && inner.fetched.as_ref().is_some_and(|held| Arc::ptr_eq(held, &ahead.fetched))
            && inner.connection.as_ref().is_some_and(|conn| !conn.get().is_closed());
        if !fits {
            return None;
        }
        let (row, place) = ahead.rows.next()?;
        ahead.row += 1;
        let fetched = (!ahead.fetched.layout.atomic).then(|| ahead.fetched.clone());
        inner.move_to(inner.row + 1, place);
        drop(guard);
        let row = row.into_bound(slf.py());
        if let Some(fetched) = fetched {
            track(&fetched, &row);
        }
        Some(row)
    }

    /// Makes rows behind the one that was just fetched, with which the cursor moved to `row` and
    /// `place`. Nothing is made behind the first row of a result: many programs ask for no more.
    pub(super) fn look_ahead<'py>(
        slf: &Bound<'py, Cursor>,
        context: &mut Context<'_, 'py>,
        plan: &Plan<'py>,
        place: Place,
    ) {
        let row = plan.row + 1;
        if plan.row == 0
            || row >= plan.rowcount
            || !plan.fetched.layout.native
            || context.calls_zones()
        {
            return;
        }
        let size = match &lock(&slf.get().inner).lookahead {
            Some(before) if Arc::ptr_eq(&before.fetched, &plan.fetched) => before.size,
            _ => FIRST,
        };
        let mut rows = Vec::with_capacity(size);
        let (mut at, mut bytes) = (place, 0);
        while rows.len() < size && bytes < BYTES {
            let Some((next, behind)) = plan.fetched.row(at) else { break };
            let Ok(made) = tuple_row(context, &plan.fetched.layout, &next) else { break };
            bytes += behind.bytes_from(at);
            at = behind;
            rows.push((made.unbind(), at));
        }
        let made = Lookahead {
            fetched: plan.fetched.clone(),
            row,
            rows: rows.into_iter(),
            size: (size * 2).min(MOST),
        };
        let before = lock(&slf.get().inner).lookahead.replace(made);
        drop(before);
    }
}
