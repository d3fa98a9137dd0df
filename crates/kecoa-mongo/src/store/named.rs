//! Documents that are found by a database and a name: users and roles.

use ::bson::{RawDocument, RawDocumentBuf};
use kecoa::Row;

use super::database::{Effect, Store};
use super::failure::{read, unexpected};
use crate::error::Error;

/// A table of such documents.
#[derive(Clone, Copy, Debug)]
pub(super) enum Named {
    /// Users.
    Account,
    /// Roles that users have made.
    Role,
}

impl Named {
    fn table(self) -> &'static str {
        match self {
            Self::Account => "kecoa_mongo.account",
            Self::Role => "kecoa_mongo.role",
        }
    }
}

impl Store {
    /// The documents of these databases and names, in any order; those that are there.
    pub(super) async fn named<T>(
        &self,
        table: Named,
        names: &[(&str, &str)],
        parse: impl Fn(&RawDocument) -> Option<T>,
    ) -> Result<Vec<T>, Error> {
        // The database cannot have other names at all.
        let is_text = |text: &&str| !text.contains('\0');
        let possible = names.iter().filter(|(db, name)| is_text(db) && is_text(name));
        let (databases, names): (Vec<&str>, Vec<&str>) = possible.copied().unzip();
        let rows = if let ([database], [name]) = (databases.as_slice(), names.as_slice()) {
            let sql = format!("SELECT doc FROM {} WHERE db = $1 AND name = $2", table.table());
            self.rows(Effect::Read, &sql, &[database, name], None).await?
        } else {
            let sql = format!(
                "SELECT t.doc FROM unnest($1::TEXT[], $2::TEXT[]) AS n(db, name) \
                 JOIN {} t ON t.db = n.db AND t.name = n.name",
                table.table()
            );
            self.rows(Effect::Read, &sql, &[&databases, &names], None).await?
        };
        rows.iter().map(|row| parsed(row, &parse)).collect()
    }

    /// All documents of a database, or of all, in any order.
    pub(super) async fn all_named<T>(
        &self,
        table: Named,
        database: Option<&str>,
        parse: impl Fn(&RawDocument) -> Option<T>,
    ) -> Result<Vec<T>, Error> {
        let sql = format!("SELECT doc FROM {}", table.table());
        let rows = match database {
            Some(database) => {
                let sql = format!("{sql} WHERE db = $1");
                self.rows(Effect::Read, &sql, &[&database], None).await?
            }
            None => self.rows(Effect::Read, &sql, &[], None).await?,
        };
        rows.iter().map(|row| parsed(row, &parse)).collect()
    }

    /// Whether the table has any.
    pub(super) async fn has_named(&self, table: Named) -> Result<bool, Error> {
        let sql = format!("SELECT 1::INT4 FROM {} LIMIT 1", table.table());
        Ok(!self.rows(Effect::Read, &sql, &[], None).await?.is_empty())
    }

    /// Keeps a new document. `false`: there is one of that name.
    pub(super) async fn add_named(
        &self,
        table: Named,
        (database, name): (&str, &str),
        document: &RawDocumentBuf,
    ) -> Result<bool, Error> {
        let sql = format!(
            "INSERT INTO {} (db, name, doc) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            table.table()
        );
        let bytes = document.as_bytes();
        let params: [&dyn kecoa::types::ToSql; 3] = [&database, &name, &bytes];
        Ok(self.count(Effect::Write, &sql, &params, None).await? > 0)
    }

    /// Keeps a document in place of what it was. `false`: it is something else by now, or gone.
    pub(super) async fn change_named(
        &self,
        table: Named,
        (database, name): (&str, &str),
        before: &RawDocumentBuf,
        after: &RawDocumentBuf,
    ) -> Result<bool, Error> {
        let sql = format!(
            "UPDATE {} SET doc = $3 WHERE db = $1 AND name = $2 AND doc = $4",
            table.table()
        );
        let (old, new) = (before.as_bytes(), after.as_bytes());
        let params: [&dyn kecoa::types::ToSql; 4] = [&database, &name, &new, &old];
        Ok(self.count(Effect::Write, &sql, &params, None).await? > 0)
    }

    /// Removes a document. `false`: there is none of that name.
    pub(super) async fn remove_named(
        &self,
        table: Named,
        (database, name): (&str, &str),
    ) -> Result<bool, Error> {
        if database.contains('\0') || name.contains('\0') {
            return Ok(false);
        }
        let sql = format!("DELETE FROM {} WHERE db = $1 AND name = $2", table.table());
        let params: [&dyn kecoa::types::ToSql; 2] = [&database, &name];
        Ok(self.count(Effect::Write, &sql, &params, None).await? > 0)
    }

    /// Removes all documents of a database; how many there were.
    pub(super) async fn remove_all_named(
        &self,
        table: Named,
        database: &str,
    ) -> Result<u64, Error> {
        let sql = format!("DELETE FROM {} WHERE db = $1", table.table());
        Ok(self.count(Effect::Write, &sql, &[&database], None).await?)
    }
}

fn parsed<T>(row: &Row, parse: impl Fn(&RawDocument) -> Option<T>) -> Result<T, Error> {
    let bytes: Vec<u8> = read(row, 0)?;
    let document = RawDocument::from_bytes(&bytes).ok();
    document.and_then(parse).ok_or_else(|| unexpected("a user or role that cannot be read"))
}
