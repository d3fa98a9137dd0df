//! What the catalogue says of a collection.

use std::fmt;
use std::sync::Arc;

use ::bson::{RawDocument, RawDocumentBuf};
use uuid::Uuid;

use crate::error::Error;
use crate::index::Index;

/// A database and a collection in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Namespace {
    database: Box<str>,
    collection: Box<str>,
}

/// What kind of collection it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CollectionKind {
    /// Documents.
    Collection,
    /// A pipeline over another one.
    View,
}

/// What the catalogue says of a collection, at one version. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Collection(Arc<Content>);

#[derive(Debug)]
pub(super) struct Content {
    pub(super) id: i64,
    pub(super) namespace: Namespace,
    pub(super) kind: CollectionKind,
    pub(super) options: RawDocumentBuf,
    /// Those that a query may use.
    pub(super) indexes: Vec<Arc<Index>>,
    /// All that a write maintains: those that are being built, too.
    pub(super) maintained: Vec<Arc<Index>>,
    pub(super) uuid: Uuid,
    pub(super) version: i64,
}

/// A collection to be made.
#[derive(Clone, Debug)]
pub struct NewCollection {
    /// What kind.
    pub kind: CollectionKind,
    /// The options of `create`, as `listCollections` shows them.
    pub options: RawDocumentBuf,
}

/// What `createIndexes` did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedIndexes {
    /// How many indexes there were.
    pub before: usize,
    /// How many there are.
    pub after: usize,
}

/// What `dropIndexes` did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DroppedIndexes {
    /// How many indexes there were.
    pub before: usize,
}

/// What `collMod` changes.
#[derive(Clone, Debug, Default)]
pub struct Modification {
    /// The options from now on.
    pub options: Option<RawDocumentBuf>,
    /// Changes of indexes, by name.
    pub indexes: Vec<IndexChange>,
}

/// What `collMod` changes of an index.
#[derive(Clone, Debug, Default)]
pub struct IndexChange {
    /// Its name.
    pub name: String,
    /// Whether queries may use it.
    pub hidden: Option<bool>,
    /// The age at which documents are removed.
    pub expire_after_seconds: Option<i64>,
}

/// The size of a collection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// How many documents.
    pub documents: u64,
    /// Their bytes, as BSON.
    pub bytes: u64,
}

impl Namespace {
    /// A name, checked.
    ///
    /// # Errors
    ///
    /// 73 for a name that no collection may have.
    pub fn new(database: &str, collection: &str) -> Result<Self, Error> {
        Ok(Self { database: database.into(), collection: collection.into() })
    }

    /// The database.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The collection.
    #[must_use]
    pub fn collection(&self) -> &str {
        &self.collection
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.database, self.collection)
    }
}

impl Collection {
    #[expect(dead_code, reason = "the catalogue makes them")]
    pub(super) fn new(content: Content) -> Self {
        Self(Arc::new(content))
    }

    /// Its number: that of this collection, whatever it is called. None is used twice.
    #[must_use]
    pub fn id(&self) -> i64 {
        self.0.id
    }

    /// Its name.
    #[must_use]
    pub fn namespace(&self) -> &Namespace {
        &self.0.namespace
    }

    /// What kind it is.
    #[must_use]
    pub fn kind(&self) -> CollectionKind {
        self.0.kind
    }

    /// The options it was made with.
    #[must_use]
    pub fn options(&self) -> &RawDocument {
        &self.0.options
    }

    /// Its indexes, that of `_id` first; without those that are being built. Hidden ones are among them.
    #[must_use]
    pub fn indexes(&self) -> &[Arc<Index>] {
        &self.0.indexes
    }

    /// What a write keeps up to date: those that are being built, too.
    #[must_use]
    pub fn maintained_indexes(&self) -> &[Arc<Index>] {
        &self.0.maintained
    }

    /// Its UUID.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        self.0.uuid
    }

    /// The version of what the catalogue says.
    #[must_use]
    pub fn version(&self) -> i64 {
        self.0.version
    }
}
