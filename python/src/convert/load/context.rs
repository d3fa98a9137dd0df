//! What loaders need beside the bytes.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::convert::classes;
use crate::convert::codec::Codec;
use crate::names::Installed;

/// How the text of an object's values is encoded, where the object is a cursor. What a cursor is,
/// is not known here: the registry says it.
pub(crate) static CODEC_OF_CURSOR: Installed<CodecOf> = Installed::new();

type CodecOf = fn(&Bound<'_, PyAny>) -> Option<Arc<Codec>>;

/// What `cursor.tzinfo_factory` says about time zones.
pub(crate) enum Zones<'py> {
    /// `datetime.timezone`: an object per offset, kept.
    Native,
    /// None: values stay naive.
    Naive,
    /// Any other callable of a timedelta.
    Factory(Bound<'py, PyAny>),
}

/// What loaders need beside the bytes, looked up once a fetch.
pub(crate) struct Context<'a, 'py> {
    pub(crate) py: Python<'py>,
    pub(super) codec: Arc<Codec>,
    cursor: Option<&'a Bound<'py, PyAny>>,
    pub(crate) zones: Zones<'py>,
    pub(super) last_zone: Option<(i32, Bound<'py, PyAny>)>,
    pub(super) stack: Vec<Bound<'py, PyAny>>,
    pub(super) decimal: &'py Bound<'py, PyType>,
}

impl<'a, 'py> Context<'a, 'py> {
    /// For a fetch from `cursor`.
    pub(crate) fn new(
        cursor: &'a Bound<'py, PyAny>,
        codec: Arc<Codec>,
        tzinfo_factory: &Bound<'py, PyAny>,
    ) -> PyResult<Context<'a, 'py>> {
        let py = cursor.py();
        let context = Context::without_cursor(py, codec, tzinfo_factory)?;
        Ok(Context { cursor: Some(cursor), ..context })
    }

    /// For values that no code of the program's makes, which might ask for the cursor.
    pub(crate) fn without_cursor(
        py: Python<'py>,
        codec: Arc<Codec>,
        tzinfo_factory: &Bound<'py, PyAny>,
    ) -> PyResult<Context<'a, 'py>> {
        let zones = if tzinfo_factory.is(classes::timezone(py)?) {
            Zones::Native
        } else if tzinfo_factory.is_none() {
            Zones::Naive
        } else {
            Zones::Factory(tzinfo_factory.clone())
        };
        Ok(Context {
            py,
            codec,
            cursor: None,
            zones,
            last_zone: None,
            stack: Vec::new(),
            decimal: classes::decimal(py)?,
        })
    }

    /// The same for values that are text in UTF-8 already, whatever the connection's encoding.
    pub(crate) fn decoded(mut self) -> Context<'a, 'py> {
        self.codec = Arc::default();
        self
    }

    /// For a typecaster called by hand with whatever was given as the cursor.
    pub(crate) fn for_object(object: &'a Bound<'py, PyAny>) -> PyResult<Context<'a, 'py>> {
        let py = object.py();
        if let Some(codec) = CODEC_OF_CURSOR.get(py)?(object) {
            let zone = object.getattr("tzinfo_factory")?;
            return Context::new(object, codec, &zone);
        }
        Ok(Context {
            py,
            codec: Arc::default(),
            cursor: Some(object),
            zones: Zones::Native,
            last_zone: None,
            stack: Vec::new(),
            decimal: classes::decimal(py)?,
        })
    }

    /// Whether time zones are made by code of the program's.
    pub(crate) fn calls_zones(&self) -> bool {
        matches!(self.zones, Zones::Factory(_))
    }

    pub(super) fn cursor_object(&self) -> Bound<'py, PyAny> {
        self.cursor.map_or_else(|| self.py.None().into_bound(self.py), Clone::clone)
    }
}
