//! What a pool of tasks has beside its state.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Runs a pool on tasks of tokio's.
pub struct Tasks {
    pub(super) runtime: Handle,
    pub(super) epoch: Instant,
    /// For those who wait for a size.
    pub(super) changed: Notify,
    /// Wakes the maintenance, which holds on to nothing else while it sleeps.
    pub(super) wakeup: Arc<Notify>,
}

impl Tasks {
    pub(super) fn new(runtime: Handle) -> Tasks {
        Tasks { runtime, epoch: Instant::now(), changed: Notify::new(), wakeup: Arc::default() }
    }
}
