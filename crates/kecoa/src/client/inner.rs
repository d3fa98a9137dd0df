//! A session, and what it takes to make it anew: what both clients and their transactions stand on.

use std::sync::Arc;

use kecoa_proto::{Notification, ServerError, TransactionStatus};

use super::canceller::Canceller;
use crate::config::{Config, Target};
use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::net::network::Network;
use crate::net::wire::{Connector, Link};
use crate::session::{Session, cache};

/// A connection that can be made again.
pub(crate) struct InnerClient {
    session: Session,
    connector: Arc<dyn Connector>,
    config: Option<Arc<Config>>,
    closed_by_caller: bool,
    statement_cache: usize,
}

impl InnerClient {
    pub(crate) fn connect(config: &Config, hook: &mut dyn Interrupt) -> Result<InnerClient, Error> {
        let network = Network::new(config)?;
        let config = network.config().clone();
        let mut client = InnerClient::through(Arc::new(network), hook)?;
        client.session.accept_streams(config.wants_replication());
        client.session.limit_results(config.max_result_size());
        client.session.poll_for(config.busy_poll());
        client.config = Some(config);
        Ok(client)
    }

    pub(crate) fn through(
        connector: Arc<dyn Connector>,
        hook: &mut dyn Interrupt,
    ) -> Result<InnerClient, Error> {
        let session = Session::new(connector.connect(hook)?);
        Ok(InnerClient {
            session,
            connector,
            config: None,
            closed_by_caller: false,
            statement_cache: cache::CAPACITY,
        })
    }

    pub(crate) fn reconnect(&mut self, hook: &mut dyn Interrupt) -> Result<(), Error> {
        self.session.close();
        let link = self.connector.connect(hook)?;
        self.adopt(link);
        Ok(())
    }

    /// Goes on with another connection.
    pub(crate) fn adopt(&mut self, link: Link) {
        self.session = Session::new(link);
        self.session.statements().set_capacity(self.statement_cache);
        self.session.limit_results(self.config.as_deref().and_then(Config::max_result_size));
        self.session.poll_for(self.config.as_deref().map(Config::busy_poll).unwrap_or_default());
        let replication = self.config.as_deref().is_some_and(Config::wants_replication);
        self.session.accept_streams(replication);
        self.closed_by_caller = false;
    }

    #[cfg(feature = "tokio")]
    pub(crate) fn connector(&self) -> Arc<dyn Connector> {
        self.connector.clone()
    }

    pub(crate) fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    pub(crate) fn session_ref(&self) -> &Session {
        &self.session
    }

    pub(crate) fn set_statement_cache_capacity(&mut self, capacity: usize) {
        self.statement_cache = capacity;
        self.session.statements().set_capacity(capacity);
    }

    pub(crate) fn config(&self) -> Option<&Config> {
        self.config.as_deref()
    }

    pub(crate) fn target(&self) -> Option<&Target> {
        self.session.target()
    }

    pub(crate) fn canceller(&self) -> Canceller {
        Canceller::new(self.session.canceller())
    }

    pub(crate) fn transaction_status(&self) -> TransactionStatus {
        self.session.transaction_status()
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.session.connection().parameter(name)
    }

    pub(crate) fn parameter_reports(&self) -> u64 {
        self.session.connection().parameter_reports()
    }

    pub(crate) fn crdb_version(&self) -> Option<&str> {
        self.session.connection().crdb_version()
    }

    pub(crate) fn process_id(&self) -> Option<i32> {
        self.session.connection().cancel_key().map(|key| key.process_id)
    }

    pub(crate) fn tls_info(&self) -> Option<(&'static str, &'static str)> {
        self.session.tls_info()
    }

    pub(crate) fn take_notices(&mut self) -> Vec<ServerError> {
        self.session.take_notices()
    }

    pub(crate) fn take_notifications(&mut self) -> Vec<Notification> {
        self.session.take_notifications()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.session.is_closed()
    }

    pub(crate) fn close(&mut self) {
        self.closed_by_caller = true;
        self.session.close();
    }

    pub(crate) fn was_closed_by_caller(&self) -> bool {
        self.closed_by_caller
    }

    /// Closes the connection on the way to a fresh one.
    pub(crate) fn disconnect(&mut self) {
        self.session.close();
    }
}
