//! `\c` and `\conninfo`: another connection, and what this one is.

use kecoa::Config;
use kecoa::proto::TransactionStatus;

use crate::escape;
use crate::password::connect_asking;
use crate::say::{note, say};
use crate::shell::{Flow, Shell};

impl Shell {
    pub(super) fn connect_to(&mut self, arguments: &[String]) -> Flow {
        let mut config = match arguments.first().map(String::as_str) {
            None | Some("-") => Ok(self.config.clone()),
            Some(text) if text.contains("://") || text.contains('=') => Config::parse(text),
            Some(database) => {
                let mut config = self.config.clone();
                let name = crate::catalogue::Pattern::database(database);
                config.set("dbname", name).map(|_| ()).map(|()| config)
            }
        };
        // psql's other arguments: user, host, port.
        for (name, value) in ["user", "host", "port"].iter().zip(arguments.iter().skip(1)) {
            if value != "-"
                && let Ok(given) = &mut config
                && let Err(error) = given.set(name, value.as_str())
            {
                return self.refuse(&escape::line(error.to_string().as_bytes()));
            }
        }
        let was_open = self.transaction() != TransactionStatus::Idle;
        let connected = config.and_then(|config| {
            self.interrupted.take();
            let may_ask = self.manner.interactive;
            connect_asking(&mut |config| self.connect(config), &config, may_ask)
        });
        match connected {
            Ok(()) => {
                if was_open {
                    note("the transaction of the old connection was rolled back");
                    self.leaves_transaction = true;
                }
                if !self.manner.quiet && self.manner.interactive {
                    let place = format!("connected to {} as {}", self.database, self.user);
                    say(&escape::line(place.as_bytes()));
                }
                Flow::Next
            }
            Err(error) => {
                let text = escape::lines(error.to_string().as_bytes()).into_owned();
                self.refuse(&format!("{text}\nkecoa: the connection before is kept"))
            }
        }
    }

    pub(super) fn connection_info(&self) -> String {
        let Some(connection) = &self.connection else { return "not connected".to_owned() };
        let client = connection.client();
        let mut lines = vec![connection.server_name()];
        lines.push(format!("database {}, user {}", self.database, self.user));
        if let Some(target) = client.target() {
            lines.push(match target.socket_path() {
                Some(path) => format!("unix socket {path}"),
                None => {
                    let address = target.hostaddr.as_deref().map(|a| format!(" ({a})"));
                    format!(
                        "host {}{}, port {}",
                        target.host,
                        address.unwrap_or_default(),
                        target.port
                    )
                }
            });
        }
        lines.push(match client.tls_info() {
            Some((version, cipher)) => format!("TLS: {version}, {cipher}"),
            None => "not encrypted".to_owned(),
        });
        if let Some(process) = client.process_id() {
            lines.push(format!("process {process} of the server"));
        }
        lines.push(match client.transaction_status() {
            TransactionStatus::Idle => "no transaction is open".to_owned(),
            TransactionStatus::InTransaction => "a transaction is open".to_owned(),
            TransactionStatus::Failed => "a transaction is open and has failed".to_owned(),
        });
        if connection.is_closed() {
            lines.push("the connection is lost".to_owned());
        }
        lines
            .iter()
            .map(|line| escape::line(line.as_bytes()).into_owned())
            .collect::<Vec<_>>()
            .join("\n")
    }
}
