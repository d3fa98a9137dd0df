//! A worker: draws transactions and runs them, one after the other.

mod asynchronous;
mod blocking;
mod outcome;
mod python;
#[cfg(test)]
mod tests;

pub(crate) use self::asynchronous::spawn as spawn_tokio;
pub(crate) use self::blocking::spawn as spawn_blocking;
pub(crate) use self::python::spawn as spawn_python;
