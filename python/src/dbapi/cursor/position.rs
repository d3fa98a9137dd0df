//! Where a cursor stands in its result: iteration and `scroll`.

use std::sync::Arc;

use pyo3::prelude::*;

use super::Cursor;
use super::rows::RowsAs;
use crate::names;
use crate::sync::lock;

impl Cursor {
    /// The row that iteration gives next; a named cursor fetches `itersize` rows when it has none.
    pub(super) fn next_row<'py>(
        slf: &Bound<'py, Cursor>,
        rows: RowsAs,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let this = slf.get();
        let wants_more = {
            let inner = lock(&this.inner);
            let left = inner.fetched.as_ref().is_some_and(|fetched| inner.row < fetched.count);
            (inner.name.is_some() && !left).then_some(inner.itersize)
        };
        match wants_more {
            Some(itersize) => {
                Cursor::fetch_forward(slf, &itersize.to_string())?;
                Cursor::fetch_one(slf, rows)
            }
            // A subclass may have its own fetchone; psycopg2 does not ask it here either.
            None => Cursor::fetch_one(slf, rows),
        }
    }

    /// Moves `relative` to the next row, or to an `absolute` one.
    pub(super) fn scroll_to(slf: &Bound<'_, Cursor>, value: i64, mode: &str) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        this.check_open(py)?;
        if Cursor::move_named(slf, value, mode == "absolute")? {
            return Ok(());
        }
        let refuse = |message: &str| {
            let error = names::programming_error(py, message);
            Err(crate::errors::error::with_cursor(py, error, slf.as_any()))
        };
        let (row, count, fetched) = {
            let inner = lock(&this.inner);
            (inner.row, inner.rowcount, inner.fetched.clone())
        };
        let from = i64::try_from(row).unwrap_or(i64::MAX);
        let target = match mode {
            "relative" => from.checked_add(value),
            "absolute" => Some(value),
            _ => return refuse("scroll mode must be 'relative' or 'absolute'"),
        };
        match (target.and_then(|target| usize::try_from(target).ok()), fetched) {
            (Some(target), Some(fetched)) if target < fetched.count => {
                let place = fetched.place_of(target);
                let mut inner = lock(&this.inner);
                let same = inner.fetched.as_ref().is_some_and(|held| Arc::ptr_eq(held, &fetched));
                if !same || inner.row != row {
                    drop(inner);
                    return refuse(
                        "the cursor was used while it moved: another thread that fetches or runs \
                         statements needs a cursor of its own",
                    );
                }
                inner.move_to(target, place);
                Ok(())
            }
            (Some(target), None) if i64::try_from(target).is_ok_and(|target| target < count) => {
                lock(&this.inner).row = target;
                Ok(())
            }
            _ => refuse("scroll destination out of bounds"),
        }
    }
}
