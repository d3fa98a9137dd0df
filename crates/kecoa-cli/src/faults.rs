//! `kecoa faults`: fault injection in front of any server.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use clap::Args;
use kecoa::Config;
use kecoa::config::Environment;
use kecoa_faults::{FaultEvent, Log, Plan, ProxyOptions, Upstream};
use serde_json::json;

use crate::database_url;
use crate::failure::Failure;
use crate::output::Output;
use crate::signals::Ending;

#[derive(Debug, Args)]
#[command(
    after_help = "Prints the URL to connect to, and a line on standard error for each fault. \
    A client chooses the seed of its connection by `options=-c kecoa.fault_seed=N`. Statements \
    are seen on plain connections only; of TLS, bytes."
)]
pub(crate) struct Arguments {
    /// The server: a URL or connection string, as for any client; its first host is used. `-` reads
    /// it from standard input [default: $DATABASE_URL]
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// What is to go wrong, such as `drop:0.01, error:40001@commit:0.2`
    #[arg(long, value_name = "PLAN")]
    faults: Plan,
    /// The seed that the faults are drawn from; the same seed, the same faults [default: any]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Listen on this port of 127.0.0.1 [default: a free one]
    #[arg(long, default_value = "0", hide_default_value = true)]
    port: u16,
}

/// Serves until a signal stops it.
pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<i32, Failure> {
    let to = database_url::find(arguments.to.as_deref(), output)?.ok_or_else(|| {
        Failure::Other("expected --to URL or DATABASE_URL, found neither".to_owned())
    })?;
    let config = Config::parse(&to)?.resolve(&Environment::from_process())?;
    let seed = arguments.seed.unwrap_or_else(kecoa_faults::draw_seed);
    let options = ProxyOptions {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port)),
        upstream: upstream(&config)?,
        plan: arguments.faults.clone(),
        seed,
        log: report_to(*output),
    };
    output.note(&format!("faults `{}`, seed {seed}; Ctrl-C ends it", arguments.faults));
    let mut printed = Ok(());
    let ending = Ending::watch()?;
    kecoa_faults::run(options, &mut |address| {
        let url = url(&config, address);
        if let Some(note) = password_note(&config) {
            output.note(note);
        }
        let faults = arguments.faults.to_string();
        let value = json!({ "url": url, "faults": faults, "seed": seed });
        printed = output.result(&value, || url);
    })
    .map_err(|error| Failure::Other(format!("listening on 127.0.0.1: {error}")))?;
    ending.status(printed, true)
}

/// Reports faults on standard error, also with `--quiet`: they are what the command is for.
fn report_to(output: Output) -> Log {
    Arc::new(move |event: &FaultEvent| {
        if output.is_json() {
            let FaultEvent { seed, connection, direction, byte, message, what } = event;
            output.say_json(&json!({
                "level": "fault",
                "seed": seed,
                "connection": connection,
                "direction": direction.to_string(),
                "byte": byte,
                "message": message,
                "what": what,
            }));
        } else {
            // When standard error is closed there is no place left to say so.
            let _ = writeln!(std::io::stderr(), "{event}");
        }
    })
}

/// The server that a proxy is to stand in front of: the first host.
pub(crate) fn upstream(config: &Config) -> Result<Upstream, Failure> {
    let targets = config.targets()?;
    let Some(target) = targets.first() else {
        return Err(Failure::Other(
            "expected a host to put the proxy in front of, found none".to_owned(),
        ));
    };
    Ok(match target.socket_path() {
        Some(path) => Upstream::Unix(path.into()),
        None => {
            let host = target.hostaddr.clone().unwrap_or_else(|| target.host.clone());
            Upstream::Tcp(host, target.port)
        }
    })
}

/// The URL of the proxy: the server's user and database, and TLS only where it was asked for,
/// because statements cannot be seen in it. No password.
fn url(config: &Config, address: SocketAddr) -> String {
    let user = config.user().map(|user| format!("{}@", escaped(user))).unwrap_or_default();
    let database = escaped(config.dbname().unwrap_or_default());
    let mode = config.get("sslmode").unwrap_or("disable");
    format!("postgresql://{user}{address}/{database}?sslmode={mode}")
}

/// What is left to do where the server wants a password.
fn password_note(config: &Config) -> Option<&'static str> {
    (config.has_password(0)).then_some(
        "the URL is without the server's password: write it behind the user, or set PGPASSWORD; \
         of a local endpoint `kecoa local url` prints it",
    )
}

fn escaped(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    text.bytes()
        .map(|byte| match plain(&byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_spoken_of_and_not_printed() {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 7));
        let secret = Config::parse("postgresql://me:s3cret@h:1/b").unwrap();
        assert_eq!(url(&secret, address), "postgresql://me@127.0.0.1:7/b?sslmode=disable");
        let note = password_note(&secret).unwrap();
        assert!(note.contains("kecoa local url") && !note.contains("s3cret"), "{note}");
        assert_eq!(password_note(&Config::parse("postgresql://me@h:1/b").unwrap()), None);
    }
}
