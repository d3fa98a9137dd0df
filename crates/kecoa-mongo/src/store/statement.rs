//! Statements put together of parts.

use kecoa::types::ToSql;

use super::entry_changes::EntryList;
use super::record::Record;

/// What a write counts on: that the catalogue says of a collection what it said.
#[derive(Clone, Copy, Debug)]
pub(super) struct Guard {
    pub(super) id: i64,
    pub(super) version: i64,
    /// Whether it must go on to say so until the transaction ends: a snapshot does not see that it changes, and what is
    /// committed after somebody began to watch must not come before that.
    pub(super) holds: bool,
}

/// A statement that grows: its text, and its parameters.
#[derive(Default)]
pub(super) struct Statement<'p> {
    pub(super) sql: String,
    pub(super) params: Vec<&'p dyn ToSql>,
}

impl<'p> Statement<'p> {
    /// Adds text.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        self.sql.push_str(text);
        self
    }

    /// Adds a parameter; one that is there already is not sent twice.
    pub(super) fn param(&mut self, value: &'p dyn ToSql) -> &mut Self {
        let known = self.params.iter().position(|known| std::ptr::addr_eq(*known, value));
        let number = known.unwrap_or(self.params.len());
        if known.is_none() {
            self.params.push(value);
        }
        self.sql.push('$');
        self.sql.push_str(&(number + 1).to_string());
        self
    }

    /// Adds the condition that the catalogue says of a collection what it said.
    pub(super) fn guard(&mut self, guard: &'p Guard) -> &mut Self {
        self.text("EXISTS (").guarding(guard).text(")")
    }

    /// Adds a query that has a row where the catalogue says of a collection what it said.
    pub(super) fn guarding(&mut self, guard: &'p Guard) -> &mut Self {
        self.text("SELECT 1 FROM kecoa_mongo.collection WHERE coll = ")
            .param(&guard.id)
            .text(" AND version = ")
            .param(&guard.version)
            .text(if guard.holds { " FOR SHARE" } else { "" })
    }

    /// Adds entries, as `t(idx, key, id_key)`. One is a row by itself, which is less work than arrays are.
    pub(super) fn entries(&mut self, list: &'p EntryList) -> &mut Self {
        if let ([index], [key], [id_key]) = (&*list.index, &*list.key, &*list.id_key) {
            return self
                .text("(SELECT ")
                .param(index)
                .text("::INT4 AS idx, ")
                .param(key)
                .text("::BYTEA AS key, ")
                .param(id_key)
                .text("::BYTEA AS id_key) AS t");
        }
        self.text("unnest(")
            .param(&list.index)
            .text("::INT4[], ")
            .param(&list.key)
            .text("::BYTEA[], ")
            .param(&list.id_key)
            .text("::BYTEA[]) AS t(idx, key, id_key)")
    }
}

/// Records, as parameters: all of one session and transaction.
#[derive(Debug, Default)]
pub(super) struct RecordList {
    pub(super) session: Vec<u8>,
    pub(super) transaction: i64,
    pub(super) statement: Vec<i32>,
    pub(super) reply: Vec<Vec<u8>>,
    /// The document that each is about.
    pub(super) id_key: Vec<Vec<u8>>,
    pub(super) at: i64,
}

impl RecordList {
    pub(super) fn push(&mut self, record: &Record, id_key: &[u8], at: i64) {
        self.session.clone_from(&record.id.session);
        self.transaction = record.id.transaction;
        self.statement.push(record.id.statement);
        self.reply.push(record.reply.clone());
        self.id_key.push(id_key.to_vec());
        self.at = at;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.statement.is_empty()
    }
}

impl<'p> Statement<'p> {
    /// Adds an insert of records, but for its condition.
    pub(super) fn records(&mut self, list: &'p RecordList) -> &mut Self {
        self.text("INSERT INTO kecoa_mongo.session (lsid, txn, stmt, reply, at) SELECT ")
            .param(&list.session)
            .text("::BYTEA, ")
            .param(&list.transaction)
            .text("::INT8, t.stmt, t.reply, ")
            .param(&list.at)
            .text("::INT8 FROM unnest(")
            .param(&list.statement)
            .text("::INT4[], ")
            .param(&list.reply)
            .text("::BYTEA[], ")
            .param(&list.id_key)
            .text("::BYTEA[]) AS t(stmt, reply, id_key)")
    }

    /// Adds an insert of the one record that there is, where there is a row of `source`; whether there is one.
    pub(super) fn record(&mut self, list: &'p RecordList, source: &str) -> bool {
        let ([statement], [reply]) = (&*list.statement, &*list.reply) else { return false };
        self.text("INSERT INTO kecoa_mongo.session (lsid, txn, stmt, reply, at) SELECT ")
            .param(&list.session)
            .text("::BYTEA, ")
            .param(&list.transaction)
            .text("::INT8, ")
            .param(statement)
            .text("::INT4, ")
            .param(reply)
            .text("::BYTEA, ")
            .param(&list.at)
            .text("::INT8 FROM ")
            .text(source);
        true
    }
}
