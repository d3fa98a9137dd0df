//! What an index is.

use ::bson::{RawBsonRef, RawDocument, RawDocumentBuf};

use crate::bson::key::Direction;
use crate::bson::path::Path;
use crate::error::{Code, Error};

/// How many indexes a collection may have, that of `_id` included.
pub const MAX_INDEXES: usize = 64;
/// How many fields an index may have.
pub const MAX_FIELDS: usize = 32;

/// The definition of an index, as `createIndexes` gives it.
#[derive(Clone, Debug)]
pub struct Index {
    pub(super) number: i32,
    pub(super) name: String,
    pub(super) fields: Vec<Field>,
    pub(super) unique: bool,
    pub(super) sparse: bool,
    pub(super) hidden: bool,
    pub(super) multikey: bool,
    pub(super) expire_after_seconds: Option<i64>,
    pub(super) specification: RawDocumentBuf,
}

/// A field of an index.
#[derive(Clone, Debug)]
pub struct Field {
    pub(super) name: String,
    pub(super) path: Path,
    pub(super) kind: FieldKind,
}

/// How a field is kept in an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// In order.
    Ordered(Direction),
    /// By a hash, for equality alone.
    Hashed,
}

impl Index {
    /// Read an element of `createIndexes`' `indexes`. It has no number yet.
    ///
    /// # Errors
    ///
    /// 9, 14, 67, 72, 197 and others: what is wrong with it.
    pub fn parse(specification: &RawDocument) -> Result<Self, Error> {
        let key = match specification.get("key") {
            Ok(Some(RawBsonRef::Document(key))) => key,
            _ => {
                return Err(Error::new(
                    Code::FAILED_TO_PARSE,
                    "The 'key' field is a required property of an index specification",
                ));
            }
        };
        let mut fields = Vec::new();
        for (name, _) in key.iter().filter_map(Result::ok) {
            let path = Path::parse(name.as_str())
                .map_err(|error| Error::new(Code::CANNOT_CREATE_INDEX, error.to_string()))?;
            fields.push(Field {
                name: name.as_str().to_owned(),
                path,
                kind: FieldKind::Ordered(Direction::Ascending),
            });
        }
        Ok(Self {
            number: 0,
            name: specification.get_str("name").unwrap_or_default().to_owned(),
            fields,
            unique: false,
            sparse: false,
            hidden: false,
            multikey: false,
            expire_after_seconds: None,
            specification: specification.to_owned(),
        })
    }

    /// Its number in the collection: 0 is `_id`'s; none is used twice.
    #[must_use]
    pub fn number(&self) -> i32 {
        self.number
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is the index of `_id`, which has no entries: documents lie in its order.
    #[must_use]
    pub fn is_id(&self) -> bool {
        self.number == 0
    }

    /// Its fields, in order.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Whether no two documents may have the same key.
    #[must_use]
    pub fn is_unique(&self) -> bool {
        self.unique
    }

    /// Whether documents without its fields have no entry.
    #[must_use]
    pub fn is_sparse(&self) -> bool {
        self.sparse
    }

    /// Whether it is kept, but no query may use it.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        self.hidden
    }

    /// Whether some document has, or had, an array on the way to one of its fields. Then one document may have
    /// several entries, and the bounds of two predicates on one field may be met by different elements.
    #[must_use]
    pub fn is_multikey(&self) -> bool {
        self.multikey
    }

    /// The age in seconds at which its documents are removed.
    #[must_use]
    pub fn expire_after_seconds(&self) -> Option<i64> {
        self.expire_after_seconds
    }

    /// The filter of documents that have an entry, as it was given: `partialFilterExpression`.
    #[must_use]
    pub fn partial_filter(&self) -> Option<&RawDocument> {
        self.specification.get_document("partialFilterExpression").ok()
    }

    /// The key pattern, as it was given.
    #[must_use]
    pub fn key_pattern(&self) -> &RawDocument {
        let empty = RawDocument::from_bytes(&[5, 0, 0, 0, 0]);
        self.specification.get_document("key").or(empty).unwrap_or(&self.specification)
    }

    /// The definition as `listIndexes` shows it.
    #[must_use]
    pub fn to_document(&self) -> RawDocumentBuf {
        self.specification.clone()
    }
}

impl Field {
    /// Its dotted name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it leads.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How it is kept.
    #[must_use]
    pub fn kind(&self) -> FieldKind {
        self.kind
    }
}
