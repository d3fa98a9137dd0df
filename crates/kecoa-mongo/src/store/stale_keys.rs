//! Keys that a transaction still sees, and that others have given up since.
//!
//! PostgreSQL lets a transaction insert such a key: its unique indexes go by what is committed, not by a snapshot. The
//! transaction would see two documents of one `_id`, or of one unique key, from then on. So a write that takes keys in
//! a snapshot looks, in the same request, whether it sees one of them twice.

use kecoa::{Answers, Row, Slot};

use super::change_log::ChangeList;
use super::collection::Collection;
use super::database::Effect;
use super::entry_changes::EntryList;
use super::failure::{Failed, unexpected};
use super::handle::{Handle, Work};
use super::parts::Tables;
use super::snapshot;
use super::statement::Statement;

/// The keys that a write takes.
pub(super) struct Taken<'a> {
    /// Of new documents.
    pub(super) id_keys: &'a [&'a [u8]],
    /// In unique indexes.
    pub(super) unique: &'a EntryList,
}

impl Taken<'_> {
    fn is_empty(&self) -> bool {
        self.id_keys.is_empty() && self.unique.is_empty()
    }

    /// A query that has a row for each key that is seen twice. A join would not do: it looks for one row where an index
    /// says that there is but one.
    fn seen_twice<'p>(&'p self, tables: &Tables, collection: &'p i64) -> Statement<'p> {
        let mut statement = Statement::default();
        if !self.id_keys.is_empty() {
            statement.text("SELECT 1 FROM ");
            match self.id_keys {
                [key] => statement.text("(SELECT ").param(key).text("::BYTEA AS key) AS k"),
                _ => statement.text("unnest(").param(&self.id_keys).text("::BYTEA[]) AS k(key)"),
            };
            statement.text(" WHERE (SELECT count(*) FROM ").text(&tables.document);
            statement.text(" d WHERE d.coll = ").param(collection);
            statement.text(" AND d.id_key = k.key) > 1");
        }
        if !self.unique.is_empty() {
            statement.text(if self.id_keys.is_empty() { "" } else { " UNION ALL " });
            statement.text("SELECT 1 FROM ").entries(self.unique);
            statement.text(" WHERE (SELECT count(*) FROM ").text(&tables.unique);
            statement.text(" u WHERE u.coll = ").param(collection);
            statement.text(" AND u.idx = t.idx AND u.key = t.key) > 1");
        }
        statement
    }
}

impl Handle<'_> {
    /// The count of a statement that takes keys, and that leaves changes for streams where there is a list of them.
    pub(super) async fn take_count(
        &mut self,
        collection: &Collection,
        effect: Effect,
        statement: &Statement<'_>,
        list: Option<&ChangeList>,
        taken: &Taken<'_>,
    ) -> Result<u64, Failed> {
        if list.is_none() && !self.looks_twice(collection, taken) {
            return self.execute(effect, &statement.sql, &statement.params).await;
        }
        let (mut answers, slot) = self.take(collection, effect, statement, list, taken).await?;
        Ok(answers.count(slot).map_err(|error| unexpected(&error.to_string()))?)
    }

    /// The same, its rows.
    pub(super) async fn take_rows(
        &mut self,
        collection: &Collection,
        effect: Effect,
        statement: &Statement<'_>,
        list: Option<&ChangeList>,
        taken: &Taken<'_>,
    ) -> Result<Vec<Row>, Failed> {
        if list.is_none() && !self.looks_twice(collection, taken) {
            return self.rows(effect, &statement.sql, &statement.params).await;
        }
        let (mut answers, slot) = self.take(collection, effect, statement, list, taken).await?;
        Ok(answers.rows(slot).map_err(|error| unexpected(&error.to_string()))?)
    }

    async fn take(
        &mut self,
        collection: &Collection,
        effect: Effect,
        statement: &Statement<'_>,
        list: Option<&ChangeList>,
        taken: &Taken<'_>,
    ) -> Result<(Answers, Slot), Failed> {
        let id = collection.id();
        let looks = self.looks_twice(collection, taken);
        let twice = looks.then(|| taken.seen_twice(self.tables(collection), &id));
        let sent: Vec<_> = std::iter::once(statement)
            .chain(&twice)
            .map(|one| (one.sql.as_str(), &*one.params))
            .collect();
        let (mut answers, slots) = match list {
            Some(list) => self.logged(effect, &sent, list).await?,
            None => self.together(effect, &sent).await?,
        };
        let mut slots = slots.into_iter();
        let Some(slot) = slots.next() else { return Err(unexpected("no answer").into()) };
        if let (true, Some(twice)) = (looks, slots.next()) {
            let rows = answers.rows(twice).map_err(|error| unexpected(&error.to_string()))?;
            if !rows.is_empty() {
                if let Work::Within(transaction) = &mut self.work {
                    transaction.fail();
                }
                return Err(snapshot::conflict("removed").into());
            }
        }
        Ok((answers, slot))
    }

    /// Whether keys may be there twice: in a transaction with a snapshot, but for a collection that nobody else knows.
    fn looks_twice(&self, collection: &Collection, taken: &Taken<'_>) -> bool {
        self.is_within()
            && self.capabilities().snapshot_isolation
            && !taken.is_empty()
            && !self.has_made(collection)
    }
}
