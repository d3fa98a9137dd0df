//! The users that the gateway knows.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;
use uuid::Uuid;

use crate::auth::{Credentials, Decoy, Mechanism, PasswordError, RoleName, User, UserName};
use crate::error::{Code, Error};

/// The users that the gateway knows.
#[derive(Debug)]
pub struct Accounts {
    users: Mutex<BTreeMap<UserName, User>>,
    /// Counts changes: who is logged in asks for its roles again when it moves.
    changes: AtomicU64,
    decoy: Decoy,
}

impl Accounts {
    /// No users; they are kept as long as this is. `secret` is what answers about users that do not exist are
    /// invented from.
    #[must_use]
    pub fn in_memory(secret: [u8; 32]) -> Self {
        Self { users: Mutex::default(), changes: AtomicU64::new(0), decoy: Decoy::new(secret) }
    }

    /// Makes a user of `admin` who may do everything, if there is none of that name. `false`: there was one.
    ///
    /// # Errors
    /// 2 for a password that cannot be used, and those of the database.
    pub async fn make_first(&self, name: &str, password: &str) -> Result<bool, Error> {
        let user = User {
            name: UserName::new("admin", name),
            id: Uuid::from_u128(fastrand::u128(..)),
            credentials: credentials(name, password, &Mechanism::ALL, false)?,
            roles: vec![RoleName::new("admin", "root")],
            custom_data: None,
            restrictions: None,
        };
        self.insert(user).await
    }

    /// What invents credentials of users that do not exist.
    #[must_use]
    pub fn decoy(&self) -> &Decoy {
        &self.decoy
    }

    /// Moves with every change that this gateway makes.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// The user of this name.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find(&self, name: &UserName) -> Result<Option<User>, Error> {
        Ok(self.users.lock().await.get(name).cloned())
    }

    /// The users of a database, of all without one, in the order of their names.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn list(&self, database: Option<&str>) -> Result<Vec<User>, Error> {
        let users = self.users.lock().await;
        let is_asked = |user: &&User| database.is_none_or(|name| user.name.database == name);
        Ok(users.values().filter(is_asked).cloned().collect())
    }

    /// Whether there is no user at all.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn is_empty(&self) -> Result<bool, Error> {
        Ok(self.users.lock().await.is_empty())
    }

    /// Adds a user. `false`: there is one of that name already.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn insert(&self, user: User) -> Result<bool, Error> {
        let mut users = self.users.lock().await;
        if users.contains_key(&user.name) {
            return Ok(false);
        }
        users.insert(user.name.clone(), user);
        self.note_change();
        Ok(true)
    }

    /// Changes a user. `false`: there is none of that name. `change` may be called again, when somebody else changes
    /// the user at the same time.
    ///
    /// # Errors
    /// `change`'s, and those of the database.
    pub async fn update(
        &self,
        name: &UserName,
        mut change: impl FnMut(&mut User) -> Result<(), Error> + Send,
    ) -> Result<bool, Error> {
        let mut users = self.users.lock().await;
        let Some(user) = users.get_mut(name) else { return Ok(false) };
        let mut changed = user.clone();
        change(&mut changed)?;
        *user = changed;
        self.note_change();
        Ok(true)
    }

    /// Removes a user. `false`: there is none of that name.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn remove(&self, name: &UserName) -> Result<bool, Error> {
        let is_removed = self.users.lock().await.remove(name).is_some();
        self.note_change();
        Ok(is_removed)
    }

    /// Removes all users of a database; how many there were.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn remove_all(&self, database: &str) -> Result<u64, Error> {
        let mut users = self.users.lock().await;
        let before = users.len();
        users.retain(|name, _| name.database != database);
        self.note_change();
        Ok(u64::try_from(before - users.len()).unwrap_or(u64::MAX))
    }

    fn note_change(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }
}

/// Credentials of a new password, for these mechanisms.
///
/// # Errors
/// 2 for a password that cannot be used.
pub fn credentials(
    user: &str,
    password: &str,
    mechanisms: &[Mechanism],
    is_digested: bool,
) -> Result<Vec<Credentials>, Error> {
    if password.is_empty() {
        return Err(bad("Password cannot be empty".to_owned()));
    }
    let made = mechanisms.iter().map(|mechanism| {
        Credentials::new(*mechanism, user, password, is_digested).map_err(|error| match error {
            PasswordError::Salt(_) => Error::new(Code::INTERNAL_ERROR, error.to_string()),
            other => bad(other.to_string()),
        })
    });
    made.collect()
}

fn bad(message: String) -> Error {
    Error::new(Code::BAD_VALUE, message)
}
