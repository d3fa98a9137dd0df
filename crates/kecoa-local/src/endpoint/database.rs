//! `USE`: the session moves to another database.

use super::backend::{self, Opened};
use super::flow::Flow;
use super::replies::Fields;
use super::session::Session;
use crate::dialect::quote::quote;

impl Session {
    /// Moves the session to another database: a new backend with the old one's settings.
    pub(super) async fn use_database(&mut self, name: Option<String>) -> Flow<Result<(), Fields>> {
        let name = name.unwrap_or_else(|| self.shared.options.database.clone());
        if name == self.database {
            return Ok(Ok(()));
        }
        let settings = "SELECT name, pg_catalog.current_setting(name) FROM pg_catalog.pg_settings \
                        WHERE source = 'session' AND name !~ '^transaction_'";
        let settings = match self.internal_query(settings).await? {
            Ok(settings) => settings,
            Err(error) => return Ok(Err(error)),
        };
        let address = &self.shared.options.backend;
        let opened =
            backend::open(address, &self.user, self.version, name.as_bytes(), &self.parameters)
                .await;
        let Opened { backend, frames, key, .. } = match opened {
            Ok(opened) => opened,
            Err(refused) => return Ok(Err(refused.into_fields())),
        };
        self.backend = backend;
        for frame in &frames {
            if frame.tag == b'S' {
                self.forward(frame);
            }
        }
        for setting in settings {
            if let [Some(name), Some(value)] = setting.as_slice() {
                let sql = format!(
                    "SELECT pg_catalog.set_config({}, {}, false)",
                    quote(name),
                    quote(value)
                );
                let _ = self.internal_query(&sql).await?;
            }
        }
        if let (Some(client), Some(key)) = (&self.key, key) {
            self.shared.keys.set(client, key.clone());
            self.serve_by(key);
        }
        self.database = name;
        self.transaction.settings.unsure = true;
        self.ran();
        self.statements.clear();
        self.portals.clear();
        Ok(Ok(()))
    }
}
