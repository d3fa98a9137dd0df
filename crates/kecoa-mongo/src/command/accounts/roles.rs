//! Roles that users have made.

use std::collections::BTreeSet;

use super::{ATTEMPTS, Accounts, Backend};
use crate::auth::{Access, Role, RoleName, builtin};
use crate::error::{Code, Error};

/// What roles come to, those that they inherit included.
#[derive(Clone, Debug, Default)]
pub struct Granted {
    /// All of them, in order.
    pub roles: Vec<RoleName>,
    /// What they allow together.
    pub access: Access,
}

impl Accounts {
    /// What these roles allow, with what they inherit.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn granted(&self, roles: &[RoleName]) -> Result<Granted, Error> {
        let is_made = |name: &&RoleName| builtin(name).is_none();
        let mut all: BTreeSet<RoleName> = roles.iter().cloned().collect();
        let mut next: Vec<RoleName> = all.iter().filter(is_made).cloned().collect();
        let mut made = Vec::new();
        // Each level is asked for at once; a role that was met before is not asked for again.
        while !next.is_empty() {
            let found = self.roles_named(&next).await?;
            let inherited = found.iter().flat_map(|role| &role.roles);
            let new: Vec<&RoleName> = inherited.filter(|name| !all.contains(name)).collect();
            next = new.iter().copied().filter(is_made).cloned().collect();
            next.sort();
            next.dedup();
            all.extend(new.into_iter().cloned().collect::<Vec<_>>());
            made.extend(found);
        }
        let mut access = Access::of(&all);
        for role in &made {
            access.add(role);
        }
        Ok(Granted { roles: all.into_iter().collect(), access })
    }

    /// The roles of these names that users have made; those that are there.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn roles_named(&self, names: &[RoleName]) -> Result<Vec<Role>, Error> {
        match &self.backend {
            Backend::InMemory(kept) => {
                let kept = kept.lock().await;
                Ok(names.iter().filter_map(|name| kept.roles.get(name).cloned()).collect())
            }
            Backend::InStore(store) => store.roles_named(names).await,
        }
    }

    /// The roles that users have made in a database, or in all, in the order of their names.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn roles(&self, database: Option<&str>) -> Result<Vec<Role>, Error> {
        match &self.backend {
            Backend::InMemory(kept) => {
                let is_meant =
                    |role: &&Role| database.is_none_or(|name| role.name.database == name);
                Ok(kept.lock().await.roles.values().filter(is_meant).cloned().collect())
            }
            Backend::InStore(store) => store.roles(database).await,
        }
    }

    /// Adds a role. `false`: there is one of that name already.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn insert_role(&self, role: Role) -> Result<bool, Error> {
        let is_added = match &self.backend {
            Backend::InMemory(kept) => {
                let roles = &mut kept.lock().await.roles;
                let is_new = !roles.contains_key(&role.name);
                if is_new {
                    roles.insert(role.name.clone(), role);
                }
                is_new
            }
            Backend::InStore(store) => store.add_role(&role).await?,
        };
        self.note_change();
        Ok(is_added)
    }

    /// Changes a role. `false`: there is none of that name. `change` is called again when somebody else changes the
    /// role at the same time.
    ///
    /// # Errors
    /// Those of the database; 112 when others change the role all the time.
    pub async fn update_role(
        &self,
        name: &RoleName,
        change: impl Fn(&mut Role) + Send,
    ) -> Result<bool, Error> {
        for _ in 0..ATTEMPTS {
            let found = self.roles_named(std::slice::from_ref(name)).await?;
            let Some(before) = found.into_iter().next() else { return Ok(false) };
            let mut after = before.clone();
            change(&mut after);
            if after == before || self.replace_role(&before, after).await? {
                self.note_change();
                return Ok(true);
            }
        }
        let message = format!("others go on changing the role {name}");
        Err(Error::new(Code::WRITE_CONFLICT, message))
    }

    async fn replace_role(&self, before: &Role, after: Role) -> Result<bool, Error> {
        match &self.backend {
            Backend::InMemory(kept) => match kept.lock().await.roles.get_mut(&after.name) {
                Some(role) if role == before => {
                    *role = after;
                    Ok(true)
                }
                _ => Ok(false),
            },
            Backend::InStore(store) => store.change_role(before, &after).await,
        }
    }

    /// Removes roles that users have made, and takes them from all users and roles before; how many there were. What
    /// an error leaves undone, the next call does.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn remove_roles(&self, names: &[RoleName]) -> Result<u64, Error> {
        for user in self.list(None).await? {
            if user.roles.iter().any(|role| names.contains(role)) {
                let change = |user: &mut crate::auth::User| {
                    user.roles.retain(|role| !names.contains(role));
                    Ok(())
                };
                self.update(&user.name, change).await?;
            }
        }
        for role in self.roles(None).await? {
            if role.roles.iter().any(|role| names.contains(role)) {
                let change = |role: &mut Role| role.roles.retain(|role| !names.contains(role));
                self.update_role(&role.name, change).await?;
            }
        }
        let mut removed = 0;
        for name in names {
            let is_removed = match &self.backend {
                Backend::InMemory(kept) => kept.lock().await.roles.remove(name).is_some(),
                Backend::InStore(store) => store.remove_role(name).await?,
            };
            removed += u64::from(is_removed);
        }
        self.note_change();
        Ok(removed)
    }
}
