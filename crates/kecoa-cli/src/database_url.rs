//! Where a command's connection string comes from: its argument, standard input, the environment.

use std::io::{BufRead as _, IsTerminal as _};

use crate::failure::Failure;
use crate::output::Output;

/// The connection string that was given, `-` for the first line of standard input.
///
/// # Errors
///
/// [`Failure::Usage`] where an empty one was given, as a script does whose variable is not set: without it the
/// command would take another database than the one that was meant.
pub(crate) fn from_argument(
    argument: Option<&str>,
    output: &Output,
) -> Result<Option<String>, Failure> {
    let Some(argument) = argument else { return Ok(None) };
    if argument != "-" {
        return not_empty(argument, "give one, or leave it out").map(Some);
    }
    let input = std::io::stdin();
    if input.is_terminal() {
        output.prompt("the URL, and Enter:");
    }
    let mut line = String::new();
    let failed = |error| Failure::Other(format!("expected a URL on standard input: {error}"));
    input.lock().read_line(&mut line).map_err(failed)?;
    not_empty(line.trim(), "expected one on the first line of standard input").map(Some)
}

/// The connection string that was given, else the environment's.
///
/// # Errors
///
/// As for [`from_argument`] and [`from_environment`].
#[cfg(any(feature = "demo", feature = "faults", feature = "mongo", feature = "workload"))]
pub(crate) fn find(argument: Option<&str>, output: &Output) -> Result<Option<String>, Failure> {
    match from_argument(argument, output)? {
        Some(url) => Ok(Some(url)),
        None => from_environment(output),
    }
}

fn not_empty(url: &str, expected: &str) -> Result<String, Failure> {
    if url.trim().is_empty() {
        return Err(Failure::Usage(format!("the URL is empty: {expected}")));
    }
    Ok(url.to_owned())
}

/// Whether a variable of libpq's names a server, so that no other is looked for.
#[cfg(any(feature = "doctor", feature = "sql"))]
pub(crate) fn environment_names_server() -> bool {
    let names = ["PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGSERVICE"];
    names.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// The URL of the environment.
#[cfg(any(
    feature = "demo",
    feature = "faults",
    feature = "mongo",
    feature = "sql",
    feature = "workload"
))]
pub(crate) fn from_environment(output: &Output) -> Result<Option<String>, Failure> {
    match std::env::var_os("DATABASE_URL")
        .filter(|url| !url.is_empty())
        .map(std::ffi::OsString::into_string)
    {
        None => Ok(None),
        Some(Ok(url)) => {
            // Without the password; where it cannot be read, the error will say so.
            if let Ok(config) = kecoa::Config::parse(&url) {
                output.detail(&format!("DATABASE_URL: {config}"));
            }
            Ok(Some(url))
        }
        Some(Err(_)) => Err(Failure::Other(
            "expected UTF-8 in DATABASE_URL, found other bytes: write what is not ASCII \
             percent-encoded"
                .to_owned(),
        )),
    }
}
