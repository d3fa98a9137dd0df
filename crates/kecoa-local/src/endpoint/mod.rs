//! Accepts clients, plans each statement, forwards to PostgreSQL, rewrites replies.
//!
//! One task a client, one PostgreSQL session behind it, on one thread. Messages are taken one after the other, as
//! PostgreSQL itself takes them; the extended protocol's are sent on in batches up to a Sync or
//! Flush, or up to a statement that depends on what came before. What the endpoint adds (look-ups,
//! a second statement behind `CREATE TABLE`) goes through the same session, so it sees and obeys
//! the client's transaction; its replies are not shown. Errors of the endpoint's own are raised
//! inside PostgreSQL, so the transaction and the protocol are left as a real error leaves them.

mod answers;
mod backend;
mod cancel;
mod checks;
mod column_names;
mod context;
mod copy_rows;
mod database;
mod dropped;
mod expect;
mod extended;
mod flow;
mod given_values;
mod look;
mod lookup;
mod messages;
mod operator_words;
mod options;
mod origin;
mod own_statements;
mod passwords;
mod phrases;
mod relay;
mod replies;
mod request;
mod rerun;
mod run;
mod script;
mod seats;
mod session;
mod shared;
mod simple;
mod sqlstates;
mod startup;
mod texts;
mod too_long;
mod whose;
mod wording;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use kecoa_server::accept::{self, Limits, Shutdown};
use kecoa_server::listener::{Listener, Peer};
pub use kecoa_server::scram::Password;
use kecoa_server::unauthenticated::Slot;
use kecoa_server::workers::Workers;
pub use options::{BackendAddress, EndpointOptions, PasswordReader};
use shared::Shared;

/// A bound listener that speaks CockroachDB's dialect in front of PostgreSQL.
#[derive(Debug)]
pub struct Endpoint {
    listener: Listener,
    workers: Workers,
    shared: Arc<Shared>,
}

impl Endpoint {
    /// Binds the listener. Clients are answered once [`serve`](Self::serve) runs.
    ///
    /// # Errors
    /// What the operating system says of the address: in use, not allowed; when it has no threads.
    pub async fn bind(options: EndpointOptions) -> io::Result<Self> {
        let listener = Listener::bind(options.listen).await?;
        let workers = Workers::start()?;
        Ok(Self { listener, workers, shared: Arc::new(Shared::new(options)) })
    }

    /// Listens on a unix socket, too, where processes of the same user need no password. The
    /// directory of `path` must be closed to others; what stands at `path` is replaced.
    ///
    /// # Errors
    /// What the operating system says of the path. Outside of a tokio runtime.
    pub fn bind_socket(&mut self, path: &Path) -> io::Result<()> {
        self.listener.bind_socket(path)
    }

    /// The address that was bound, with the real port.
    ///
    /// # Errors
    /// When the operating system cannot tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves clients until `shutdown` is done. Those still connected receive an error (57P01), and their
    /// connections are closed.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) {
        let handle = |peer: Peer, stop| {
            // Whoever may read the socket's folder needs no password.
            let slot = (!peer.is_same_user()).then(|| self.shared.unauthenticated.enter());
            serve_client(peer, slot, self.shared.clone(), stop)
        };
        accept::serve_on(&self.workers, &self.listener, Limits::default(), shutdown, handle).await;
    }
}

async fn serve_client(peer: Peer, slot: Option<Slot>, shared: Arc<Shared>, shutdown: Shutdown) {
    if let Some(session) = startup::open(peer, slot, shared, shutdown).await {
        session.run().await;
    }
}
