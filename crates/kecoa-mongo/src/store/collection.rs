//! What the catalogue says of a collection.

use std::fmt;
use std::sync::Arc;

use ::bson::{RawDocument, RawDocumentBuf};
use uuid::Uuid;

use crate::collation::Collator;
use crate::error::{Code, Error};
use crate::index::Index;

/// The bytes that a database's and a collection's name may have together, with the dot between them.
const MAX_NAMESPACE: usize = 255;
/// The bytes that a database's name may have.
const MAX_DATABASE: usize = 63;

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

#[derive(Clone, Debug)]
pub(super) struct Content {
    pub(super) id: i64,
    pub(super) namespace: Namespace,
    pub(super) kind: CollectionKind,
    pub(super) options: RawDocumentBuf,
    /// Those that a query may use.
    pub(super) indexes: Vec<Arc<Index>>,
    /// All that a write maintains: those that are being built, too.
    pub(super) maintained: Vec<Arc<Index>>,
    /// The number of the next index.
    pub(super) next_index: i32,
    /// Whether each document has an entry that says at which place it was inserted.
    pub(super) natural: bool,
    /// How strings compare where nothing else is said.
    pub(super) collator: Collator,
    pub(super) uuid: Uuid,
    pub(super) version: i64,
    /// Whether changes are to be written down for streams.
    pub(super) watched: bool,
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
        check_database(database)?;
        let name = format!("{database}.{collection}");
        let problem = if collection.is_empty() {
            Some("Collection names cannot be empty")
        } else if collection.contains('\0') {
            Some("namespaces cannot have embedded null characters")
        } else if collection.starts_with('.') {
            Some("Collection names cannot start with '.'")
        } else if collection.contains('$') {
            Some("Collection names cannot contain '$'")
        } else {
            None
        };
        if let Some(problem) = problem {
            return Err(Error::new(
                Code::INVALID_NAMESPACE,
                format!("Invalid collection name: {}: {problem}", name.escape_debug()),
            ));
        }
        if name.len() > MAX_NAMESPACE {
            return Err(Error::new(
                Code::INVALID_NAMESPACE,
                format!(
                    "Fully qualified namespace is too long. Namespace: {name} Max: {MAX_NAMESPACE}"
                ),
            ));
        }
        Ok(Self { database: database.into(), collection: collection.into() })
    }

    /// A name that a collection has already.
    pub(super) fn known(database: String, collection: String) -> Self {
        Self { database: database.into(), collection: collection.into() }
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

/// Whether a database may be called so.
///
/// # Errors
///
/// 73 where it may not.
pub fn check_database(name: &str) -> Result<(), Error> {
    let is_bad = |letter| matches!(letter, '/' | '\\' | '.' | ' ' | '"' | '$' | '\0');
    if name.is_empty() || name.len() > MAX_DATABASE || name.contains(is_bad) {
        let name = name.escape_debug();
        return Err(Error::new(
            Code::INVALID_NAMESPACE,
            format!(
                "Invalid database name: '{name}': expected 1 to {MAX_DATABASE} bytes, none of them /\\. \"$ or NUL"
            ),
        ));
    }
    Ok(())
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.database, self.collection)
    }
}

impl Collection {
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

    /// The index of this number, if a query may use it.
    #[must_use]
    pub fn index(&self, number: i32) -> Option<&Arc<Index>> {
        self.0.indexes.iter().find(|index| index.number() == number)
    }

    /// Whether its documents are read in the order of their insertion.
    #[must_use]
    pub fn is_natural(&self) -> bool {
        self.0.natural
    }

    /// How strings compare where a command says nothing of it.
    #[must_use]
    pub fn collator(&self) -> &Collator {
        &self.0.collator
    }

    pub(super) fn is_watched(&self) -> bool {
        self.0.watched
    }

    /// Whether streams may see documents as they were before and after a change.
    pub(super) fn keeps_images(&self) -> bool {
        let images = self.0.options.get_document("changeStreamPreAndPostImages");
        images.is_ok_and(|images| images.get_bool("enabled").unwrap_or(false))
    }

    pub(super) fn content(&self) -> &Content {
        &self.0
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
