//! `cursor`: psycopg2's cursor object.
//!
//! The object is here; what it does is below, a topic a file. `methods` is what Python sees of it.

mod arrow;
pub(crate) mod binding;
mod copy;
pub(crate) mod description;
mod event_loop;
mod execute;
pub(crate) mod execute_arrow;
mod executemany;
mod fetch;
mod inner;
mod lookahead;
mod methods;
mod mode;
mod named;
pub(crate) mod overlap;
mod position;
mod procedure;
mod replication;
mod rows;
mod settle;
pub(crate) mod statement;
pub(crate) mod stream;
mod support;

use std::sync::{Arc, Mutex};

use pyo3::prelude::*;

use self::inner::Inner;
pub(crate) use self::mode::Mode;
use crate::convert::codec::Codec;

/// How the text of an object's values is encoded, where the object is a cursor.
pub(crate) fn codec_of(object: &Bound<'_, PyAny>) -> Option<Arc<Codec>> {
    Some(object.cast::<Cursor>().ok()?.get().codec(object.py()))
}

/// A database cursor.
#[pyclass(subclass, dict, weakref, frozen, name = "cursor", module = "kecoa.extensions")]
#[derive(Default)]
pub(crate) struct Cursor {
    pub(super) inner: Mutex<Inner>,
}
