//! The user that the gateway makes itself, so that somebody can log in.

use std::fs;
use std::path::{Path, PathBuf};

use kecoa_server::files::{self, Found};
use kecoa_server::home::Home;
use kecoa_server::secret;

use crate::auth::UserName;
use crate::command::Gateway;
use crate::error;
use crate::launch::{Error, Options};

/// A password file is a line.
const LONGEST: u64 = 4096;

/// What the one who starts the gateway learns of its user.
pub(super) struct FirstUser {
    /// Name and password to log in with, if they are known.
    pub(super) login: Option<(String, String)>,
    /// What is odd, a sentence each.
    pub(super) notes: Vec<String>,
}

/// Makes the user of the options where the database knows none of that name.
pub(super) async fn first_user(
    gateway: &Gateway,
    options: &Options,
    home: &Home,
) -> Result<FirstUser, Error> {
    if options.no_password {
        return Ok(FirstUser { login: None, notes: Vec::new() });
    }
    let file = options.password_file.clone();
    let (password, note) = match &file {
        Some(path) => (from_file(path)?, None),
        None => secret::password(&home.instance().join("password"))?,
    };
    let notes: Vec<String> = note.into_iter().collect();
    let database = |error: error::Error| Error::Database(error.message().to_owned());
    let accounts = &gateway.accounts;
    let made = accounts.make_first(&options.user, &password).await.map_err(database)?;
    if made {
        return Ok(FirstUser { login: Some((options.user.clone(), password)), notes });
    }
    let found = accounts.find(&UserName::new("admin", &*options.user)).await.map_err(database)?;
    let accepts = |password: &String| found.as_ref().is_some_and(|user| user.accepts(password));
    let others = if file.is_some() { Vec::new() } else { passwords_beside(home) };
    match std::iter::once(password).chain(others).find(accepts) {
        Some(password) => Ok(FirstUser { login: Some((options.user.clone(), password)), notes }),
        None => Err(Error::Unusable(format!(
            "the database knows a user {} with another password than that of {}: say the file with \
             that password by --password-file, or another user by --user",
            options.user,
            file.unwrap_or_else(|| PathBuf::from("this home")).display()
        ))),
    }
}

/// The passwords of the other gateways of this home: they may be of the same database.
fn passwords_beside(home: &Home) -> Vec<String> {
    let us = rustix::process::geteuid().as_raw();
    let instances = home.instance().parent().and_then(|all| fs::read_dir(all).ok());
    let mut passwords = Vec::new();
    for instance in instances.into_iter().flatten().flatten() {
        let kept = files::read(&instance.path().join("password"), LONGEST, us);
        if let Ok(Found::Bytes(bytes)) = kept
            && let Ok(text) = String::from_utf8(bytes)
        {
            passwords.push(text.trim_end().to_owned());
        }
    }
    passwords
}

/// The first line of a file.
fn from_file(path: &Path) -> Result<String, Error> {
    let unusable = |what: String| Error::Unusable(format!("{}: {what}", path.display()));
    let size = fs::metadata(path).map_err(|error| unusable(error.to_string()))?.len();
    if size > LONGEST {
        return Err(unusable(format!("expected a password, found {size} bytes")));
    }
    let text = fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
    match text.lines().next() {
        Some(password) if !password.is_empty() => Ok(password.to_owned()),
        _ => Err(unusable("expected a password, found an empty line".to_owned())),
    }
}
