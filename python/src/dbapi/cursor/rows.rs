//! The rows of a result, and how they load.

use std::sync::Arc;
use std::vec::IntoIter;

use kecoa::ResultSet;
use kecoa_proto::{Row, Rows};
use pyo3::prelude::*;

use crate::arrow::RowSource;
use crate::convert::codec::Codec;
use crate::convert::layout::Layout;
use crate::dbapi::connection::{Habits, Taken};

/// A result as it came, and how its columns load.
pub(crate) struct Fetched {
    pub(crate) layout: Arc<Layout>,
    /// How its text is encoded, whatever the connection's encoding is by now.
    pub(super) codec: Arc<Codec>,
    rows: Vec<Rows>,
    pub(crate) count: usize,
    /// Who is told how it is taken, where it is large.
    pub(super) habits: Option<Arc<Habits>>,
}

/// Rows that were made before they were asked for, and where the cursor stands behind each.
pub(super) struct Lookahead {
    pub(super) fetched: Arc<Fetched>,
    /// The number of the next one in the result.
    pub(super) row: usize,
    pub(super) rows: IntoIter<(Py<PyAny>, Place)>,
    /// How many are made the next time.
    pub(super) size: usize,
}

/// Rows that were made while more of their result was awaited.
pub(super) struct Early {
    pub(super) fetched: Arc<Fetched>,
    /// The zone factory by which they were made.
    pub(super) zones: Option<Py<PyAny>>,
    /// The number of the next one in the result.
    pub(super) row: usize,
    pub(super) rows: IntoIter<Py<PyAny>>,
}

/// What rows become.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum RowsAs {
    /// What the cursor's `row_factory` makes, if it has one.
    Cursor,
    /// Tuples, whatever `row_factory` says.
    Tuples,
}

/// A place in the rows: which run, and the offset in it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Place {
    run: usize,
    offset: usize,
}

impl Place {
    /// The bytes between a place and this one behind it, if they are in one run.
    pub(super) fn bytes_from(self, before: Place) -> usize {
        if self.run == before.run { self.offset.saturating_sub(before.offset) } else { 0 }
    }
}

/// The row at a place, and the place of the next.
pub(super) fn row_at(rows: &[Rows], mut place: Place) -> Option<(Row<'_>, Place)> {
    loop {
        let run = rows.get(place.run)?;
        if let Some((row, next)) = run.row_at(place.offset) {
            return Some((row, Place { run: place.run, offset: next }));
        }
        place = Place { run: place.run + 1, offset: 0 };
    }
}

impl Fetched {
    /// Leaves only what describes the result; the rows are returned, to be dropped unlocked.
    pub(super) fn drop_rows(this: &mut Arc<Fetched>) -> impl Sized + use<> {
        match Arc::get_mut(this) {
            Some(own) => {
                own.count = 0;
                (None, std::mem::take(&mut own.rows))
            }
            // Somebody converts them.
            None => {
                let (layout, codec) = (this.layout.clone(), this.codec.clone());
                let described = Arc::new(Fetched::new(ResultSet::default(), layout, codec));
                (Some(std::mem::replace(this, described)), Vec::new())
            }
        }
    }

    pub(crate) fn new(result: ResultSet, layout: Arc<Layout>, codec: Arc<Codec>) -> Fetched {
        Fetched { layout, codec, count: result.row_count(), rows: result.rows, habits: None }
    }

    /// Tells how it is taken.
    #[inline]
    pub(super) fn note(&self, taken: Taken) {
        if let Some(habits) = &self.habits {
            habits.note(taken);
        }
    }

    /// The row at a place, and the place of the next.
    pub(super) fn row(&self, place: Place) -> Option<(Row<'_>, Place)> {
        row_at(&self.rows, place)
    }

    /// The next `left` rows from a place on, as they came.
    pub(super) fn source(&self, place: Place, left: usize) -> RowSource {
        RowSource { rows: self.rows.clone(), run: place.run, offset: place.offset, left }
    }

    /// The place of row number `index`, counted from the start of its run.
    pub(crate) fn place_of(&self, mut index: usize) -> Place {
        for (number, run) in self.rows.iter().enumerate() {
            if index >= run.len() {
                index -= run.len();
                continue;
            }
            let mut place = Place { run: number, offset: 0 };
            for _ in 0..index {
                match self.row(place) {
                    Some((_, next)) => place = next,
                    None => break,
                }
            }
            return place;
        }
        Place { run: self.rows.len(), offset: 0 }
    }
}
