//! Which limit on time a statement has: its own, or the connection's.

use pyo3::prelude::*;

use super::Connection;
use crate::limit::{self, Limit, Limited};
use crate::sync::lock;

impl Connection {
    /// Puts a statement under a limit: its own, or the connection's.
    pub(crate) fn limited(&self, seconds: Option<f64>) -> PyResult<Limited> {
        let own = seconds.map(limit::parse).transpose()?;
        let time = own.or_else(|| lock(&self.state).statement_timeout);
        Ok(Limited::to(time.map(|time| Limit { time, commit: false })))
    }

    /// Puts what the connection sends by itself under its limit, unless a statement's own holds.
    pub(crate) fn limited_command(&self, commit: bool) -> Limited {
        let time = limit::current().map(|limit| limit.time);
        let time = time.or_else(|| lock(&self.state).statement_timeout);
        Limited::to(time.map(|time| Limit { time, commit }))
    }
}
