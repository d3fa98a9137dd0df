//! `kecoa local reset` and `kecoa local destroy`, which ask before they delete.

use std::ffi::OsString;
use std::io::{self, BufRead as _, IsTerminal as _};

use clap::Args;
use kecoa_local::{Deletion, Options, Status};
use serde_json::json;

use super::arguments::Place;
use super::running;
use super::show::bytes;
use crate::failure::Failure;
use crate::output::{Output, with_url};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// Don't ask
    #[arg(short, long)]
    yes: bool,
}

pub(super) fn reset(
    arguments: &Arguments,
    output: &Output,
    self_command: Vec<OsString>,
) -> Result<i32, Failure> {
    let mut options = arguments.place.existing()?;
    options.self_command = self_command;
    let before = confirm(arguments, &options, output, "all its databases and roles")?;
    let started = running::reset(&options, output)?;
    output.note(match &started {
        Some(_) => "its databases were deleted; it runs again, empty",
        None if before.directories.is_empty() => "there was nothing to delete",
        None => "its databases were deleted; the next start makes new ones",
    });
    match started {
        Some(running) => {
            let url = running.url.clone();
            output.result(&with_url(&Status::Running(running), &url), || url.clone())?;
        }
        None if output.is_json() => output.json(&json!({ "status": "stopped" }))?,
        None => {}
    }
    Ok(0)
}

pub(super) fn destroy(arguments: &Arguments, output: &Output) -> Result<i32, Failure> {
    let options = arguments.place.existing()?;
    confirm(arguments, &options, output, "its data, its password and its logs")?;
    let destroyed = kecoa_local::destroy(&options)?;
    output.note(if destroyed.existed { "deleted" } else { "there was nothing to delete" });
    for path in &destroyed.left {
        output.note(&format!("{} is not kecoa's, and was left", path.display()));
    }
    if output.is_json() {
        output.json(&destroyed)?;
    }
    Ok(0)
}

/// Asks the one at the terminal; where there is none, `--yes` must have been said. Returns what is there.
fn confirm(
    arguments: &Arguments,
    options: &Options,
    output: &Output,
    what: &str,
) -> Result<Deletion, Failure> {
    let found = kecoa_local::deletion(options)?;
    if arguments.yes || !found.exists {
        return Ok(found);
    }
    let (name, size) = (&found.name, found.bytes);
    let state = if found.running { ", which runs" } else { "" };
    let question =
        format!("this deletes of the instance `{name}`{state}: {what} ({})", bytes(size));
    let input = io::stdin();
    if !input.is_terminal() {
        return Err(Failure::Usage(format!("{question}; to have it done, pass --yes")));
    }
    output.prompt(&format!("{question}. Delete them? [y/N]"));
    let mut line = String::new();
    let failed = |error| Failure::Other(format!("expected an answer: {error}"));
    input.lock().read_line(&mut line).map_err(failed)?;
    match line.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(found),
        _ => Err(Failure::Other("nothing was deleted".to_owned())),
    }
}
