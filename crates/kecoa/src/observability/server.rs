//! What spans say of the server.

use crate::config::Target;

/// A session, as far as a span is concerned.
pub(crate) trait Server {
    /// Whether the server is CockroachDB.
    fn is_cockroach(&self) -> bool;
    /// The place that is connected to.
    fn target(&self) -> Option<&Target>;
}
