//! What a command prints: results to standard output, everything else to standard error.

use std::ffi::OsString;
use std::io::{self, Write as _};

use clap::{ArgAction, Args, ValueEnum as _};
use rustix::fs::OFlags;
use serde::Serialize;
use serde_json::json;

use crate::failure::Failure;
use crate::terminal::{Role, Stream, When};

/// What the program calls itself in front of its remarks and errors.
const NAME: &str = "kecoa:";

/// The options that every command takes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalOptions {
    /// Print results and errors, no remarks
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Say more of what happens
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    verbose: u8,
    /// When there are colours; `auto` respects NO_COLOR and CLICOLOR_FORCE
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN")]
    color: When,
    /// Print results as JSON, and remarks and errors as one JSON object a line
    #[arg(long, global = true)]
    json: bool,
}

impl GlobalOptions {
    /// When there are colours, as far as it can be told before the arguments are understood: help, and
    /// what is said of mistakes in them, are coloured too.
    pub(crate) fn color_of(arguments: &[OsString]) -> When {
        let mut wanted = When::Auto;
        let mut rest = arguments.iter().map(|argument| argument.to_string_lossy());
        while let Some(argument) = rest.next() {
            let value = match argument.strip_prefix("--color") {
                // What comes behind belongs to a program.
                _ if argument == "--" || argument == "run" => break,
                Some("") => rest.next(),
                Some(value) => value.strip_prefix('=').map(|value| value.to_owned().into()),
                None => None,
            };
            if let Some(when) = value.and_then(|value| When::from_str(&value, false).ok()) {
                wanted = when;
            }
        }
        wanted
    }
}

/// Where a command's words go, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    quiet: bool,
    verbosity: u8,
    json: bool,
    stdout: Stream,
    stderr: Stream,
}

impl Output {
    /// The output of this process.
    pub(crate) fn new(options: &GlobalOptions) -> Output {
        Output {
            quiet: options.quiet,
            verbosity: options.verbose,
            json: options.json,
            stdout: Stream::stdout(options.color),
            stderr: Stream::stderr(options.color),
        }
    }

    /// The same, with text in the place of JSON: for a command that writes its results by itself.
    #[cfg(feature = "sql")]
    pub(crate) fn as_text(self) -> Output {
        Output { json: false, ..self }
    }

    /// Whether results are JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether more is to be said than usual.
    #[cfg(feature = "doctor")]
    pub(crate) fn is_verbose(&self) -> bool {
        self.verbosity > 0
    }

    /// Whether what lasts may be drawn as it goes: somebody looks at standard error, and wants remarks as text.
    #[cfg(feature = "local")]
    pub(crate) fn shows_progress(&self) -> bool {
        !self.quiet && !self.json && self.stderr.can_redraw()
    }

    /// How standard error shows text.
    #[cfg(any(feature = "sql", feature = "workload"))]
    pub(crate) fn stderr(&self) -> Stream {
        self.stderr
    }

    /// How standard output shows text.
    pub(crate) fn stdout(&self) -> Stream {
        self.stdout
    }

    /// Sees that standard output is open for writing.
    ///
    /// What is written to a closed one is dropped without an error by the standard library. Its binaries cannot
    /// tell: they have `/dev/null` there, open for both, before they begin. The Python package's entry point
    /// opens it for reading.
    ///
    /// # Errors
    ///
    /// [`Failure::Output`] where it is not.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let writable = rustix::fs::fcntl_getfl(io::stdout())
            .is_ok_and(|flags| flags & OFlags::ACCMODE != OFlags::RDONLY);
        match writable {
            true => Ok(()),
            false => Err(Failure::Output(io::Error::other("it is closed"))),
        }
    }

    /// A line of the result, as it is; several, where the text has several.
    pub(crate) fn line(&self, text: &str) -> Result<(), Failure> {
        self.check()?;
        let mut out = io::stdout().lock();
        writeln!(out, "{text}").and_then(|()| out.flush()).map_err(Failure::Output)
    }

    /// The result: as JSON where that is wanted, else as text.
    pub(crate) fn result(
        &self,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        if !self.json {
            return self.line(&text());
        }
        self.json(value)
    }

    /// A result that is JSON only.
    pub(crate) fn json(&self, value: &impl Serialize) -> Result<(), Failure> {
        let shown = serde_json::to_string_pretty(value);
        self.line(&shown.map_err(|error| Failure::Other(format!("cannot write JSON: {error}")))?)
    }

    /// A remark for the one at the terminal.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            self.say("note", Role::Heading, text);
        }
    }

    /// A remark for whoever asked for more by `--verbose`.
    pub(crate) fn detail(&self, text: &str) {
        if self.verbosity > 0 {
            self.say("detail", Role::Dim, text);
        }
    }

    /// What is asked of the one at the terminal; also with `--quiet`.
    pub(crate) fn prompt(&self, text: &str) {
        self.say("prompt", Role::Heading, text);
    }

    /// Why the command failed.
    pub(crate) fn failure(&self, failure: &Failure) {
        if !self.json {
            self.say("error", Role::Bad, &failure.to_string());
            return self.causes(failure);
        }
        self.say_json(&json!({
            "level": "error",
            "message": failure.to_string(),
            "sqlstate": failure.sqlstate(),
            "exit_status": failure.status(),
        }));
    }

    /// What an error came from, as far as its text has not said it.
    fn causes(&self, failure: &Failure) {
        let mut said = failure.to_string();
        let mut next = std::error::Error::source(failure);
        while let Some(cause) = next {
            let text = cause.to_string();
            if !said.contains(&text) {
                self.detail(&format!("caused by: {text}"));
            }
            said = text;
            next = cause.source();
        }
    }

    /// A line of JSON on standard error.
    pub(crate) fn say_json(&self, value: &serde_json::Value) {
        // When standard error is closed there is no place left to say so.
        let _ = writeln!(io::stderr(), "{value}");
    }

    fn say(&self, level: &str, role: Role, text: &str) {
        if self.json {
            return self.say_json(&json!({ "level": level, "message": text }));
        }
        let name = format!("{} ", self.stderr.paint(role, NAME));
        let wrap = |(number, line)| {
            self.stderr.wrap(if number == 0 { name.as_str() } else { "" }, "  ", line)
        };
        let lines: Vec<String> = text.split('\n').enumerate().map(wrap).collect();
        let _ = writeln!(io::stderr(), "{}", lines.join("\n"));
    }
}

/// What is known of something that was started, with the URL to connect to: the password is in it, as in
/// the text of the result.
#[cfg(feature = "local")]
pub(crate) fn with_url(status: &impl Serialize, url: &str) -> serde_json::Value {
    let mut value = serde_json::to_value(status).unwrap_or_default();
    if let Some(fields) = value.as_object_mut() {
        fields.insert("url".to_owned(), url.into());
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_known_before_the_arguments_are() {
        let of = |arguments: &[&str]| {
            GlobalOptions::color_of(&arguments.iter().map(OsString::from).collect::<Vec<_>>())
        };
        assert_eq!(of(&["doctor", "--help"]), When::Auto);
        assert_eq!(of(&["doctor", "--color", "never", "--help"]), When::Never);
        assert_eq!(of(&["--color=always", "--help"]), When::Always);
        assert_eq!(of(&["--color=sometimes", "--help"]), When::Auto);
        assert_eq!(of(&["--colorful=always"]), When::Auto);
        assert_eq!(of(&["run", "x.py", "--color=always"]), When::Auto);
        assert_eq!(of(&["--color"]), When::Auto);
    }
}
