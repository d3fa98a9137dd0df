//! Users, the roles that they have made, and the secret that gateways of one database share.

use super::database::{Effect, Store};
use super::failure::{read, unexpected};
use super::named::Named;
use crate::auth::{Role, RoleName, User, UserName};
use crate::error::Error;

impl Store {
    /// The user of this name.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn account(&self, name: &UserName) -> Result<Option<User>, Error> {
        Ok(self.named(Named::Account, &[user_key(name)], User::from_document).await?.pop())
    }

    /// The users of a database, or of all, in the order of their names.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn accounts(&self, database: Option<&str>) -> Result<Vec<User>, Error> {
        let mut users = self.all_named(Named::Account, database, User::from_document).await?;
        users.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(users)
    }

    /// Whether there is any user.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn has_accounts(&self) -> Result<bool, Error> {
        self.has_named(Named::Account).await
    }

    /// Keeps a new user. `false`: there is one of that name.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn add_account(&self, user: &User) -> Result<bool, Error> {
        self.add_named(Named::Account, user_key(&user.name), &user.to_document()).await
    }

    /// Keeps a user in place of what it was. `false`: it is something else by now, or gone.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn change_account(&self, before: &User, after: &User) -> Result<bool, Error> {
        let (old, new) = (before.to_document(), after.to_document());
        self.change_named(Named::Account, user_key(&after.name), &old, &new).await
    }

    /// Removes a user. `false`: there is none of that name.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn remove_account(&self, name: &UserName) -> Result<bool, Error> {
        self.remove_named(Named::Account, user_key(name)).await
    }

    /// Removes the users of a database; how many there were.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn remove_accounts(&self, database: &str) -> Result<u64, Error> {
        self.remove_all_named(Named::Account, database).await
    }

    /// The roles of these names that users have made; those that are there, in any order.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn roles_named(&self, names: &[RoleName]) -> Result<Vec<Role>, Error> {
        let keys: Vec<_> = names.iter().map(role_key).collect();
        self.named(Named::Role, &keys, Role::from_document).await
    }

    /// The roles that users have made in a database, or in all, in the order of their names.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn roles(&self, database: Option<&str>) -> Result<Vec<Role>, Error> {
        let mut roles = self.all_named(Named::Role, database, Role::from_document).await?;
        roles.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(roles)
    }

    /// Keeps a new role. `false`: there is one of that name.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn add_role(&self, role: &Role) -> Result<bool, Error> {
        self.add_named(Named::Role, role_key(&role.name), &role.to_document()).await
    }

    /// Keeps a role in place of what it was. `false`: it is something else by now, or gone.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn change_role(&self, before: &Role, after: &Role) -> Result<bool, Error> {
        let (old, new) = (before.to_document(), after.to_document());
        self.change_named(Named::Role, role_key(&after.name), &old, &new).await
    }

    /// Removes a role. `false`: there is none of that name.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn remove_role(&self, name: &RoleName) -> Result<bool, Error> {
        self.remove_named(Named::Role, role_key(name)).await
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

fn user_key(name: &UserName) -> (&str, &str) {
    (&name.database, &name.name)
}

fn role_key(name: &RoleName) -> (&str, &str) {
    (&name.database, &name.name)
}
