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

/// How long a command waits for a connection unless the configuration says otherwise, in seconds: somebody looks on.
#[cfg(any(feature = "demo", feature = "doctor", feature = "sql"))]
pub(crate) const CONNECT_TIMEOUT: &str = "15";

/// The same, with a limit for connecting where none was given.
///
/// # Errors
///
/// As for [`Config::resolve`](kecoa::Config::resolve).
#[cfg(any(feature = "demo", feature = "doctor"))]
pub(crate) fn limited(mut config: kecoa::Config) -> Result<kecoa::Config, kecoa::Error> {
    let environment = kecoa::config::Environment::from_process();
    config.set_default("connect_timeout", CONNECT_TIMEOUT, &environment)?;
    Ok(config)
}

/// Whether a variable of libpq's names a server, so that no other is looked for.
#[cfg(any(feature = "doctor", feature = "sql"))]
pub(crate) fn environment_names_server() -> bool {
    let names = ["PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGSERVICE"];
    names.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// What is said of a variable DATABASE_URL that is there and empty.
pub(crate) const EMPTY_VARIABLE: (&str, &str) =
    ("DATABASE_URL is set, and empty", "set it to a URL, or unset it to have none");

/// The variable DATABASE_URL, if it is set.
///
/// # Errors
///
/// [`Failure::Usage`] where it is empty, as after a mistake in a deployment: without it the command would take
/// another database than the one that was meant.
fn variable() -> Result<Option<std::ffi::OsString>, Failure> {
    let Some(url) = std::env::var_os("DATABASE_URL") else { return Ok(None) };
    if url.to_string_lossy().trim().is_empty() {
        let (found, change) = EMPTY_VARIABLE;
        return Err(Failure::Usage(format!("{found}: {change}")));
    }
    Ok(Some(url))
}

/// The URL of the environment.
///
/// # Errors
///
/// [`Failure::Usage`] where the variable is set and empty; others where it is not UTF-8.
#[cfg(any(
    feature = "demo",
    feature = "faults",
    feature = "mongo",
    feature = "sql",
    feature = "workload"
))]
pub(crate) fn from_environment(output: &Output) -> Result<Option<String>, Failure> {
    match variable()?.map(std::ffi::OsString::into_string) {
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

#[cfg(all(test, any(feature = "demo", feature = "doctor")))]
mod tests {
    use super::*;

    #[test]
    fn connecting_has_a_limit_unless_one_was_given() {
        let limit = |url: &str| {
            let config = limited(kecoa::Config::parse(url).unwrap()).unwrap();
            config.get("connect_timeout").map(str::to_owned)
        };
        assert_eq!(limit("postgresql://h/d?connect_timeout=3").as_deref(), Some("3"));
        if std::env::var_os("PGCONNECT_TIMEOUT").is_none() {
            assert_eq!(limit("postgresql://h/d").as_deref(), Some(CONNECT_TIMEOUT));
        }
    }
}
