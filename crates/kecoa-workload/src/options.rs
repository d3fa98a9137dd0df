//! What a caller chooses.

use std::ffi::OsString;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use kecoa::retry::Policy;
use kecoa::{Config, Isolation};
use kecoa_faults::{Plan, Upstream};

use crate::distribution::Distribution;
use crate::error::Error;

/// Which workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Name {
    /// Money moves between accounts.
    Bank,
    /// Keys with versions are read and written.
    Kv,
    /// The core workloads of YCSB.
    Ycsb,
    /// The five transactions of TPC-C, on less data.
    Tpcc,
    /// Vehicles are rented and given back.
    Movr,
}

impl Name {
    /// All of them.
    pub const ALL: [Name; 5] = [Name::Bank, Name::Kv, Name::Ycsb, Name::Tpcc, Name::Movr];

    /// As on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Name::Bank => "bank",
            Name::Kv => "kv",
            Name::Ycsb => "ycsb",
            Name::Tpcc => "tpcc",
            Name::Movr => "movr",
        }
    }

    /// The schema that its tables are in.
    #[must_use]
    pub fn schema(self) -> &'static str {
        match self {
            Name::Bank => "kecoa_bank",
            Name::Kv => "kecoa_kv",
            Name::Ycsb => "kecoa_ycsb",
            Name::Tpcc => "kecoa_tpcc",
            Name::Movr => "kecoa_movr",
        }
    }

    /// What its size counts.
    #[must_use]
    pub fn items(self) -> &'static str {
        match self {
            Name::Bank => "accounts",
            Name::Kv | Name::Ycsb => "keys",
            Name::Tpcc => "warehouses",
            Name::Movr => "vehicles",
        }
    }

    /// Its size where none is chosen.
    #[must_use]
    pub fn default_size(self) -> u32 {
        match self {
            Name::Bank => 1_000,
            Name::Kv | Name::Ycsb => 10_000,
            Name::Tpcc => 1,
            Name::Movr => 500,
        }
    }

    /// The least size that it makes sense with.
    #[must_use]
    pub fn least_size(self) -> u32 {
        match self {
            Name::Bank => 2,
            Name::Kv | Name::Ycsb | Name::Tpcc | Name::Movr => 1,
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Name, String> {
        let found = Name::ALL.into_iter().find(|name| name.as_str() == text);
        found.ok_or_else(|| format!("expected bank, kv, ycsb, tpcc or movr, found {text:?}"))
    }
}

/// Which of the core workloads of YCSB.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mix {
    /// Half reads, half updates.
    A,
    /// 95% reads, 5% updates.
    #[default]
    B,
    /// Reads only.
    C,
    /// 95% reads of what is new, 5% inserts.
    D,
    /// 95% scans, 5% inserts.
    E,
    /// Half reads, half read-modify-writes.
    F,
}

impl FromStr for Mix {
    type Err = String;

    fn from_str(text: &str) -> Result<Mix, String> {
        Ok(match text {
            "a" | "A" => Mix::A,
            "b" | "B" => Mix::B,
            "c" | "C" => Mix::C,
            "d" | "D" => Mix::D,
            "e" | "E" => Mix::E,
            "f" | "F" => Mix::F,
            _ => return Err(format!("expected one of a to f, found {text:?}")),
        })
    }
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mix::A => "a",
            Mix::B => "b",
            Mix::C => "c",
            Mix::D => "d",
            Mix::E => "e",
            Mix::F => "f",
        })
    }
}

/// The entry point that a run drives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// A thread a worker, and the blocking client.
    Blocking,
    /// A task a worker, and the client for tokio, on a thread a core.
    Tokio,
    /// A thread a worker, and the Python driver, in a process of its own.
    Python,
}

impl Client {
    /// As on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Client::Blocking => "blocking",
            Client::Tokio => "tokio",
            Client::Python => "python",
        }
    }
}

impl FromStr for Client {
    type Err = String;

    fn from_str(text: &str) -> Result<Client, String> {
        let all = [Client::Blocking, Client::Tokio, Client::Python];
        let found = all.into_iter().find(|client| client.as_str() == text);
        found.ok_or_else(|| format!("expected blocking, tokio or python, found {text:?}"))
    }
}

/// Faults between the workers and the server. Set-up, checks and look-ups go around them.
#[derive(Debug, Clone)]
pub struct Faults {
    /// What is to go wrong.
    pub plan: Plan,
    /// The server behind.
    pub upstream: Upstream,
}

/// What a run is to be. Sizes are those that the workload was set up with.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Which workload.
    pub name: Name,
    /// How long; until it is stopped when not set.
    pub duration: Option<Duration>,
    /// How many workers, each with a connection; at least 1.
    pub concurrency: u32,
    /// How many transactions begin in a second, over all workers; as many as they can when not set.
    pub rate: Option<f64>,
    /// During this time one worker after the other begins.
    pub ramp: Duration,
    /// What random numbers are drawn from.
    pub seed: u64,
    /// How often each item is drawn; the workload's own when not set.
    pub distribution: Option<Distribution>,
    /// Which part of the transactions of `kv` only reads, in percent; half of them when not set.
    pub reads: Option<u8>,
    /// The mix of `ycsb`; [`Mix::B`] when not set.
    pub mix: Option<Mix>,
    /// The entry point.
    pub client: Client,
    /// The command that the Python driver is run by: an interpreter and its first arguments.
    pub python: Vec<OsString>,
    /// The isolation level of the transactions.
    pub isolation: Isolation,
    /// How often and for how long a transaction is tried.
    pub policy: Policy,
    /// Time between two checks of the invariants; only at the end when not set.
    pub check_every: Option<Duration>,
    /// Faults to inject.
    pub faults: Option<Faults>,
    /// Time between two kills of the server.
    pub kill_every: Option<Duration>,
}

impl RunOptions {
    /// The defaults of the command line, for a workload with this seed.
    #[must_use]
    pub fn new(name: Name, seed: u64) -> RunOptions {
        RunOptions {
            name,
            duration: None,
            concurrency: 8,
            rate: None,
            ramp: Duration::ZERO,
            seed,
            distribution: None,
            reads: None,
            mix: None,
            client: Client::Blocking,
            python: vec!["python3".into()],
            isolation: Isolation::Serializable,
            policy: Policy::default(),
            check_every: Some(Duration::from_secs(1)),
            faults: None,
            kill_every: None,
        }
    }

    /// Sees that the options go together, and are the workload's: none is ignored.
    ///
    /// # Errors
    /// [`Error::Usage`] for one that cannot be, and what can.
    pub fn validate(&self) -> Result<(), Error> {
        let name = self.name;
        let refused = |what: String| Err(Error::Usage(what));
        if self.concurrency == 0 {
            return refused("expected a concurrency of at least 1, found 0".to_owned());
        }
        if self.rate.is_some_and(|rate| !rate.is_finite() || rate <= 0.0) {
            return refused("expected a rate above 0 transactions a second".to_owned());
        }
        if self.reads.is_some_and(|reads| reads > 100) {
            return refused("expected reads of at most 100 percent".to_owned());
        }
        if self.reads.is_some() && name != Name::Kv {
            return refused(format!("--reads is an option of kv, not of {name}: leave it out"));
        }
        if self.mix.is_some() && name != Name::Ycsb {
            return refused(format!("--mix is an option of ycsb, not of {name}: leave it out"));
        }
        if self.distribution.is_some() && name == Name::Tpcc {
            return refused(
                "tpcc has distributions of its own: leave --distribution out, and change its contention by \
                 --concurrency and the number of warehouses"
                    .to_owned(),
            );
        }
        let in_python = [Name::Bank, Name::Kv, Name::Ycsb];
        if self.client == Client::Python && !in_python.contains(&name) {
            return refused(format!(
                "the Python driver runs bank, kv and ycsb: run {name} by --client blocking or --client tokio"
            ));
        }
        if self.duration.is_some_and(|duration| duration.is_zero()) {
            return refused("expected a duration above 0".to_owned());
        }
        let kills = self.kill_every.map(|every| (every, self.duration));
        match kills {
            Some((every, _)) if every.is_zero() => {
                return refused("expected a time above 0 between two kills".to_owned());
            }
            Some((every, Some(duration))) if every >= duration => {
                return refused(format!(
                    "a run of {} s ends before the first kill, which is after {} s: let it last longer, or kill sooner",
                    duration.as_secs_f64(),
                    every.as_secs_f64()
                ));
            }
            _ => {}
        }
        self.policy.validate()?;
        Ok(())
    }
}

/// Where a workload runs: one connection string for the workers, and what to call it.
#[derive(Debug, Clone)]
pub struct Place {
    /// How to connect.
    pub config: Config,
    /// The URL, without its password.
    pub shown: String,
}
