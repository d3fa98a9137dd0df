//! The users that the gateway knows, and the roles that they have made.

mod roles;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use kecoa_server::secret::random;
use tokio::sync::{Mutex, OnceCell};
use uuid::Uuid;

use crate::auth::{Credentials, Decoy, Mechanism, PasswordError, Role, RoleName, User, UserName};
use crate::error::{Code, Error};
use crate::store::Store;

/// How often a user is changed anew because others change it, too.
const ATTEMPTS: u32 = 20;

pub use roles::Granted;

/// The users that the gateway knows, and the roles that they have made.
#[derive(Debug)]
pub struct Accounts {
    backend: Backend,
    /// Counts changes: who is logged in asks for its roles again when it moves.
    changes: AtomicU64,
    decoy: OnceCell<Decoy>,
}

/// Where users and roles are kept.
#[derive(Debug)]
enum Backend {
    InMemory(Mutex<InMemory>),
    InStore(Store),
}

#[derive(Debug, Default)]
struct InMemory {
    users: BTreeMap<UserName, User>,
    roles: BTreeMap<RoleName, Role>,
}

impl Accounts {
    /// Users that are kept as long as this is.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::new(Backend::InMemory(Mutex::default()))
    }

    /// Users that the database keeps.
    #[must_use]
    pub fn in_store(store: Store) -> Self {
        Self::new(Backend::InStore(store))
    }

    fn new(backend: Backend) -> Self {
        Self { backend, changes: AtomicU64::new(0), decoy: OnceCell::new() }
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

    /// What invents credentials of users that do not exist: the same with every gateway of a database.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn decoy(&self) -> Result<&Decoy, Error> {
        let made = || async {
            let secret = random::<32>()
                .map_err(|error| Error::new(Code::INTERNAL_ERROR, error.to_string()))?;
            Ok(Decoy::new(match &self.backend {
                Backend::InMemory(_) => secret,
                Backend::InStore(store) => store.secret(secret).await?,
            }))
        };
        self.decoy.get_or_try_init(made).await
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
        match &self.backend {
            Backend::InMemory(kept) => Ok(kept.lock().await.users.get(name).cloned()),
            Backend::InStore(store) => store.account(name).await,
        }
    }

    /// The users of a database, of all without one, in the order of their names.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn list(&self, database: Option<&str>) -> Result<Vec<User>, Error> {
        match &self.backend {
            Backend::InMemory(kept) => {
                let is_meant =
                    |user: &&User| database.is_none_or(|name| user.name.database == name);
                Ok(kept.lock().await.users.values().filter(is_meant).cloned().collect())
            }
            Backend::InStore(store) => store.accounts(database).await,
        }
    }

    /// Whether there is no user at all.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn is_empty(&self) -> Result<bool, Error> {
        match &self.backend {
            Backend::InMemory(kept) => Ok(kept.lock().await.users.is_empty()),
            Backend::InStore(store) => Ok(!store.has_accounts().await?),
        }
    }

    /// Adds a user. `false`: there is one of that name already.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn insert(&self, user: User) -> Result<bool, Error> {
        let is_added = match &self.backend {
            Backend::InMemory(kept) => {
                let users = &mut kept.lock().await.users;
                let is_new = !users.contains_key(&user.name);
                if is_new {
                    users.insert(user.name.clone(), user);
                }
                is_new
            }
            Backend::InStore(store) => store.add_account(&user).await?,
        };
        self.note_change();
        Ok(is_added)
    }

    /// Changes a user. `false`: there is none of that name. `change` is called again when somebody else changes
    /// the user at the same time.
    ///
    /// # Errors
    /// `change`'s, and those of the database; 112 when others change the user all the time.
    pub async fn update(
        &self,
        name: &UserName,
        mut change: impl FnMut(&mut User) -> Result<(), Error> + Send,
    ) -> Result<bool, Error> {
        for _ in 0..ATTEMPTS {
            let Some(before) = self.find(name).await? else { return Ok(false) };
            let mut after = before.clone();
            change(&mut after)?;
            if after == before || self.replace(&before, after).await? {
                self.note_change();
                return Ok(true);
            }
        }
        let message = format!("others go on changing the user {name}");
        Err(Error::new(Code::WRITE_CONFLICT, message))
    }

    async fn replace(&self, before: &User, after: User) -> Result<bool, Error> {
        match &self.backend {
            Backend::InMemory(kept) => match kept.lock().await.users.get_mut(&after.name) {
                Some(user) if user == before => {
                    *user = after;
                    Ok(true)
                }
                _ => Ok(false),
            },
            Backend::InStore(store) => store.change_account(before, &after).await,
        }
    }

    /// Removes a user. `false`: there is none of that name.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn remove(&self, name: &UserName) -> Result<bool, Error> {
        let is_removed = match &self.backend {
            Backend::InMemory(kept) => kept.lock().await.users.remove(name).is_some(),
            Backend::InStore(store) => store.remove_account(name).await?,
        };
        self.note_change();
        Ok(is_removed)
    }

    /// Removes all users of a database; how many there were.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn remove_all(&self, database: &str) -> Result<u64, Error> {
        let removed = match &self.backend {
            Backend::InMemory(kept) => {
                let users = &mut kept.lock().await.users;
                let before = users.len();
                users.retain(|name, _| name.database != database);
                u64::try_from(before - users.len()).unwrap_or(u64::MAX)
            }
            Backend::InStore(store) => store.remove_accounts(database).await?,
        };
        self.note_change();
        Ok(removed)
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
