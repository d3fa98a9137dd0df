//! `kecoa run`: a Python program written for psycopg2, on kecoa.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use clap::Args;

use crate::failure::Failure;

/// Exits with 0 where the package can be imported; does not import it.
const PROBE: &str =
    "import importlib.util, sys; sys.exit(importlib.util.find_spec('kecoa') is None)";

#[derive(Debug, Args)]
#[command(
    after_help = "PROGRAM is a file, a folder with a __main__.py, a command such as gunicorn, \
    `-m` and a module, `-c` and code, or `-` for standard input.\n\
    `import psycopg2` is answered by kecoa, in child processes too. Without \
    DATABASE_URL the program gets that of the local endpoint. The Python is $KECOA_PYTHON, or \
    python3 on PATH; it needs the package kecoa.\n\
    The exit status is the program's; 126: a command cannot run, 127: it was not found."
)]
pub(crate) struct Arguments {
    /// The program and its arguments
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "PROGRAM"
    )]
    program: Vec<OsString>,
}

/// Becomes Python; returns only if that fails.
pub(crate) fn run(arguments: &Arguments) -> Result<i32, Failure> {
    let python = chosen().unwrap_or_else(|| "python3".into());
    probe(&python)?;
    let error = Command::new(&python).args(["-m", "kecoa.run"]).args(&arguments.program).exec();
    Err(cannot_run(&python, &error))
}

/// The interpreter that `KECOA_PYTHON` names.
fn chosen() -> Option<OsString> {
    std::env::var_os("KECOA_PYTHON").filter(|value| !value.is_empty())
}

/// Sees that an interpreter has the package.
fn probe(python: &OsStr) -> Result<(), Failure> {
    let shown = python.to_string_lossy().into_owned();
    let probing = Command::new(python).args(["-c", PROBE]).stdin(Stdio::null()).status();
    let probed = probing.map_err(|error| cannot_run(python, &error))?;
    if !probed.success() {
        return Err(Failure::Other(format!(
            "{shown} has no package kecoa; install it there with `{shown} -m pip install kecoa`, \
             or set KECOA_PYTHON to a Python that has it"
        )));
    }
    Ok(())
}

fn cannot_run(python: &OsStr, error: &std::io::Error) -> Failure {
    let shown = python.to_string_lossy();
    Failure::Other(format!(
        "cannot run {shown}: {error}; install Python 3.10 or newer, or set KECOA_PYTHON to one"
    ))
}

/// The interpreter for what runs in Python beside this process: the one that `KECOA_PYTHON` names, the one that
/// runs this command line, or python3 on PATH. It has the package.
#[cfg(feature = "workload")]
pub(crate) fn interpreter(self_command: &[OsString]) -> Result<Vec<OsString>, Failure> {
    let running = match self_command {
        [python, module, name, ..] if module == "-m" && name == "kecoa" => Some(python.clone()),
        _ => None,
    };
    let python = chosen().or(running).unwrap_or_else(|| "python3".into());
    probe(&python)?;
    Ok(vec![python])
}
