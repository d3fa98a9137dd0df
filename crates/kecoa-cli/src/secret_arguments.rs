//! Passwords on the command line: out of the list of processes, and out of what clap prints.
//!
//! Every user of a machine sees the arguments of every process. A command that was given a password in one
//! therefore starts itself anew, in the same process, with `xxx` in its place; the argument itself goes
//! through the environment, which only the process's own user sees. It was in the list until then: a URL
//! in DATABASE_URL, or from standard input (`-`), never is.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// The command whose arguments are another program's.
const FOREIGN: &str = "run";

/// Options whose values may look like a mistyped connection string, and are something else.
const OTHERS: [&str; 4] = ["--faults", "--password-file", "--replica-set", "--user"];

/// The environment variable for the argument with this number.
fn variable(number: usize) -> String {
    format!("KECOA_HIDDEN_ARGUMENT_{number}")
}

/// What is shown of a connection string with a secret in it; nothing where it has none. `is_other`: it
/// should be something else.
#[cfg(feature = "client")]
fn masked(text: &str, is_other: bool) -> Option<String> {
    use kecoa::Config;

    let suspicious = || {
        if is_other {
            return text.contains("://");
        }
        let lower = text.to_ascii_lowercase();
        lower.contains('@') || ["pass", "pwd"].iter().any(|word| lower.contains(word))
    };
    let Ok(config) = Config::parse(text) else {
        return suspicious().then(|| "xxx".to_owned());
    };
    let is_secret = |(name, value): (&str, &str)| Config::is_secret(name) && !value.is_empty();
    config.pairs().any(is_secret).then(|| config.to_string())
}

/// No command takes a connection string.
#[cfg(not(feature = "client"))]
fn masked(_text: &str, _is_other: bool) -> Option<String> {
    None
}

/// An argument with its secret masked; nothing where it has none. `before` is the argument before it.
fn masked_argument(argument: &OsStr, before: &OsStr) -> Option<String> {
    let text = argument.to_str()?;
    let is_other = |option: &OsStr| OTHERS.iter().any(|other| option == *other);
    match text.strip_prefix("--").and_then(|option| option.split_once('=')) {
        Some((option, value)) => {
            let is_other = is_other(OsStr::new(&format!("--{option}")));
            Some(format!("--{option}={}", masked(value, is_other)?))
        }
        None => masked(text, is_other(before)),
    }
}

/// The arguments as they were meant, and those to show where they differ. Comes back where the process
/// was started anew already, or need not be.
pub(crate) fn take(
    arguments: Vec<OsString>,
    self_command: &[OsString],
) -> (Vec<OsString>, Vec<(String, String)>) {
    // Also where no command, or none that takes a connection string, was meant: clap repeats what it
    // does not understand.
    let own = command_at(&arguments)
        .filter(|at| arguments.get(*at).is_some_and(|command| command == FOREIGN))
        .unwrap_or(arguments.len());
    let mut meant = arguments.clone();
    let mut shown = arguments.clone();
    let mut secrets = Vec::new();
    let mut again = None;
    for (number, argument) in arguments.iter().enumerate().take(own) {
        let before = number.checked_sub(1).and_then(|before| arguments.get(before));
        let before = before.map(OsString::as_os_str).unwrap_or_default();
        let given = std::env::var_os(variable(number));
        let hidden = given.filter(|given| {
            masked_argument(given, before).is_some_and(|masked| *argument == *masked)
        });
        let is_hidden = hidden.is_some();
        let argument = hidden.unwrap_or_else(|| argument.clone());
        let Some(masked) = masked_argument(&argument, before) else { continue };
        if let (Some(place), Some(meant), Some(text)) =
            (shown.get_mut(number), meant.get_mut(number), argument.to_str())
        {
            secrets.push((text.to_owned(), masked.clone()));
            *place = masked.into();
            if !is_hidden {
                again.get_or_insert_with(Vec::new).push((variable(number), argument.clone()));
            }
            *meant = argument;
        }
    }
    if let (Some(hidden), Some((program, first))) = (again, self_command.split_first())
        && is_of_this_process(&arguments)
    {
        // Where that fails the command runs as it is: it was asked for.
        let _ = Command::new(program).args(first).args(&shown).envs(hidden).exec();
    }
    (meant, secrets)
}

/// Where the name of the command is: behind the options that every command takes.
fn command_at(arguments: &[OsString]) -> Option<usize> {
    let mut before = OsStr::new("");
    arguments.iter().position(|argument| {
        let is_option = argument.as_encoded_bytes().starts_with(b"-");
        let is_value = before == "--color";
        before = argument;
        !is_option && !is_value
    })
}

/// Whether these are what this process was started with: a program that calls the command line by itself
/// must not be replaced.
fn is_of_this_process(arguments: &[OsString]) -> bool {
    let own: Vec<OsString> = match std::fs::read("/proc/self/cmdline") {
        Ok(line) => {
            use std::os::unix::ffi::OsStringExt as _;
            let line = line.strip_suffix(&[0]).unwrap_or(&line);
            line.split(|byte| *byte == 0).map(|part| OsString::from_vec(part.to_vec())).collect()
        }
        Err(_) => std::env::args_os().collect(),
    };
    own.ends_with(arguments)
}

/// What clap prints about the arguments, with secrets masked.
pub(crate) fn mask(mut text: String, secrets: &[(String, String)]) -> String {
    for (secret, masked) in secrets {
        // Of `--to=URL`, clap may name the value alone.
        let value = |text: &str| text.split_once('=').map(|(_, value)| value.to_owned());
        let is_option = secret.starts_with("--");
        text = text.replace(secret.as_str(), masked);
        if let (true, Some(secret), Some(masked)) = (is_option, value(secret), value(masked)) {
            text = text.replace(&secret, &masked);
        }
    }
    text
}

#[cfg(all(test, feature = "client"))]
mod tests {
    use super::*;

    fn argument(text: &str, before: &str) -> Option<String> {
        masked_argument(OsStr::new(text), OsStr::new(before))
    }

    #[test]
    fn what_may_hold_a_secret_is_masked() {
        let url = "postgresql://maya:hunter2@db/bank";
        let shown = "user=maya password=xxx host=db dbname=bank";
        assert_eq!(argument(url, "--to").as_deref(), Some(shown));
        assert_eq!(argument(&format!("--to={url}"), "faults"), Some(format!("--to={shown}")));
        for wrong in
            ["maya:hunter2@db", "postgres:/maya:hunter2@db", "password hunter2", "x?pwd=hunter2"]
        {
            assert_eq!(argument(wrong, "").as_deref(), Some("xxx"), "{wrong}");
        }
        for open in
            ["--json", "postgresql://maya@db/bank", "host=db user=maya", "/tmp/x", "-", "", "--to"]
        {
            assert_eq!(argument(open, ""), None, "{open}");
        }
        assert_eq!(argument("error:40001@commit:0.2", "--faults"), None);
        assert_eq!(argument("--faults=error:40001@commit:0.2", ""), None);
        assert_eq!(argument("--password-file=/etc/pass", ""), None);
        assert_eq!(argument(url, "--faults").as_deref(), Some(shown));
        assert_eq!(argument("x://maya:hunter2@db", "--user").as_deref(), Some("xxx"));
        assert_eq!(argument("maya:hunter2@db", "--seed").as_deref(), Some("xxx"));
    }

    #[test]
    fn the_command_stands_behind_global_options() {
        let at = |arguments: &[&str]| {
            command_at(&arguments.iter().map(OsString::from).collect::<Vec<_>>())
        };
        assert_eq!(at(&["run", "x.py"]), Some(0));
        assert_eq!(at(&["-q", "--color", "never", "run", "x.py"]), Some(3));
        assert_eq!(at(&["--color=never", "-vv", "doctor"]), Some(2));
        assert_eq!(at(&["--json"]), None);
        assert_eq!(at(&[]), None);
    }

    #[test]
    fn clap_does_not_repeat_it() {
        let secrets = [("--to=x:hunter2@y".to_owned(), "--to=xxx".to_owned())];
        let text = "unexpected 'x:hunter2@y', and '--to=x:hunter2@y'".to_owned();
        assert_eq!(mask(text, &secrets), "unexpected 'xxx', and '--to=xxx'");
    }
}
