//! Change streams by tables: tokens, what updates are told as, options, stages, scopes.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod descriptions;
mod options;
#[path = "../query/shell.rs"]
mod shell;
mod shown;
mod tokens;

/// A document in the shell's notation, with single quotes.
fn document(text: &str) -> bson::RawDocumentBuf {
    shell::document(&text.replace('\'', "\""))
}
