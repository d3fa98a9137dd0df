//! All clients, until the server stops.

use std::future::Future;
use std::sync::Arc;

use kecoa_server::accept::{self, Limits, Shutdown};
use kecoa_server::listener::{Listener, Peer};
use kecoa_server::unauthenticated::Slot;

use super::connection::Connection;
use super::service::{Arrival, Service};
use super::shared::Shared;
use super::stream::Stream;
use super::tls::Tls;

/// What clients are held to.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many are served, and how long they have to end when the server stops.
    pub limits: Limits,
    /// How many may be there that have not shown who they are: one more closes the oldest. Drivers watch servers by
    /// connections that never do, a few for each client.
    pub unauthenticated: usize,
    /// Whether and how connections are encrypted.
    pub tls: Tls,
}

impl Default for Options {
    /// Any number of clients, 4,096 that have not shown who they are, no encryption.
    fn default() -> Self {
        Self { limits: Limits::default(), unauthenticated: 4096, tls: Tls::Disabled }
    }
}

/// Serves clients until `shutdown` is done. A command that runs then is finished within
/// [`Options::limits`]' time; idle connections are closed at once.
pub async fn serve<S: Service>(
    listener: &Listener,
    service: Arc<S>,
    options: Options,
    shutdown: impl Future<Output = ()>,
) {
    let shared = Arc::new(Shared::new(service, options.unauthenticated));
    let tls = Arc::new(options.tls);
    accept::serve(listener, options.limits, shutdown, |peer, shutdown| {
        let slot = shared.unauthenticated.enter();
        one(shared.clone(), tls.clone(), peer, slot, shutdown)
    })
    .await;
}

/// One client.
async fn one<S: Service>(
    shared: Arc<Shared<S>>,
    tls: Arc<Tls>,
    peer: Peer,
    mut slot: Slot,
    mut shutdown: Shutdown,
) {
    let opened = tokio::select! {
        opened = Stream::open(peer, &tls) => opened,
        () = shutdown.requested() => return,
        () = slot.evicted() => return,
    };
    // Who leaves during the handshake, or speaks something else, need not be told.
    let Ok(stream) = opened else { return };
    let arrival = Arrival {
        id: shared.next_client(),
        address: stream.address,
        local: stream.local,
        is_encrypted: stream.is_encrypted,
        gone: stream.gone.clone(),
    };
    Connection::new(&shared, stream, &arrival, shutdown).run(slot).await;
}
