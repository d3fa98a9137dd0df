//! Asking for a password at the terminal, without showing it.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};

use kecoa::{Config, Error, ErrorKind};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

/// Asks for the password of a user.
///
/// # Errors
/// There is no terminal.
fn ask(user: &str) -> io::Result<String> {
    let terminal = File::options().read(true).write(true).open("/dev/tty")?;
    let before = tcgetattr(&terminal)?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    silent.local_modes.insert(LocalModes::ECHONL);
    tcsetattr(&terminal, OptionalActions::Flush, &silent)?;
    let mut line = String::new();
    let shown = crate::escape::line(user.as_bytes()).into_owned();
    let read = (&terminal)
        .write_all(format!("Password for {shown}: ").as_bytes())
        .and_then(|()| BufReader::new(&terminal).read_line(&mut line));
    let restored = tcsetattr(&terminal, OptionalActions::Flush, &before);
    read?;
    restored?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Connects; where the server wants a password that nobody gave, asks for it once, if that may be.
pub(crate) fn connect_asking(
    connect: &mut dyn FnMut(&Config) -> Result<(), Error>,
    config: &Config,
    may_ask: bool,
) -> Result<(), Error> {
    let error = match connect(config) {
        Ok(()) => return Ok(()),
        Err(error) => error,
    };
    let given = config.password().is_some_and(|password| !password.is_empty());
    if !may_ask || given || error.kind() != ErrorKind::Authentication {
        return Err(error);
    }
    let user = config.user().map(ToOwned::to_owned).unwrap_or_default();
    match ask(&user) {
        Ok(password) if !password.is_empty() => {
            let mut config = config.clone();
            config.set("password", password)?;
            connect(&config)
        }
        _ => Err(error),
    }
}
