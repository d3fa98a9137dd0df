//! How the columns of a result load, kept for the next result with the same columns.

use std::sync::{Arc, Mutex, OnceLock};

use kecoa_proto::{Format, RowDescription};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::formats::Formats;
use super::load::Loader;
use super::typecaster::{self, Typecaster};
use crate::sync::lock;

/// How many are kept.
const KEPT: usize = 16;
/// The most columns of one that is kept.
const WIDEST: usize = 256;

/// A loader for every column of a result, and by which typecasters they were chosen.
pub(crate) struct Layout {
    pub(crate) description: Arc<RowDescription>,
    pub(crate) loaders: Vec<Loader>,
    /// No row can take part in a reference cycle.
    pub(crate) atomic: bool,
    /// No row is made by code of the program's.
    pub(crate) native: bool,
    casters: Vec<InCharge>,
    /// Which columns to ask for in binary form; the second where the session's time zone is UTC.
    formats: [OnceLock<Option<Formats>>; 2],
}

/// The typecaster for a column's type; none where it loads as text, because nobody knows the type.
struct InCharge {
    /// The type's oid, as dictionaries have it.
    key: Py<PyAny>,
    caster: Option<Py<Typecaster>>,
}

impl Layout {
    /// Chooses a loader for every column: by the typecasters in `types`, then by the module's.
    pub(crate) fn new(
        py: Python<'_>,
        description: Arc<RowDescription>,
        types: &[Option<Bound<'_, PyDict>>],
    ) -> PyResult<Layout> {
        let columns = description.fields.len();
        let (mut loaders, mut casters) = (Vec::with_capacity(columns), Vec::with_capacity(columns));
        for field in &description.fields {
            let key = field.type_oid.into_bound_py_any(py)?;
            let caster = typecaster::find(py, &key, types)?;
            let loader = match &caster {
                Some(caster) => caster.get().loader(py),
                None => typecaster::default(py)?.get().loader(py),
            };
            loaders.push(match field.format {
                Format::Text => loader,
                Format::Binary => loader.into_binary(field.type_oid),
            });
            casters.push(InCharge { key: key.unbind(), caster: caster.map(Bound::unbind) });
        }
        let atomic = loaders.iter().all(Loader::is_atomic);
        let native = loaders.iter().all(Loader::is_native);
        let formats = [OnceLock::new(), OnceLock::new()];
        Ok(Layout { description, loaders, atomic, native, casters, formats })
    }

    /// Whether the same typecasters are in charge now. They are looked up one by one: the
    /// dictionaries are the program's, too, and nobody says when it changes them.
    fn holds(&self, py: Python<'_>, types: &[Option<Bound<'_, PyDict>>]) -> PyResult<bool> {
        for InCharge { key, caster } in &self.casters {
            let found = typecaster::find(py, key.bind(py), types)?;
            let same = match (&found, caster) {
                (Some(found), Some(caster)) => found.is(caster),
                (None, None) => true,
                _ => false,
            };
            if !same {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Which columns to ask for in binary form the next time, `utc` as [`Formats::choose`] has it.
    pub(crate) fn formats(&self, utc: bool) -> Option<&Formats> {
        let [elsewhere, at_utc] = &self.formats;
        let place = if utc { at_utc } else { elsewhere };
        let casters = self.casters.iter().map(|column| column.caster.as_ref().map(Py::get));
        place.get_or_init(|| Formats::choose(&self.description, casters, utc)).as_ref()
    }
}

/// The layouts of a connection's results that came last.
#[derive(Default)]
pub(crate) struct Layouts(Mutex<Known>);

#[derive(Default)]
struct Known {
    layouts: Vec<Arc<Layout>>,
    /// Which gives way next.
    oldest: usize,
}

impl Layouts {
    /// The layout of a result, as known where it was this very description and the typecasters are
    /// the same.
    pub(crate) fn of(
        &self,
        py: Python<'_>,
        description: &Arc<RowDescription>,
        types: &[Option<Bound<'_, PyDict>>],
    ) -> PyResult<Arc<Layout>> {
        // Not held while dictionaries are looked at: their keys may be the program's.
        let known = {
            let known = lock(&self.0);
            known.layouts.iter().find(|known| Arc::ptr_eq(&known.description, description)).cloned()
        };
        if let Some(known) = known
            && known.holds(py, types)?
        {
            return Ok(known);
        }
        let made = Arc::new(Layout::new(py, description.clone(), types)?);
        // A function of the program's may lead back to the connection: it is not kept.
        if made.native && made.loaders.len() <= WIDEST {
            let old = lock(&self.0).keep(made.clone());
            drop(old);
        }
        Ok(made)
    }
}

impl Known {
    /// Keeps a layout; returns what gives way, to be dropped unlocked.
    fn keep(&mut self, made: Arc<Layout>) -> Option<Arc<Layout>> {
        let same = |known: &Arc<Layout>| Arc::ptr_eq(&known.description, &made.description);
        let at = match self.layouts.iter().position(same) {
            Some(at) => at,
            None => {
                let oldest = self.oldest;
                self.oldest = (oldest + 1) % KEPT;
                oldest
            }
        };
        match self.layouts.get_mut(at) {
            Some(place) => Some(std::mem::replace(place, made)),
            None => {
                self.layouts.push(made);
                None
            }
        }
    }
}
