//! What a caller chooses, and how the shell may fail.

use std::io;

use kecoa::Config;

use crate::format::Format;

/// When there are colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Color {
    /// At a terminal, unless `NO_COLOR` is set or `TERM` is `dumb`.
    #[default]
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

impl Color {
    pub(crate) fn is_wanted(self, terminal: bool) -> bool {
        match self {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
                    || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
                terminal && !refused
            }
        }
    }
}

/// What to run, where, and how.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where to connect. What it leaves open comes from the environment, as with libpq.
    pub config: Config,
    /// Within how many seconds a connection must be made, also one by `\c`, where neither its configuration nor the
    /// environment says so. Empty: no limit.
    pub connect_timeout: &'static str,
    /// Whether a password may be asked for at the terminal.
    pub may_ask: bool,
    /// Text to run, each by itself, before the files. With neither, standard input is read, or the
    /// terminal.
    pub commands: Vec<String>,
    /// Files to run; `-` is standard input.
    pub files: Vec<String>,
    /// How results are written: a table at a terminal, else tab-separated values.
    pub format: Option<Format>,
    /// Neither headings nor counts.
    pub tuples_only: bool,
    /// Options of `\pset`: names and values.
    pub settings: Vec<(String, Option<String>)>,
    /// Variables: names and values.
    pub variables: Vec<(String, String)>,
    /// A file for the results.
    pub output: Option<String>,
    /// When results, and what is typed, have colours.
    pub color: Color,
    /// When what is said of them has colours.
    pub error_color: Color,
    /// No banner, and no word of what statements did.
    pub quiet: bool,
    /// Show each statement before it runs.
    pub echo: bool,
    /// Show how long each statement takes.
    pub timing: bool,
    /// Go on after an error in a script.
    pub continues: bool,
    /// One transaction around all scripts.
    pub single_transaction: bool,
}

/// Why the shell could not do its work. Errors of statements are told as they come, and are none of these.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection could be made.
    #[error(transparent)]
    Database(#[from] kecoa::Error),
    /// An option has a wrong value.
    #[error("{0}")]
    Usage(String),
    /// The file for the results cannot be written.
    #[error("{0}")]
    File(String),
    /// The terminal, standard input or standard output failed.
    #[error("cannot read input or write results: {0}")]
    Stream(#[source] io::Error),
    /// SIGINT cannot be handled.
    #[error("cannot handle Ctrl-C: {0}")]
    Signal(#[source] io::Error),
}
