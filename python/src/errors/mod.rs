//! Errors as Python sees them: the classes, and how an error of the client becomes one.

pub(crate) mod error;
pub(crate) mod exception;
pub(crate) mod report;
