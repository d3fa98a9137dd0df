//! What both clients say of their connection.

/// The methods that say how a connection is doing, for a client whose connection is at the end of `$inner`.
macro_rules! connection_state {
    ($client:ty, $($inner:ident).+) => {
        impl $client {
            /// Whether a transaction is open, and whether it failed; idle when the connection is closed.
            #[must_use]
            pub fn transaction_status(&self) -> kecoa_proto::TransactionStatus {
                self.$($inner).+.transaction_status()
            }

            /// The value of a setting that the server reports by itself, such as `server_version`.
            #[must_use]
            pub fn parameter(&self, name: &str) -> Option<&str> {
                self.$($inner).+.parameter(name)
            }

            /// How often the server has reported a setting: while this stays the same, so do all of them.
            #[must_use]
            pub fn parameter_reports(&self) -> u64 {
                self.$($inner).+.parameter_reports()
            }

            /// CockroachDB's version, when the server is one.
            #[must_use]
            pub fn crdb_version(&self) -> Option<&str> {
                self.$($inner).+.crdb_version()
            }

            /// The process id of the server's side, when it gave one.
            #[must_use]
            pub fn process_id(&self) -> Option<i32> {
                self.$($inner).+.process_id()
            }

            /// TLS version and cipher suite, when the connection is encrypted.
            #[must_use]
            pub fn tls_info(&self) -> Option<(&'static str, &'static str)> {
                self.$($inner).+.tls_info()
            }

            /// The configuration in use, resolved.
            #[must_use]
            pub fn config(&self) -> Option<&$crate::config::Config> {
                self.$($inner).+.config()
            }

            /// The place that is connected to: one of those that the configuration names.
            #[must_use]
            pub fn target(&self) -> Option<&$crate::config::Target> {
                self.$($inner).+.target()
            }

            /// What it takes to cancel this connection's statement from elsewhere. Its
            /// [`cancel`]($crate::Canceller::cancel) waits for the server: with tokio, call it by
            /// `spawn_blocking`.
            #[must_use]
            pub fn canceller(&self) -> $crate::client::canceller::Canceller {
                self.$($inner).+.canceller()
            }

            /// Takes the notices and warnings that came so far, oldest first. At most 1,000 and 16 MiB
            /// are kept.
            pub fn take_notices(&mut self) -> Vec<kecoa_proto::ServerError> {
                self.$($inner).+.take_notices()
            }

            /// Whether the connection was closed, or found to be lost.
            #[must_use]
            pub fn is_closed(&self) -> bool {
                self.$($inner).+.is_closed()
            }

            /// Closes the connection, and tells the server so; an open transaction is rolled back by the
            /// server.
            pub fn close(&mut self) {
                self.$($inner).+.close();
            }
        }
    };
}

pub(crate) use connection_state;
