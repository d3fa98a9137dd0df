//! What all connections share.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use kecoa_server::unauthenticated::Unauthenticated;

/// What all connections share.
pub(super) struct Shared<S> {
    pub(super) service: Arc<S>,
    pub(super) unauthenticated: Unauthenticated,
    last_client: AtomicI32,
    last_message: AtomicI32,
}

impl<S> Shared<S> {
    pub(super) fn new(service: Arc<S>, unauthenticated: usize) -> Self {
        Self {
            service,
            unauthenticated: Unauthenticated::new(unauthenticated),
            last_client: AtomicI32::new(0),
            last_message: AtomicI32::new(0),
        }
    }

    /// The number of the next client, from 1.
    pub(super) fn next_client(&self) -> i32 {
        self.last_client.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }

    /// The number of the next message to any client. Numbers are used again after 4 billion.
    pub(super) fn next_message(&self) -> i32 {
        self.last_message.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }
}
