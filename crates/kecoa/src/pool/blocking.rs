//! A pool of blocking clients.
//!
//! ```no_run
//! use kecoa::{Config, Error, blocking::Pool};
//!
//! let pool = Pool::builder().max_size(10).build(&Config::parse("postgresql://localhost:26257/bank")?)?;
//! let mut client = pool.get()?;
//! client.transaction(|tx| {
//!     tx.execute("UPDATE accounts SET balance = balance - 100 WHERE id = $1", &[&1_i64])
//! })?;
//! # Ok::<(), Error>(())
//! ```
//!
//! The rules are in [`core`](crate::pool::core), without I/O; [`Pool`] runs them on threads.

mod builder;
mod check_in;
mod checkout;
mod discard;
mod executor;
mod fork;
mod maintenance;
mod opener;
mod pool;
mod threads;
mod transaction;

pub use builder::{Builder, Hook};
pub use discard::discard_session;
pub use pool::{Pool, Pooled};
