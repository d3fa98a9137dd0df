//! Users, and the secret that gateways of one database share.

use ::bson::RawDocument;
use kecoa::Row;

use super::database::{Effect, Store};
use super::failure::{read, unexpected};
use crate::auth::{User, UserName};
use crate::error::Error;

impl Store {
    /// The user of this name.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn account(&self, name: &UserName) -> Result<Option<User>, Error> {
        if !is_text(name) {
            return Ok(None);
        }
        let sql = "SELECT doc FROM kecoa_mongo.account WHERE db = $1 AND name = $2";
        let rows = self.rows(Effect::Read, sql, &[&name.database, &name.name], None).await?;
        rows.first().map(user).transpose()
    }

    /// The users of a database, or of all, in the order of their names.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn accounts(&self, database: Option<&str>) -> Result<Vec<User>, Error> {
        let rows = match database {
            Some(database) => {
                let sql = "SELECT doc FROM kecoa_mongo.account WHERE db = $1";
                self.rows(Effect::Read, sql, &[&database], None).await?
            }
            None => {
                let sql = "SELECT doc FROM kecoa_mongo.account";
                self.rows(Effect::Read, sql, &[], None).await?
            }
        };
        let mut users = rows.iter().map(user).collect::<Result<Vec<_>, _>>()?;
        users.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(users)
    }

    /// Whether there is any user.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn has_accounts(&self) -> Result<bool, Error> {
        let sql = "SELECT 1::INT4 FROM kecoa_mongo.account LIMIT 1";
        Ok(!self.rows(Effect::Read, sql, &[], None).await?.is_empty())
    }

    /// Keeps a new user. `false`: there is one of that name.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn add_account(&self, user: &User) -> Result<bool, Error> {
        let sql = "INSERT INTO kecoa_mongo.account (db, name, doc) VALUES ($1, $2, $3) \
                   ON CONFLICT DO NOTHING";
        let document = user.to_document();
        let (name, bytes) = (&user.name, document.as_bytes());
        let params: [&dyn kecoa::types::ToSql; 3] = [&name.database, &name.name, &bytes];
        Ok(self.count(Effect::Write, sql, &params, None).await? > 0)
    }

    /// Keeps a user in place of what it was. `false`: it is something else by now, or gone.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn change_account(&self, before: &User, after: &User) -> Result<bool, Error> {
        let sql = "UPDATE kecoa_mongo.account SET doc = $3 \
                   WHERE db = $1 AND name = $2 AND doc = $4";
        let (before, after) = (before.to_document(), (&after.name, after.to_document()));
        let (old, (name, new)) = (before.as_bytes(), (after.0, after.1.as_bytes()));
        let params: [&dyn kecoa::types::ToSql; 4] = [&name.database, &name.name, &new, &old];
        Ok(self.count(Effect::Write, sql, &params, None).await? > 0)
    }

    /// Removes a user. `false`: there is none of that name.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn remove_account(&self, name: &UserName) -> Result<bool, Error> {
        if !is_text(name) {
            return Ok(false);
        }
        let sql = "DELETE FROM kecoa_mongo.account WHERE db = $1 AND name = $2";
        let params: [&dyn kecoa::types::ToSql; 2] = [&name.database, &name.name];
        Ok(self.count(Effect::Write, sql, &params, None).await? > 0)
    }

    /// Removes the users of a database; how many there were.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn remove_accounts(&self, database: &str) -> Result<u64, Error> {
        let sql = "DELETE FROM kecoa_mongo.account WHERE db = $1";
        Ok(self.count(Effect::Write, sql, &[&database], None).await?)
    }

    /// The secret that gateways of this database share: the one that is there, or else `new`.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn secret(&self, new: [u8; 32]) -> Result<[u8; 32], Error> {
        let new = new.as_slice();
        let sql =
            "INSERT INTO kecoa_mongo.secret (one, bytes) VALUES (1, $1) ON CONFLICT DO NOTHING";
        self.count(Effect::WriteOnce, sql, &[&new], None).await?;
        let sql = "SELECT bytes FROM kecoa_mongo.secret WHERE one = 1";
        let rows = self.rows(Effect::Read, sql, &[], None).await?;
        let row = rows.first().ok_or_else(|| unexpected("no secret"))?;
        let bytes: Vec<u8> = read(row, 0)?;
        bytes.try_into().map_err(|_| unexpected("a secret that has not 32 bytes"))
    }
}

/// Whether the database can have such a name at all.
fn is_text(name: &UserName) -> bool {
    !name.database.contains('\0') && !name.name.contains('\0')
}

fn user(row: &Row) -> Result<User, Error> {
    let bytes: Vec<u8> = read(row, 0)?;
    let document = RawDocument::from_bytes(&bytes).ok();
    document.and_then(User::from_document).ok_or_else(|| unexpected("a user that cannot be read"))
}
