//! Paths that a command takes.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};

/// Takes a path, and refuses a URL, which is hardly meant as one: it would become a folder with a password in its
/// name.
pub(crate) fn parser() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().try_map(path)
}

/// The same of a path that has to be UTF-8.
#[cfg(feature = "sql")]
pub(crate) fn text(given: &str) -> Result<String, String> {
    path(OsString::from(given)).map(|_| given.to_owned())
}

fn path(given: OsString) -> Result<PathBuf, String> {
    if given.to_string_lossy().contains("://") {
        return Err("expected a path, found a URL".to_owned());
    }
    Ok(PathBuf::from(given))
}
