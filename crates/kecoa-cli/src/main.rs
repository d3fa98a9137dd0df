//! The `kecoa` binary.

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    // If the system cannot tell where we are, the shell can find us by our name.
    let this = env::current_exe().map_or_else(|_| "kecoa".into(), Into::into);
    let code = kecoa_cli::main_from(env::args_os().skip(1), vec![this]);
    kecoa_cli::end_by_signal(code);
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}
