//! What is said to the one at the terminal, on standard error.

use std::io::{self, Write as _};

/// Says something. When standard error is closed there is no place for it.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// A remark of the shell itself.
pub(crate) fn note(text: &str) {
    say(&format!("kecoa: {text}"));
}
