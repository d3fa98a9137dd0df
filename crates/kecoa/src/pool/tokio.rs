//! A pool of clients for tokio.
//!
//! ```
//! # kecoa::example::asynchronous_pool(async |pool| {
//! # #[cfg(any())] {
//! let config = Config::parse("postgresql://localhost:26257/bank")?;
//! let pool = Pool::builder().max_size(10).build(&config)?;
//! # }
//! let mut client = pool.get().await?;
//! let (balance,): (i64,) =
//!     client.query_one_as("SELECT balance FROM accounts WHERE id = $1", &[&1_i64]).await?;
//! assert_eq!(balance, 1000);
//! # Ok(()) });
//! ```
//!
//! The rules are those of the [blocking pool](crate::pool::blocking), in [`core`](crate::pool::core), which has
//! no I/O; this one runs them on tokio.
//!
//! # Futures that are dropped
//!
//! A future of [`Pool::get`] that is dropped leaves the line; those behind it keep their places, and
//! a connection that it was just given is the next one's. A connection may be given back in the
//! middle of anything: what is under way is cancelled and an open transaction rolled back, in the
//! background and before anybody else gets the connection; one that is not ready after 30 s is closed.

mod builder;
mod check_in;
mod checkout;
mod discard;
mod executor;
mod maintenance;
mod opener;
mod pool;
mod tasks;
mod transaction;

pub use builder::{Builder, Hook, Work};
pub use discard::discard_session;
pub use pool::{Pool, Pooled};
