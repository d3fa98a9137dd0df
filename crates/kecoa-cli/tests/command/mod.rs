//! The binary, as the tests start it.

use std::process::{Command, Output, Stdio};

/// The binary with these arguments, without standard input, and without what may be set here.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kecoa"));
    command.args(arguments).stdin(Stdio::null());
    for name in [
        "CLICOLOR",
        "CLICOLOR_FORCE",
        "COLUMNS",
        "DATABASE_URL",
        "KECOA_HOME",
        "KECOA_POSTGRES",
        "KECOA_PYTHON",
        "NO_COLOR",
        "PGDATABASE",
        "PGHOST",
        "PGPORT",
        "PGUSER",
    ] {
        command.env_remove(name);
    }
    command
}

/// What it prints, and its exit status.
pub(crate) fn kecoa(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
