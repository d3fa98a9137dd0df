//! What may be done with what.

use std::collections::{BTreeMap, BTreeSet};

use ::bson::{RawArrayBuf, RawDocument, RawDocumentBuf};
use bson::raw::cstr;

use super::action::Action;

/// What actions are allowed on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// The server as a whole.
    Cluster,
    /// Collections of databases. An empty name stands for any: any database, any collection but the server's own.
    Collections {
        /// The database.
        database: String,
        /// The collection.
        collection: String,
    },
    /// Everything.
    Anything,
}

/// What a command is about to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// The server as a whole.
    Cluster,
    /// A database.
    Database(&'a str),
    /// A collection of a database.
    Collection(&'a str, &'a str),
}

/// Actions that are allowed on a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Privilege {
    /// What they are allowed on.
    pub resource: Resource,
    /// The actions, in order, none twice.
    pub actions: Vec<Action>,
}

/// Databases of the server's own: those who may use any database may not use these.
const OWN_DATABASES: [&str; 2] = ["local", "config"];

impl Resource {
    /// Any collection of `database` but the server's own.
    #[must_use]
    pub fn database(database: &str) -> Self {
        Self::collection(database, "")
    }

    /// One collection.
    #[must_use]
    pub fn collection(database: &str, collection: &str) -> Self {
        Self::Collections { database: database.to_owned(), collection: collection.to_owned() }
    }

    /// Whether `target` is part of it.
    #[must_use]
    pub fn covers(&self, target: Target<'_>) -> bool {
        match (self, target) {
            (Self::Anything, _) | (Self::Cluster, Target::Cluster) => true,
            (Self::Cluster, _) | (_, Target::Cluster) => false,
            (Self::Collections { database, collection }, Target::Database(used)) => {
                collection.is_empty() && covers_database(database, used)
            }
            (Self::Collections { database, collection }, Target::Collection(used, name)) => {
                covers_database(database, used)
                    && (collection == name || collection.is_empty() && !is_system(name))
            }
        }
    }

    /// The database that it is all of, or in; `None` for anything wider.
    #[must_use]
    pub fn within(&self) -> Option<&str> {
        match self {
            Self::Collections { database, .. } if !database.is_empty() => Some(database),
            _ => None,
        }
    }

    /// What [`to_document`](Self::to_document) made; `None` for anything else.
    #[must_use]
    pub fn from_document(document: &RawDocument) -> Option<Self> {
        if document.get_bool("cluster").is_ok() {
            return Some(Self::Cluster);
        }
        if document.get_bool("anyResource").is_ok() {
            return Some(Self::Anything);
        }
        let field = |name: &str| document.get_str(name).ok();
        Some(Self::collection(field("db")?, field("collection")?))
    }

    /// As privileges show it.
    #[must_use]
    pub fn to_document(&self) -> RawDocumentBuf {
        let mut document = RawDocumentBuf::new();
        match self {
            Self::Cluster => document.append(cstr!("cluster"), true),
            Self::Anything => document.append(cstr!("anyResource"), true),
            Self::Collections { database, collection } => {
                document.append(cstr!("db"), database.as_str());
                document.append(cstr!("collection"), collection.as_str());
            }
        }
        document
    }
}

fn covers_database(covered: &str, used: &str) -> bool {
    covered == used || covered.is_empty() && !OWN_DATABASES.contains(&used)
}

/// Whether it is a collection of the server's own. `system.js` is its users'.
fn is_system(collection: &str) -> bool {
    collection.starts_with("system.") && collection != "system.js"
}

/// Privileges with all actions of a resource in one place; in order, none twice.
#[must_use]
pub fn merged(privileges: impl IntoIterator<Item = Privilege>) -> Vec<Privilege> {
    let mut all: BTreeMap<Resource, BTreeSet<Action>> = BTreeMap::new();
    for Privilege { resource, actions } in privileges {
        all.entry(resource).or_default().extend(actions);
    }
    let list = all
        .into_iter()
        .map(|(resource, actions)| Privilege { resource, actions: actions.into_iter().collect() });
    list.collect()
}

impl Privilege {
    /// What [`to_document`](Self::to_document) made; `None` for anything else. Actions that a later version knows
    /// are left out: they allow nothing here.
    #[must_use]
    pub fn from_document(document: &RawDocument) -> Option<Self> {
        let names = document.get_array("actions").ok()?.into_iter().flatten();
        Some(Self {
            resource: Resource::from_document(document.get_document("resource").ok()?)?,
            actions: names.filter_map(|name| Action::named(name.as_str()?)).collect(),
        })
    }

    /// As replies show it: `{resource, actions}`.
    #[must_use]
    pub fn to_document(&self) -> RawDocumentBuf {
        let mut actions = RawArrayBuf::new();
        for action in &self.actions {
            actions.push(action.name());
        }
        let mut document = RawDocumentBuf::new();
        document.append(cstr!("resource"), self.resource.to_document());
        document.append(cstr!("actions"), actions);
        document
    }
}
