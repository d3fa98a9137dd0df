//! The arguments of commands: a table says what a command takes, one reader checks all of them.
//!
//! [`Argument`] and [`Kind`] are rows of the tables, [`read`](fn@read::read) checks a document against one,
//! [`Values`] are what was found. [`generic`] is the table of what every command takes.

pub mod argument;
pub mod documents;
pub mod generic;
pub mod read;
pub mod values;

pub use argument::{Argument, Fallback, Kind};
pub use documents::Documents;
pub use read::{read, read_nested};
pub use values::Values;
