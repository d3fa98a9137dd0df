//! Writes that a client may send again: what their statements came to is kept with the write itself.

use std::collections::HashMap;

use ::bson::RawDocument;

use crate::error::Error;
use crate::store::{Handle, Record, RecordId};

use super::statement_result::StatementResult;

/// The statements of one retryable command.
#[derive(Debug)]
pub struct Retry {
    session: Vec<u8>,
    transaction: i64,
    numbers: Option<Vec<i32>>,
    known: HashMap<i32, StatementResult>,
    is_looked_up: bool,
}

impl Retry {
    /// Of a session's transaction number. `numbers`: those of the statements, where the client gave them.
    #[must_use]
    pub fn new(session: Vec<u8>, transaction: i64, numbers: Option<Vec<i32>>) -> Self {
        Self { session, transaction, numbers, known: HashMap::new(), is_looked_up: false }
    }

    /// Whether it was looked up which statements have run before.
    ///
    /// A write that was recorded before does not happen again: the store says so. So a look-up is owed only where a
    /// statement had nothing to write, or failed.
    #[must_use]
    pub fn is_looked_up(&self) -> bool {
        self.is_looked_up
    }

    /// Look up which statements have run before.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn look_up(&mut self, mut handle: Handle<'_>) -> Result<(), Error> {
        let records = handle.records(&self.session, self.transaction).await?;
        self.known = records
            .into_iter()
            .filter_map(|record| {
                let document = RawDocument::from_bytes(&record.reply).ok()?;
                Some((record.id.statement, StatementResult::from_document(document)))
            })
            .collect();
        self.is_looked_up = true;
        Ok(())
    }

    /// The number of a statement of the command.
    #[must_use]
    pub fn number(&self, index: usize) -> i32 {
        let given = self.numbers.as_ref().and_then(|numbers| numbers.get(index).copied());
        given.unwrap_or_else(|| i32::try_from(index).unwrap_or(i32::MAX))
    }

    /// What a statement came to before.
    #[must_use]
    pub fn known(&self, index: usize) -> Option<&StatementResult> {
        self.known.get(&self.number(index))
    }

    /// What to keep of a statement.
    #[must_use]
    pub fn record(&self, index: usize, result: &StatementResult) -> Record {
        self.record_of(index, result.to_document().into_bytes())
    }

    /// The same of a result's bytes.
    #[must_use]
    pub fn record_of(&self, index: usize, reply: Vec<u8>) -> Record {
        Record {
            id: RecordId {
                session: self.session.clone(),
                transaction: self.transaction,
                statement: self.number(index),
            },
            reply,
        }
    }
}
