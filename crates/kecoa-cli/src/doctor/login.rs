//! Logging in: whether the server takes the user, and how it asks.

use std::time::Duration;

use kecoa::blocking::Client;
use kecoa::server_probe::{self, Authentication};
use kecoa::{Error, ErrorKind};

use super::configuration::Setup;
use super::network::{Reached, is_near};
use super::report::{Report, Step};

const TIMEOUT: Duration = Duration::from_secs(5);

pub(super) fn examine(setup: &Setup, reached: &Reached, report: &mut Report) -> Option<Client> {
    let mut step = Step::new("login");
    let client = match Client::connect(&setup.config) {
        Ok(client) => {
            succeeded(setup, reached, &client, &mut step);
            Some(client)
        }
        Err(error) => {
            step.fact("sqlstate", error.sqlstate());
            let change = advice(&error, setup);
            step.fail(error.to_string(), change);
            None
        }
    };
    report.add(step);
    client
}

fn succeeded(setup: &Setup, reached: &Reached, client: &Client, step: &mut Step) {
    let config = &setup.config;
    let (user, database) = (config.user().unwrap_or_default(), config.dbname().unwrap_or_default());
    step.finding(format!("as {user} to database {database}"));
    let tls = client.tls_info().is_some();
    step.finding(if tls { "encrypted" } else { "not encrypted" });
    step.fact("encrypted", tls);
    let asked =
        server_probe::authentication(config, &reached.target, reached.address, tls, TIMEOUT);
    step.summarize(format!("as {user}"));
    let Ok(Authentication::Method(method)) = asked else { return };
    step.summarize(match method.as_str() {
        "none" => format!("as {user}, no password was asked for"),
        other => format!("as {user}, by {other}"),
    });
    step.finding(match method.as_str() {
        "none" => "the server asked for no password (trust, or a client certificate)".to_owned(),
        other => format!("the server asked for authentication by {other}"),
    });
    step.fact("method", method.as_str());
    let local = is_near(reached);
    match method.as_str() {
        "none" if !local && config.get("sslcert").is_none() => {
            step.warn("anybody who reaches this server is let in: let it ask for scram-sha-256");
        }
        "password" if !tls && !local => {
            step.warn("the password travels in clear: use TLS, or scram-sha-256");
        }
        "md5" => step.warn(
            "md5 is weak and leaves PostgreSQL: set password_encryption to scram-sha-256, and the \
             passwords anew",
        ),
        _ => {}
    }
}

/// What to change, by what the server or the client said.
fn advice(error: &Error, setup: &Setup) -> String {
    let said = error.to_string();
    let text = match (error.kind(), error.sqlstate()) {
        (_, Some("28P01")) if said.contains("password retrieved from file") => {
            "the password of that file is wrong, or the user has none: correct the first of its lines that fits \
             host, port, database and user"
        }
        (_, Some("28P01")) => {
            "the password is wrong, or the user has none: correct it in the URL \
                               (special characters as %XX), PGPASSWORD or the password file"
        }
        (_, Some("28000")) => {
            "the server takes no such login: look at pg_hba.conf (user, database, \
                               address, TLS), or whether the user may log in"
        }
        (_, Some("3D000")) => "the database does not exist: create it, or name another one",
        (_, Some("53300")) => {
            "all connections are in use: close some, use a pool, or raise \
                               max_connections"
        }
        (_, Some("42501")) => {
            "the user may not do this: GRANT CONNECT ON DATABASE … TO the user, or name another database or user"
        }
        (_, Some("57P03")) => "the server starts up or shuts down: wait and try again",
        (ErrorKind::Authentication, _) if said.contains("no password") => {
            "give the password in the URL, PGPASSWORD or the password file"
        }
        (ErrorKind::Authentication, _) => {
            "the way to log in cannot be agreed on: compare \
                                           require_auth and channel_binding with the server"
        }
        (ErrorKind::Tls, _) => "correct TLS as said above; sslmode tells what is checked",
        (ErrorKind::Timeout, _) => {
            "the server took the connection and did not answer in time: look \
                                    at its load, or raise connect_timeout"
        }
        (_, None) if said.contains("expected a PostgreSQL or CockroachDB server") => {
            "this is no PostgreSQL or CockroachDB server: check host and port"
        }
        (ErrorKind::Connect, None)
            if setup.config.get("target_session_attrs").is_some_and(|attrs| attrs != "any")
                && (said.contains("read-only") || said.contains("hot standby")) =>
        {
            "target_session_attrs asks for another server than this: name all hosts, separated by commas, so that \
             the right one is found, or correct the option"
        }
        _ => "see what the server said, and its log",
    };
    text.to_owned()
}
