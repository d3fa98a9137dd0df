//! A transaction's statements, whichever client they go by.
//!
//! The body of a transaction is written once, as an `async fn` over [`Statements`]. With the client for tokio
//! it waits as any other; with the blocking one each statement has its answer when its call returns, and
//! [`complete`] runs the body to its end.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use kecoa::types::ToSql;
use kecoa::{Error, Row};

/// A connection, or a transaction on it.
pub(crate) trait Statements {
    /// Runs a statement and gives its rows.
    fn query(
        &mut self,
        sql: &str,
        parameters: &[&dyn ToSql],
    ) -> impl Future<Output = Result<Vec<Row>, Error>>;

    /// Runs a statement and gives how many rows it changed.
    fn execute(
        &mut self,
        sql: &str,
        parameters: &[&dyn ToSql],
    ) -> impl Future<Output = Result<u64, Error>>;

    /// Runs a statement that gives one row.
    async fn query_one(&mut self, sql: &str, parameters: &[&dyn ToSql]) -> Result<Row, Error> {
        let mut rows = self.query(sql, parameters).await?.into_iter();
        match (rows.next(), rows.next()) {
            (Some(row), None) => Ok(row),
            (row, _) => {
                let found = if row.is_none() { "none" } else { "several" };
                Err(Error::conversion(format!("expected one row, found {found}: {sql}")))
            }
        }
    }
}

macro_rules! blocking {
    ($($type:ty),*) => {
        $(
            impl Statements for $type {
                async fn query(
                    &mut self,
                    sql: &str,
                    parameters: &[&dyn ToSql],
                ) -> Result<Vec<Row>, Error> {
                    self.query(sql, parameters)
                }

                async fn execute(
                    &mut self,
                    sql: &str,
                    parameters: &[&dyn ToSql],
                ) -> Result<u64, Error> {
                    self.execute(sql, parameters)
                }
            }
        )*
    };
}

blocking!(kecoa::blocking::Transaction<'_>, kecoa::blocking::Client);

impl Statements for kecoa::Transaction<'_> {
    async fn query(&mut self, sql: &str, parameters: &[&dyn ToSql]) -> Result<Vec<Row>, Error> {
        self.query(sql, parameters).await
    }

    async fn execute(&mut self, sql: &str, parameters: &[&dyn ToSql]) -> Result<u64, Error> {
        self.execute(sql, parameters).await
    }
}

/// Runs what never waits: a body whose statements are the blocking client's.
pub(crate) fn complete<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
        // It does wait after all, and there is nobody to wake it.
        std::thread::yield_now();
    }
}
