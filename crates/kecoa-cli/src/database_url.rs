//! Where a command's connection string comes from: its argument, standard input, the environment.

use std::io::{BufRead as _, IsTerminal as _};

use crate::failure::Failure;
use crate::output::Output;

/// The connection string that was given, `-` for the first line of standard input.
pub(crate) fn from_argument(
    argument: Option<&str>,
    output: &Output,
) -> Result<Option<String>, Failure> {
    if argument != Some("-") {
        return Ok(argument.map(ToOwned::to_owned));
    }
    let input = std::io::stdin();
    if input.is_terminal() {
        output.prompt("the URL, and Enter:");
    }
    let mut line = String::new();
    let failed = |error| Failure::Other(format!("expected a URL on standard input: {error}"));
    input.lock().read_line(&mut line).map_err(failed)?;
    Ok(Some(line.trim().to_owned()))
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
