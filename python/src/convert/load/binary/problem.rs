//! Why no object was made of a value in binary form.

use kecoa_types::DecodeError;
use pyo3::prelude::*;

use crate::names;

/// Why no object was made.
pub(in crate::convert::load) enum Problem {
    Decode(DecodeError),
    Raised(PyErr),
}

impl Problem {
    #[cold]
    pub(in crate::convert::load) fn raised(self, py: Python<'_>) -> PyErr {
        match self {
            Problem::Decode(error) => refused(py, &error),
            Problem::Raised(error) => error,
        }
    }
}

impl From<DecodeError> for Problem {
    fn from(error: DecodeError) -> Problem {
        Problem::Decode(error)
    }
}

impl From<PyErr> for Problem {
    fn from(error: PyErr) -> Problem {
        Problem::Raised(error)
    }
}

/// Bytes that are no value of the type.
#[cold]
pub(in crate::convert::load) fn refused(py: Python<'_>, error: &DecodeError) -> PyErr {
    names::data_error(py, error.to_string())
}
