//! Rows to Python objects: the hot path.

use std::sync::Arc;

use kecoa_proto::Row;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::Cursor;
use super::rows::{Fetched, Place, RowsAs};
use crate::convert::layout::Layout;
use crate::convert::load::Context;
use crate::dbapi::connection::Taken;
use crate::errors::error;
use crate::names;
use crate::sync::lock;

/// Lets the garbage collector know of a row: from then on others may come to it. Not of one whose
/// values can take part in no reference cycle.
pub(super) fn track(fetched: &Fetched, row: &Bound<'_, PyAny>) {
    if !fetched.layout.atomic && !fetched.layout.loaders.is_empty() {
        // SAFETY: a tuple from `tuple_row`, all of whose places are filled.
        unsafe { ffi::PyObject_GC_Track(row.as_ptr().cast()) };
    }
}

/// A tuple of a row's values. The garbage collector does not know of it before `track`: while many
/// rows are made, which are no garbage, it would look at all of them again and again.
pub(super) fn tuple_row<'py>(
    context: &mut Context<'_, 'py>,
    layout: &Layout,
    row: &Row<'_>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = context.py;
    let loaders = &*layout.loaders;
    let width = loaders.len().try_into().unwrap_or(ffi::Py_ssize_t::MAX);
    // SAFETY: a new tuple of `width` empty places (the one without places is shared, and left
    // alone). Nobody else has it, and without the garbage collector nobody can come to it: not the
    // code that a loader calls, nor another thread. Each place is filled at most once with an owned
    // reference, and the zip ends with the loaders. When a loader fails, the tuple is freed with the
    // places that are left empty, which its destructor allows.
    unsafe {
        let tuple = Bound::from_owned_ptr_or_err(py, ffi::PyTuple_New(width))?;
        if width > 0 {
            ffi::PyObject_GC_UnTrack(tuple.as_ptr().cast());
        }
        let mut index = 0;
        for (loader, field) in loaders.iter().zip(row.fields()) {
            let value = loader.load(context, field)?;
            ffi::PyTuple_SET_ITEM(tuple.as_ptr(), index, value.into_ptr());
            index += 1;
        }
        if index < width {
            // The server described more columns than it sent; the rest is None.
            for index in index..width {
                ffi::PyTuple_SET_ITEM(tuple.as_ptr(), index, py.None().into_ptr());
            }
        }
        Ok(tuple)
    }
}

/// What `row_factory(cursor)` makes, with the values set by index.
fn factory_row<'py>(
    context: &mut Context<'_, 'py>,
    fetched: &Fetched,
    row: &Row<'_>,
    factory: &Bound<'py, PyAny>,
    cursor: &Bound<'py, Cursor>,
) -> PyResult<Bound<'py, PyAny>> {
    let made = factory.call1((cursor,))?;
    for (index, (loader, field)) in (0..).zip(fetched.layout.loaders.iter().zip(row.fields())) {
        let value = loader.load(context, field)?;
        // SAFETY: both are valid objects; the call takes no reference of ours.
        let done = unsafe { ffi::PySequence_SetItem(made.as_ptr(), index, value.as_ptr()) };
        if done != 0 {
            return Err(PyErr::fetch(context.py));
        }
    }
    Ok(made)
}

/// What a fetch needs, taken from the cursor at once.
pub(super) struct Plan<'py> {
    pub(super) fetched: Arc<Fetched>,
    /// Where the row is, if that is known.
    place: Option<Place>,
    pub(super) row: usize,
    pub(super) rowcount: usize,
    factory: Option<Bound<'py, PyAny>>,
    zones: Bound<'py, PyAny>,
}

impl Plan<'_> {
    /// Where row number `row` of the result is.
    fn place_of(&self, row: usize) -> Place {
        self.place.filter(|_| row == self.row).unwrap_or_else(|| self.fetched.place_of(row))
    }
}

impl Cursor {
    fn plan<'py>(slf: &Bound<'py, Cursor>) -> PyResult<Plan<'py>> {
        let py = slf.py();
        let this = slf.get();
        this.check_open(py)?;
        let plan = {
            let inner = lock(&this.inner);
            inner.fetched.clone().map(|fetched| Plan {
                place: (inner.place_row == inner.row).then_some(inner.place),
                row: inner.row,
                rowcount: fetched.count,
                fetched,
                factory: inner.row_factory.as_ref().map(|factory| factory.bind(py).clone()),
                zones: match &inner.tzinfo_factory {
                    Some(zones) => zones.bind(py).clone(),
                    None => py.None().into_bound(py),
                },
            })
        };
        match plan {
            Some(plan) => Ok(plan),
            None => Err(error::with_cursor(
                py,
                names::programming_error(py, "no results to fetch"),
                slf.as_any(),
            )),
        }
    }

    /// Moves past `made` rows of a result, from row `row` on, to `place`. A typecaster, a row factory or
    /// a zone factory may have used the cursor meanwhile: then these rows are no more where they were,
    /// and to move on would pass over others, or show some twice.
    fn advance(
        slf: &Bound<'_, Cursor>,
        fetched: &Arc<Fetched>,
        row: usize,
        place: Place,
        made: usize,
    ) -> PyResult<()> {
        {
            let mut inner = lock(&slf.get().inner);
            let same = inner.fetched.as_ref().is_some_and(|held| Arc::ptr_eq(held, fetched));
            if same && inner.row == row {
                inner.move_to(row + made, place);
                return Ok(());
            }
        }
        let py = slf.py();
        let refused = names::programming_error(
            py,
            "the cursor was used while its rows were converted: a typecaster, a factory or another \
             thread that runs statements or fetches needs a cursor of its own",
        );
        Err(error::with_cursor(py, refused, slf.as_any()))
    }

    /// The next row of a cursor that is not one of the server's, or None behind the last.
    pub(crate) fn fetch_next<'py>(slf: &Bound<'py, Cursor>) -> PyResult<Option<Bound<'py, PyAny>>> {
        Cursor::fetch_one(slf, RowsAs::Cursor)
    }

    /// One row, or None behind the last.
    pub(super) fn fetch_one<'py>(
        slf: &Bound<'py, Cursor>,
        rows: RowsAs,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        if let Some(made) = Cursor::take_made(slf, rows) {
            return Ok(Some(made));
        }
        let mut plan = Cursor::plan(slf)?;
        if rows == RowsAs::Tuples {
            plan.factory = None;
        }
        if plan.row >= plan.rowcount {
            return Ok(None);
        }
        let Some((row, next)) = plan.fetched.row(plan.place_of(plan.row)) else { return Ok(None) };
        plan.fetched.note(match &plan.factory {
            Some(_) => Taken::ByFactory,
            None => Taken::InParts,
        });
        let mut context = Context::new(slf.as_any(), plan.fetched.codec.clone(), &plan.zones)?;
        let made = match &plan.factory {
            None => tuple_row(&mut context, &plan.fetched.layout, &row)
                .inspect(|row| track(&plan.fetched, row)),
            Some(factory) => factory_row(&mut context, &plan.fetched, &row, factory, slf),
        };
        // As in psycopg2, a row that cannot be converted is passed over.
        let advanced = Cursor::advance(slf, &plan.fetched, plan.row, next, 1);
        let made = made?;
        advanced?;
        if plan.factory.is_none() {
            Cursor::look_ahead(slf, &mut context, &plan, next);
        }
        Ok(Some(made))
    }

    /// A list of up to `limit` rows.
    pub(crate) fn fetch_many<'py>(
        slf: &Bound<'py, Cursor>,
        limit: Option<usize>,
    ) -> PyResult<Bound<'py, PyList>> {
        let py = slf.py();
        let plan = Cursor::plan(slf)?;
        let left = plan.rowcount.saturating_sub(plan.row);
        let size = limit.map_or(left, |limit| limit.min(left));
        let mut context = Context::new(slf.as_any(), plan.fetched.codec.clone(), &plan.zones)?;
        let length = size.try_into().unwrap_or(ffi::Py_ssize_t::MAX);
        // SAFETY: a new list of `size` empty places, filled below once each with an owned
        // reference. Nobody else has the list before it is full, or can come to it by the garbage
        // collector, which does not know of it: it is not returned when a row fails, and its
        // destructor allows empty places.
        let list = unsafe {
            let list = Bound::from_owned_ptr_or_err(py, ffi::PyList_New(length))?;
            ffi::PyObject_GC_UnTrack(list.as_ptr().cast());
            list.cast_into_unchecked::<PyList>()
        };
        plan.fetched.note(match &plan.factory {
            Some(_) => Taken::ByFactory,
            None if plan.row == 0 && size == left => Taken::Whole,
            None => Taken::InParts,
        });
        let early = match &plan.factory {
            Some(_) => {
                slf.get().drop_early();
                Vec::new()
            }
            None => Cursor::take_early(slf, &plan.fetched, plan.row, size),
        };
        let taken = early.len();
        for (index, row) in (0..).zip(early) {
            // SAFETY: there are no more than `size`, and the places are still empty.
            unsafe { ffi::PyList_SET_ITEM(list.as_ptr(), index, row.into_ptr()) };
        }
        // The cursor has moved past those.
        let row = plan.row + taken;
        let mut place = if taken < size { plan.place_of(row) } else { Place::default() };
        let mut made = taken;
        let mut failed = None;
        while made < size {
            let Some((row, next)) = plan.fetched.row(place) else { break };
            let value = match &plan.factory {
                None => tuple_row(&mut context, &plan.fetched.layout, &row),
                Some(factory) => factory_row(&mut context, &plan.fetched, &row, factory, slf),
            };
            place = next;
            made += 1;
            match value {
                // SAFETY: place `made - 1` is within the list and still empty.
                Ok(value) => unsafe {
                    let index = (made - 1).try_into().unwrap_or(ffi::Py_ssize_t::MAX);
                    ffi::PyList_SET_ITEM(list.as_ptr(), index, value.into_ptr());
                },
                Err(raised) => {
                    failed = Some(raised);
                    break;
                }
            }
        }
        let advanced = match made - taken {
            0 => Ok(()),
            more => Cursor::advance(slf, &plan.fetched, row, place, more),
        };
        if let Some(raised) = failed {
            return Err(raised);
        }
        advanced?;
        if made < size {
            let problem = format!("expected {size} more rows of the result, found {made}");
            return Err(names::driver_error(py, problem));
        }
        if plan.factory.is_none() && !plan.fetched.layout.atomic {
            list.iter().for_each(|row| track(&plan.fetched, &row));
        }
        // SAFETY: a list that the collector does not know of, all of whose places are filled.
        unsafe { ffi::PyObject_GC_Track(list.as_ptr().cast()) };
        Ok(list)
    }
}
