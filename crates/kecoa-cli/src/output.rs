//! What a command prints: results to standard output, everything else to standard error.

use std::io::{self, Write as _};

/// A line of the result.
#[cfg(any(feature = "faults", feature = "local"))]
pub(crate) fn line(text: &str) -> Result<(), crate::failure::Failure> {
    use crate::failure::Failure;

    let mut out = io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).map_err(Failure::Output)
}

/// A remark for the one at the terminal.
pub(crate) fn note(text: &str) {
    // When standard error is closed there is no place left to say so.
    let _ = writeln!(io::stderr(), "kecoa: {text}");
}
