//! Who answers requests.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;

use crate::command::{Gone, Outcome};
use crate::wire::Request;

/// Answers the requests of all clients.
pub trait Service: Send + Sync + 'static {
    /// What is kept for one client.
    type Client: Send + 'static;

    /// A client has come.
    fn connect(&self, arrival: &Arrival) -> Self::Client;

    /// Answers a request. The future is dropped when the client goes away before it is done, unless the client
    /// expects no reply.
    fn handle(
        &self,
        client: &mut Self::Client,
        request: Request,
    ) -> impl Future<Output = Outcome> + Send;

    /// Whether the client has shown who it is, or need not.
    fn is_admitted(&self, client: &Self::Client) -> bool;

    /// A client has gone, whatever the reason. Called once for each.
    fn disconnect(&self, client: Self::Client);
}

/// A client that has come.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Its number, from 1; no other client of this process has it.
    pub id: i32,
    /// Where it comes from.
    pub address: Address,
    /// The server's own address that it has reached; none for the unix socket.
    pub local: Option<SocketAddr>,
    /// Whether the connection is encrypted.
    pub is_encrypted: bool,
    /// Tells whether it has gone.
    pub gone: Gone,
}

/// Where a client comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// Over TCP.
    Tcp(SocketAddr),
    /// Over the unix socket.
    Unix,
}

impl Address {
    /// Whether the client runs on this machine.
    #[must_use]
    pub fn is_local(self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().to_canonical().is_loopback(),
            Self::Unix => true,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix => f.write_str("anonymous unix socket"),
        }
    }
}
