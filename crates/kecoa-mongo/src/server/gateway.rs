//! The gateway as the service that answers.

use std::sync::atomic::Ordering;

use super::service::{Address, Arrival, Service};
use crate::command::{Connection, Gateway, Outcome};
use crate::wire::Request;

impl Service for Gateway {
    type Client = Connection;

    fn connect(&self, arrival: &Arrival) -> Connection {
        self.connections.fetch_add(1, Ordering::Relaxed);
        self.connections_created.fetch_add(1, Ordering::Relaxed);
        let peer = match arrival.address {
            Address::Tcp(address) => Some(address),
            Address::Unix => None,
        };
        let mut connection = Connection::new(arrival.id, peer, arrival.local);
        connection.gone = Some(arrival.gone.clone());
        connection
    }

    async fn handle(&self, client: &mut Connection, request: Request) -> Outcome {
        Gateway::handle(self, client, request).await
    }

    fn is_admitted(&self, client: &Connection) -> bool {
        !self.options.authentication || client.login.is_some()
    }

    /// Its cursors and transactions stay until their time is over: other connections may use them.
    fn disconnect(&self, client: Connection) {
        drop(client);
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }
}
