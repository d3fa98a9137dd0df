//! What a stream watches.

use super::event::Change;

/// What a stream watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All databases but the server's own.
    Cluster,
    /// A database.
    Database(Box<str>),
    /// A collection.
    Collection(Box<str>, Box<str>),
}

/// Whether a stream goes on behind an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// It does.
    No,
    /// What it watches is gone: it is invalid from here on.
    Here,
}

impl Scope {
    /// The database; none for all of them.
    #[must_use]
    pub fn database(&self) -> Option<&str> {
        match self {
            Self::Cluster => None,
            Self::Database(database) | Self::Collection(database, _) => Some(database),
        }
    }

    /// The collection; none for all of them.
    #[must_use]
    pub fn collection(&self) -> Option<&str> {
        match self {
            Self::Cluster | Self::Database(_) => None,
            Self::Collection(_, collection) => Some(collection),
        }
    }

    /// Whether a stream sees a change of a collection. A change of a database has a collection without a name.
    #[must_use]
    pub fn sees(&self, database: &str, collection: &str, change: &Change) -> bool {
        self.has(database, collection)
            || change.renamed_to().is_some_and(|(database, collection)| {
                !collection.is_empty() && self.has(database, collection)
            })
    }

    fn has(&self, database: &str, collection: &str) -> bool {
        match self {
            Self::Cluster => {
                !matches!(database, "admin" | "config" | "local") && !is_internal(collection)
            }
            Self::Database(own) => **own == *database && !is_internal(collection),
            Self::Collection(own, name) => **own == *database && **name == *collection,
        }
    }

    /// Whether a change that a stream sees ends it.
    #[must_use]
    pub fn ends(&self, change: &Change) -> Ends {
        let ends = match self {
            Self::Cluster => false,
            Self::Database(_) => change.operation() == "dropDatabase",
            Self::Collection(..) => {
                matches!(change.operation(), "drop" | "rename") && !change.is_of_view()
            }
        };
        if ends { Ends::Here } else { Ends::No }
    }
}

/// Collections that streams of a database do not see.
fn is_internal(collection: &str) -> bool {
    collection.starts_with("system.")
}
