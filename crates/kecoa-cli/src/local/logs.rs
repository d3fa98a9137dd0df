//! `kecoa local logs`: what the endpoint and its database server wrote.

use std::io::{self, Write as _};
use std::thread;
use std::time::Duration;

use clap::Args;
use kecoa_local::{LogLine, Logs};
use serde_json::json;

use super::arguments::Place;
use crate::failure::Failure;
use crate::output::Output;

/// How often new lines are looked for.
const INTERVAL: Duration = Duration::from_millis(200);

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// Go on with what is written from now on, until Ctrl-C
    #[arg(short, long)]
    follow: bool,
    /// So many of each log's last lines
    #[arg(short = 'n', long, value_name = "N", default_value_t = 50)]
    lines: usize,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<i32, Failure> {
    let mut logs = Logs::of(&arguments.place.existing()?)?;
    output.check()?;
    let last = logs.last(arguments.lines)?;
    if last.is_empty() && !arguments.follow && arguments.lines > 0 {
        output.note("the logs are empty");
    }
    show(&last, output)?;
    if !arguments.follow {
        return Ok(0);
    }
    loop {
        thread::sleep(INTERVAL);
        show(&logs.more()?, output)?;
    }
}

/// As text, each line behind the name of who wrote it; as JSON, an object a line.
fn show(lines: &[LogLine], output: &Output) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    for line in lines {
        let written = if output.is_json() {
            writeln!(out, "{}", json!({ "source": line.source, "line": line.text }))
        } else {
            writeln!(out, "{} | {}", line.source, printable(&line.text))
        };
        written.map_err(Failure::Output)?;
    }
    out.flush().map_err(Failure::Output)
}

/// Without what could control a terminal: parts of statements stand in a log.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_does_not_control_the_terminal() {
        assert_eq!(printable("a\tb\x1b[2Jc"), "a\tb\u{fffd}[2Jc");
    }
}
