//! Where an error comes from: what was sent, and what the client wrote.

use std::ops::Range;

use kecoa_sql::Statement;

use crate::dialect::edit::Sql;

/// Where an error comes from.
#[derive(Clone, Debug)]
pub(super) struct Origin<'a> {
    /// What PostgreSQL was sent.
    pub(super) sql: &'a Sql,
    /// The part of it that failed, in bytes.
    pub(super) part: Range<usize>,
    /// What the client sent.
    pub(super) client: &'a [u8],
    pub(super) backslash_escapes: bool,
}

impl Origin<'_> {
    /// What `look` finds in the client's statement that failed.
    pub(super) fn written<T>(&self, look: impl FnOnce(&Statement<'_>) -> T) -> Option<T> {
        let byte = self.sql.source_within(self.part.clone())?;
        self.statement(byte, |statement, _| look(statement))
    }

    /// What `look` finds in the client's statement around a byte of its text, which is given as a byte of
    /// the statement.
    pub(super) fn statement<T>(
        &self,
        byte: usize,
        look: impl FnOnce(&Statement<'_>, usize) -> T,
    ) -> Option<T> {
        let statements = kecoa_sql::split(self.client, self.backslash_escapes);
        let around = statements.iter().rev().find(|statement| statement.offset() <= byte)?;
        Some(look(around, byte - around.offset()))
    }
}
