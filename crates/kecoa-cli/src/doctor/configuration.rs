//! The configuration: what is asked for, and who says so.

use std::env;

use kecoa::Config;
use kecoa::config::{Environment, Target, options};
use kecoa_local::{Options, Status, redacted, status, usable};
use serde_json::{Map, Value, json};

use super::report::{Report, Step};
use crate::database_url::{EMPTY_VARIABLE, environment_names_server, limited};

/// What the further steps connect with.
pub(super) struct Setup {
    pub(super) config: Config,
    pub(super) targets: Vec<Target>,
    /// Nobody named a database: the defaults count.
    pub(super) unnamed: bool,
}

pub(super) fn examine(url: Option<&str>, report: &mut Report) -> Option<Setup> {
    let mut step = Step::new("configuration");
    let setup = read(url, &mut step);
    report.add(step);
    setup
}

fn read(url: Option<&str>, step: &mut Step) -> Option<Setup> {
    let (text, origin) = match url {
        Some(url) => (url.to_owned(), "given"),
        None => match env::var_os("DATABASE_URL") {
            Some(url) if url.to_string_lossy().trim().is_empty() => {
                step.fail(EMPTY_VARIABLE.0, EMPTY_VARIABLE.1);
                return None;
            }
            Some(url) => match url.into_string() {
                Ok(url) => (url, "DATABASE_URL"),
                Err(_) => {
                    step.fail(
                        "expected UTF-8 in DATABASE_URL, found other bytes",
                        "write what is not ASCII percent-encoded, as UTF-8",
                    );
                    return None;
                }
            },
            None => without_url(step)?,
        },
    };
    let unnamed = text.is_empty() && !environment_names_server();
    let text = without_driver(text, step);
    let given = match Config::parse(&text) {
        Ok(config) => config,
        Err(error) => {
            step.fail(
                error.to_string(),
                "write it as postgresql://user:password@host:port/database",
            );
            return None;
        }
    };
    let resolved = limited(given.clone()).and_then(|limited| {
        let config = limited.resolve(&Environment::from_process())?;
        let targets = config.targets()?;
        Ok(Setup { config, targets, unnamed })
    });
    match resolved {
        Ok(setup) => {
            show(&given, &setup, origin, step);
            Some(setup)
        }
        Err(error) => {
            step.fail(error.to_string(), "correct this option where it was given");
            None
        }
    }
}

/// What is checked where no URL is given: the server of the PG* variables, or the local endpoint. Nothing where
/// that is there and cannot be used: the defaults mean another server, which nobody asked for.
fn without_url(step: &mut Step) -> Option<(String, &'static str)> {
    let local = status(&Options::default());
    let advice = "programs find it by export DATABASE_URL=\"$(kecoa local url)\"";
    if environment_names_server() {
        step.finding("no URL was given and DATABASE_URL is not set: the PG* variables count");
        if let Ok(Status::Running(local)) = local {
            step.consider(format!("a local endpoint runs, {}; {advice}", redacted(&local.url)));
        }
        return Some((String::new(), "given"));
    }
    let other = "name another database, by a URL or DATABASE_URL";
    match local {
        // What is said of it says what to do.
        Ok(status @ (Status::Starting | Status::Stopping | Status::Broken { .. })) => {
            if let Err(error) = usable(status, &Options::default()) {
                step.fail(error.to_string(), format!("do that, or {other}"));
            }
            return None;
        }
        Ok(Status::Running(local)) => {
            step.finding("no URL was given and DATABASE_URL is not set: the local endpoint counts");
            step.consider(advice);
            return Some((local.url, "local endpoint"));
        }
        Err(error) => {
            step.fail(error.to_string(), format!("correct that, or {other}"));
            return None;
        }
        Ok(Status::Stopped) => {}
    }
    step.finding(
        "no URL was given, and no variable and no local endpoint that runs: defaults count",
    );
    Some((String::new(), "given"))
}

/// SQLAlchemy's URLs name a driver, and CockroachDB's dialect: neither is part of a connection.
fn without_driver(text: String, step: &mut Step) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text };
    let dialect = scheme.split('+').next().unwrap_or_default();
    let known = matches!(dialect, "postgresql" | "postgres" | "cockroachdb" | "cockroach");
    if !known || matches!(scheme, "postgresql" | "postgres") {
        return text;
    }
    step.finding(format!(
        "{scheme}:// is SQLAlchemy's form of postgresql://; outside of it write that"
    ));
    format!("postgresql://{rest}")
}

/// Every option, who gave it, and nothing that is secret.
fn show(given: &Config, setup: &Setup, origin: &str, step: &mut Step) {
    let mut facts = Map::new();
    for (name, value) in setup.config.pairs() {
        if name == "connect_timeout" && given.get(name).is_none() && variable(name).is_none() {
            continue;
        }
        let value = if Config::is_secret(name) && !value.is_empty() { "xxx" } else { value };
        let from = source(name, given, origin);
        step.finding(format!("{name}={value} ({from})"));
        facts.insert(name.to_owned(), json!({ "value": value, "source": from }));
    }
    let without_password = setup.config.password().is_none();
    let from_file = (0..setup.targets.len()).any(|i| setup.config.has_password(i));
    if without_password && from_file {
        step.finding("password=xxx (password file)");
        facts.insert("password".to_owned(), json!({ "value": "xxx", "source": "password file" }));
    }
    step.fact("options", Value::Object(facts));
    for notice in setup.config.notices() {
        step.notice(notice);
    }
    let hosts: Vec<String> = setup.targets.iter().map(place).collect();
    let origin = if setup.unnamed { "default" } else { origin };
    step.summarize(format!(
        "{}@{}/{} ({origin})",
        setup.config.user().unwrap_or_default(),
        hosts.join(","),
        setup.config.dbname().unwrap_or_default()
    ));
}

/// A host as it stands in a URL, or the path of a socket.
fn place(target: &Target) -> String {
    let Target { host, port, .. } = target;
    target.socket_path().unwrap_or_else(|| {
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    })
}

fn variable(name: &str) -> Option<&'static str> {
    let option = options().find(|option| option.name == name)?;
    option.variable.filter(|variable| env::var_os(variable).is_some_and(|value| !value.is_empty()))
}

/// Who gave an option. What neither the caller nor a variable gave comes from a service file, if one
/// is in use and the option has no default that needs no file.
fn source(name: &str, given: &Config, origin: &str) -> String {
    let service = given.get("service").is_some() || variable("service").is_some();
    match name {
        _ if given.get(name).is_some() => origin.to_owned(),
        _ if service && variable(name).is_none() => "service file or default".to_owned(),
        _ => match (variable(name), name) {
            (Some(variable), _) => variable.to_owned(),
            (None, "user" | "dbname" | "host" | "port") => "default".to_owned(),
            (None, _) => "found in ~/.postgresql".to_owned(),
        },
    }
}
