//! What `kecoa workload` takes.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use jiff::SignedDuration;
use kecoa::Isolation;
use kecoa_faults::Plan;
use kecoa_workload::{Client, Distribution, Mix, Name};

const EXIT: &str = "Without --url and DATABASE_URL it runs on the local endpoint, which it starts and leaves running.\n\n\
    Exit status: 0 when all invariants held, 1 when one was violated, not one transaction committed, or something failed, \
    2 for a mistake in the arguments, 130 when Ctrl-C ended a run, 143 for SIGTERM.";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(super) action: Action,
}

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Set a workload up: its schema, its tables and what is in them
    Init(InitArguments),
    /// Run a workload, and check its invariants all along and at the end
    Run(Box<RunArguments>),
    /// Check the invariants of a workload
    Check(CheckArguments),
}

/// How large a workload is; each has one of them.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Size {
    /// Accounts of `bank` [default: 1000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..))]
    pub(super) accounts: Option<u32>,
    /// Keys of `kv` and `ycsb` [default: 10000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) keys: Option<u32>,
    /// Warehouses of `tpcc` [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) warehouses: Option<u32>,
    /// Vehicles of `movr` [default: 500]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) vehicles: Option<u32>,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT)]
pub(super) struct InitArguments {
    /// bank, kv, ycsb, tpcc or movr
    pub(super) workload: Name,
    /// The database; `-` reads the URL from standard input [default: $DATABASE_URL, or the local endpoint]
    // Not clap's `env`: that would show a password in `--help`.
    #[arg(long)]
    pub(super) url: Option<String>,
    #[command(flatten)]
    pub(super) size: Size,
    /// Drop what there is of the workload first
    #[arg(long)]
    pub(super) drop: bool,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT)]
pub(super) struct CheckArguments {
    /// bank, kv, ycsb, tpcc or movr
    pub(super) workload: Name,
    /// The database; `-` reads the URL from standard input [default: $DATABASE_URL, or the local endpoint]
    #[arg(long)]
    pub(super) url: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT)]
pub(super) struct RunArguments {
    /// bank, kv, ycsb, tpcc or movr
    pub(super) workload: Name,
    /// The database; `-` reads the URL from standard input [default: $DATABASE_URL, or the local endpoint]
    #[arg(long)]
    pub(super) url: Option<String>,
    /// Set the workload up first, unless it is there
    #[arg(long)]
    pub(super) init: bool,
    #[command(flatten)]
    pub(super) size: Size,
    /// How long: `30s`, `5m`, `1h` [default: until Ctrl-C]
    #[arg(long, value_name = "TIME", value_parser = above_zero)]
    pub(super) duration: Option<Duration>,
    /// How many workers, with a connection each
    #[arg(long, value_name = "N", default_value = "8", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) concurrency: u32,
    /// How many transactions begin in a second, all workers together [default: as many as they can]
    #[arg(long, value_name = "N", value_parser = rate)]
    pub(super) rate: Option<f64>,
    /// During this time one worker after the other begins
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "0s")]
    pub(super) ramp: Duration,
    /// The seed of what the workers do, and of faults; the same seed, the same draws [default: any]
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// How often each item is drawn: uniform, zipf[:THETA], latest[:THETA], or hot:ITEMS:SHARE, such as
    /// hot:2:0.9 for contention [default: the workload's]
    #[arg(long, value_name = "WHICH")]
    pub(super) distribution: Option<Distribution>,
    /// Which part of the transactions of `kv` only reads, in percent [default: 50]
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(..=100))]
    pub(super) reads: Option<u8>,
    /// Which core workload of YCSB `ycsb` runs, a to f [default: b]
    #[arg(long, value_name = "MIX")]
    pub(super) mix: Option<Mix>,
    /// The entry point: blocking, tokio or python
    #[arg(long, value_name = "WHICH", default_value = "blocking")]
    pub(super) client: Client,
    /// The isolation level of the transactions
    #[arg(long, value_enum, value_name = "LEVEL", default_value = "serializable")]
    pub(super) isolation: IsolationName,
    /// How often a transaction is tried at most
    #[arg(long, value_name = "N", default_value = "10", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) max_attempts: u32,
    /// Time between two checks of the invariants; 0s: only at the end
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "1s")]
    pub(super) check_every: Duration,
    /// What is to go wrong between the workers and the server, such as `drop:0.01, error:40001@commit:0.2`
    #[arg(long, value_name = "PLAN")]
    pub(super) faults: Option<Plan>,
    /// Kill and restart the database server again and again, this long after it came back; only of an endpoint of
    /// its own, called `workload`
    #[arg(long, value_name = "TIME", value_parser = above_zero, conflicts_with = "url")]
    pub(super) kill: Option<Duration>,
    /// No live view, where standard error is a terminal; nor is there one with --json or --quiet
    #[arg(long)]
    pub(super) no_live: bool,
    /// Write a report with charts to this file, as HTML, however the run ends
    #[arg(long, value_name = "FILE", value_parser = crate::path::parser())]
    pub(super) report: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum IsolationName {
    Serializable,
    RepeatableRead,
    ReadCommitted,
}

impl From<IsolationName> for Isolation {
    fn from(name: IsolationName) -> Isolation {
        match name {
            IsolationName::Serializable => Isolation::Serializable,
            IsolationName::RepeatableRead => Isolation::RepeatableRead,
            IsolationName::ReadCommitted => Isolation::ReadCommitted,
        }
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let parsed: Option<SignedDuration> = text.parse().ok();
    let parsed = parsed.and_then(|duration| Duration::try_from(duration).ok());
    parsed.ok_or_else(|| format!("expected a time such as 500ms, 30s, 5m or 1h30m, found {text:?}"))
}

fn above_zero(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err(format!("expected a time above 0, found {text:?}")),
        time => Ok(time),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| rate.is_finite() && *rate > 0.0);
    rate.ok_or_else(|| format!("expected a number above 0, found {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("1h30m"), Ok(Duration::from_secs(5_400)));
        assert_eq!(duration("0s"), Ok(Duration::ZERO));
        assert_eq!(above_zero("1s"), Ok(Duration::from_secs(1)));
        for nothing in ["0s", "0ms", "0h"] {
            assert!(above_zero(nothing).unwrap_err().contains("above 0"), "{nothing}");
        }
        for wrong in ["", "10", "-5s", "soon"] {
            assert!(duration(wrong).unwrap_err().contains("30s"), "{wrong}");
        }
        assert!(rate("0").is_err() && rate("inf").is_err() && rate("2.5") == Ok(2.5));
    }
}
