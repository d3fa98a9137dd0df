//! `kecoa doctor`: what works between here and a database, step by step, and what to change.
//!
//! Each step needs those before it: after one that failed, the others are not reached.

mod configuration;
mod login;
mod network;
mod report;
mod server;
mod text;

use clap::Args;

use crate::database_url;
use crate::failure::Failure;
use crate::output::Output;
use report::Report;

#[derive(Debug, Args)]
#[command(
    after_help = "What is wrong comes first, with what to change; -v shows every step. Passwords are never printed. Nothing is changed in the database. The exit \
    status is 0 when every step works, with or without warnings, and 1 when one failed."
)]
pub(crate) struct Arguments {
    /// URL or connection string; `-` reads it from standard input [default: $DATABASE_URL, else the PG*
    /// variables that name a server, else the local endpoint that runs]
    #[arg(value_name = "DATABASE_URL")]
    url: Option<String>,
}

/// The steps, in order, by the name under which they are reported.
pub(crate) const STEPS: [&str; 12] = [
    "configuration",
    "name",
    "connection",
    "TLS",
    "login",
    "server",
    "clock",
    "latency",
    "isolation",
    "settings",
    "retry",
    "retry policy",
];

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<i32, Failure> {
    let mut report = Report::default();
    let url = database_url::from_argument(arguments.url.as_deref(), output)?;
    examine(url.as_deref(), &mut report);
    for name in STEPS {
        report.not_reached(name);
    }
    let show = if output.is_verbose() { text::detailed } else { text::short };
    output.result(&report.to_json(), || show(&report, output.stdout()))?;
    Ok(i32::from(report.has_failed()))
}

/// Goes as far as it can; what is not reached is not in the report.
fn examine(url: Option<&str>, report: &mut Report) {
    let Some(setup) = configuration::examine(url, report) else { return };
    let Some(reached) = network::examine(&setup, report) else { return };
    let Some(mut client) = login::examine(&setup, &reached, report) else { return };
    server::examine(&mut client, report);
    client.close();
}
