//! `kecoa local env`: the URL as a variable, for a shell or a file of variables.

use clap::{Args, ValueEnum};
use serde_json::json;

use super::arguments::Place;
use super::running::running;
use crate::failure::Failure;
use crate::output::Output;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// For whom it is written
    #[arg(long, value_enum, default_value = "posix")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// sh, bash, zsh: eval "$(kecoa local env)"
    Posix,
    /// fish: kecoa local env --format fish | source
    Fish,
    /// A file .env, as Docker Compose and python-dotenv read it
    Dotenv,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<i32, Failure> {
    let Some(running) = running(&arguments.place.options(), output)? else { return Ok(3) };
    let url = &running.url;
    output.result(&json!({ "DATABASE_URL": url }), || write(arguments.format, url))?;
    Ok(0)
}

/// The URL has no character that ends a quoted word: its password is ours.
fn write(format: Format, url: &str) -> String {
    match format {
        Format::Posix => format!("export DATABASE_URL='{url}'"),
        Format::Fish => format!("set -gx DATABASE_URL '{url}'"),
        Format::Dotenv => format!("DATABASE_URL='{url}'"),
    }
}
