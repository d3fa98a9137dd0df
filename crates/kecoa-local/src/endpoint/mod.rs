//! Accepts clients, plans each statement, forwards to PostgreSQL, rewrites replies.
//!
//! One task a client, one PostgreSQL session behind it. Messages are taken one after the other, as
//! PostgreSQL itself takes them; the extended protocol's are sent on in batches up to a Sync or
//! Flush, or up to a statement that depends on what came before. What the endpoint adds (look-ups,
//! a second statement behind `CREATE TABLE`) goes through the same session, so it sees and obeys
//! the client's transaction; its replies are not shown. Errors of the endpoint's own are raised
//! inside PostgreSQL, so the transaction and the protocol are left as a real error leaves them.

mod answers;
mod backend;
mod cancel;
mod database;
mod expect;
mod extended;
mod flow;
mod lobby;
mod lookup;
mod options;
mod own_statements;
mod relay;
mod replies;
mod run;
mod scram;
mod script;
mod session;
mod shared;
mod simple;
mod socket;
mod startup;
mod stream;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub use options::{BackendAddress, EndpointOptions};
pub use scram::Verifier;
use shared::Shared;
use socket::{Arrival, Socket, accept};

/// A bound listener that speaks CockroachDB's dialect in front of PostgreSQL.
#[derive(Debug)]
pub struct Endpoint {
    listener: TcpListener,
    socket: Option<Socket>,
    shared: Arc<Shared>,
}

/// How long clients have to take the news when the endpoint stops.
const GOODBYE: Duration = Duration::from_secs(1);

/// How long to wait after accept() failed, for file descriptors to become free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

impl Endpoint {
    /// Binds the listener. Clients are answered once [`serve`](Self::serve) runs.
    ///
    /// # Errors
    /// What the operating system says of the address: in use, not allowed.
    pub async fn bind(options: EndpointOptions) -> io::Result<Self> {
        let listener = TcpListener::bind(options.listen).await?;
        let keys = cancel::Keys::default();
        let shared = Arc::new(Shared { options, keys, lobby: lobby::Lobby::default() });
        Ok(Self { listener, socket: None, shared })
    }

    /// Listens on a unix socket, too, where processes of the same user need no password. The
    /// directory of `path` must be closed to others; what stands at `path` is replaced.
    ///
    /// # Errors
    /// What the operating system says of the path. Outside of a tokio runtime.
    pub fn bind_socket(&mut self, path: &Path) -> io::Result<()> {
        self.socket = Some(Socket::bind(path)?);
        Ok(())
    }

    /// The address that was bound, with the real port.
    ///
    /// # Errors
    /// When the operating system cannot tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves clients until `shutdown` is done. Those still connected are told (57P01), and their
    /// connections are closed.
    ///
    /// # Errors
    /// When the listener itself is broken; a client's failure ends that client only.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let (stop, stopped) = watch::channel(false);
        let mut clients = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                accepted = accept(&self.listener, self.socket.as_ref()) => match accepted {
                    Ok(client) => {
                        clients.spawn(serve_client(client, self.shared.clone(), stopped.clone()));
                    }
                    // A client that left before it was accepted, or no descriptors: both pass.
                    Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
                },
                Some(_) = clients.join_next() => {}
            }
        }
        let _ = stop.send(true);
        let goodbye = async { while clients.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(GOODBYE, goodbye).await;
        Ok(())
    }
}

async fn serve_client(client: Arrival, shared: Arc<Shared>, stopped: watch::Receiver<bool>) {
    if let Some(session) = startup::open(client, shared, stopped).await {
        session.run().await;
    }
}
