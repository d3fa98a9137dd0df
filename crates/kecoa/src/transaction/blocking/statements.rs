//! What else a transaction's body can do: rows as structs, streams, many rows, savepoints.

use kecoa_proto::Request;
use kecoa_types::ToSql;

use super::end::run_simple;
use super::transaction::Transaction;
use crate::client::blocking::RowIter;
use crate::error::Error;
use crate::interrupt::Never;
use crate::row::{FromRow, read_all};
use crate::session::extended;
use crate::session::pipeline::{Answers, Pipeline};
use crate::session::statement;
use crate::transaction::attempt::note;
use crate::transaction::state::Savepoint;

impl Transaction<'_> {
    /// Runs a statement and reads its rows as tuples or structs, as
    /// [`Client::query_as`](crate::blocking::Client::query_as).
    ///
    /// # Errors
    /// As [`Client::query_as`](crate::blocking::Client::query_as).
    pub fn query_as<T: FromRow>(
        &mut self,
        sql: &str,
        params: &[&dyn ToSql],
    ) -> Result<Vec<T>, Error> {
        read_all(&self.set(sql, params)?)
    }

    /// The one row of a statement, as a tuple or a struct.
    ///
    /// # Errors
    /// As [`Client::query_one_as`](crate::blocking::Client::query_one_as).
    pub fn query_one_as<T: FromRow>(
        &mut self,
        sql: &str,
        params: &[&dyn ToSql],
    ) -> Result<T, Error> {
        extended::exactly_one(self.query_as(sql, params)?)
    }

    /// The one row of a statement as a tuple or a struct, if there is one.
    ///
    /// # Errors
    /// As [`Client::query_opt_as`](crate::blocking::Client::query_opt_as).
    pub fn query_opt_as<T: FromRow>(
        &mut self,
        sql: &str,
        params: &[&dyn ToSql],
    ) -> Result<Option<T>, Error> {
        extended::at_most_one(self.query_as(sql, params)?)
    }

    /// Gives the rows of a statement one by one, in bounded memory, as
    /// [`Client::query_iter`](crate::blocking::Client::query_iter).
    ///
    /// # Errors
    /// As [`Client::query_iter`](crate::blocking::Client::query_iter).
    pub fn query_iter(&mut self, sql: &str, params: &[&dyn ToSql]) -> Result<RowIter<'_>, Error> {
        self.begin_now()?;
        RowIter::new(self.session, sql, params, Some(&mut self.state.noted))
    }

    /// Runs one statement once for each set of parameters, as
    /// [`Client::execute_many`](crate::blocking::Client::execute_many).
    ///
    /// # Errors
    /// As [`Client::execute_many`](crate::blocking::Client::execute_many).
    pub fn execute_many(&mut self, sql: &str, rows: &[&[&dyn ToSql]]) -> Result<u64, Error> {
        self.begin_now()?;
        self.statement(|session, begin| extended::run_many(session, begin, sql, rows, &mut Never))
    }

    /// Sends several statements before the first is answered. After the error of one those behind
    /// it fail with SQLSTATE 25P02.
    ///
    /// # Errors
    /// As [`Client::run_pipeline`](crate::blocking::Client::run_pipeline).
    pub fn run_pipeline(&mut self, pipeline: &Pipeline) -> Result<Answers, Error> {
        self.begin_now()?;
        let answers = self.statement(|session, _| pipeline.run(session, &mut Never))?;
        if let Some(error) = answers.first_error() {
            note(&mut self.state.noted, error);
        }
        Ok(answers)
    }

    /// Runs the body behind a savepoint: what it did is undone when it returns an error, and the
    /// transaction goes on. An error that asks for a retry of the whole transaction (SQLSTATE
    /// 40001) has undone all of it: return it.
    ///
    /// ```
    /// # kecoa::example::blocking(|client| {
    /// client.transaction(|tx| {
    ///     tx.execute("UPDATE accounts SET balance = balance - 1 WHERE id = 1", &[])?;
    ///     let twice = tx.savepoint(|tx| {
    ///         tx.execute("INSERT INTO accounts VALUES (1, 0)", &[])
    ///     });
    ///     assert_eq!(twice.unwrap_err().sqlstate(), Some("23505"));
    ///     tx.execute("UPDATE accounts SET balance = balance + 1 WHERE id = 2", &[])
    /// })?;
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// The body's; the server's about the savepoint.
    pub fn savepoint<T, E: From<Error>>(
        &mut self,
        body: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let savepoint = Savepoint::new(&self.state);
        self.batch(&savepoint.make())?;
        self.state.depth += 1;
        let result = body(self);
        self.state.depth -= 1;
        match result {
            Ok(value) => {
                self.batch(&savepoint.release())?;
                Ok(value)
            }
            Err(error) => {
                // Where going back fails the transaction has failed, and says so at its end.
                if self.state.is_usable(self.session) {
                    let undone = run_simple(self.session, &savepoint.undo()).is_ok();
                    self.state.undone(self.session, undone, &savepoint);
                }
                Err(error)
            }
        }
    }

    /// Begins the transaction without a statement, unless it has begun.
    fn begin_now(&mut self) -> Result<(), Error> {
        if self.state.begun {
            return Ok(());
        }
        self.statement(|session, begin| match begin {
            Some(begin) => statement::run(session, &Request::Query(begin), &mut Never).map(drop),
            None => Ok(()),
        })
    }
}
