//! What an index is.

use ::bson::raw::{CString, cstr};
use ::bson::{RawBsonRef, RawDocument, RawDocumentBuf};
use sha2::{Digest as _, Sha256};

use crate::bson::key::{Direction, KeyBuilder};
use crate::bson::path::Path;
use crate::collation::Collator;
use crate::error::{Code, Error};
use crate::query::Filter;

/// The name of `_id`'s index.
pub(super) const ID_NAME: &str = "_id_";
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
    pub(super) prepares_unique: bool,
    pub(super) sparse: bool,
    pub(super) hidden: bool,
    pub(super) multikey: bool,
    pub(super) building: bool,
    pub(super) expire_after_seconds: Option<i64>,
    pub(super) partial: Option<Partial>,
    pub(super) collator: Collator,
    /// As listIndexes shows it.
    pub(super) specification: RawDocumentBuf,
}

/// Which documents have entries.
#[derive(Clone, Debug)]
pub(super) struct Partial {
    pub(super) document: RawDocumentBuf,
    pub(super) filter: Filter,
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
    /// The index of `_id`, which every collection has.
    #[must_use]
    pub fn of_id(collator: &Collator) -> Self {
        let mut key = RawDocumentBuf::new();
        key.append(cstr!("_id"), 1);
        let mut specification = RawDocumentBuf::new();
        specification.append(cstr!("v"), 2);
        specification.append(cstr!("key"), key);
        specification.append(cstr!("name"), ID_NAME);
        if !collator.is_simple() {
            specification.append(cstr!("collation"), collator.to_document());
        }
        let fields = Path::parse("_id").map(|path| Field {
            name: "_id".to_owned(),
            path,
            kind: FieldKind::Ordered(Direction::Ascending),
        });
        Self {
            number: 0,
            name: ID_NAME.to_owned(),
            fields: fields.into_iter().collect(),
            unique: false,
            prepares_unique: false,
            sparse: false,
            hidden: false,
            multikey: false,
            building: false,
            expire_after_seconds: None,
            partial: None,
            collator: collator.clone(),
            specification,
        }
    }

    /// The same with a number.
    #[must_use]
    pub fn with_number(mut self, number: i32) -> Self {
        self.number = number;
        self
    }

    /// The same, once a document had an array on the way to a field.
    #[must_use]
    pub fn with_multikey(mut self, multikey: bool) -> Self {
        self.multikey = multikey;
        self
    }

    /// The same while its entries are being made, or when they are.
    #[must_use]
    pub fn with_building(mut self, building: bool) -> Self {
        self.building = building;
        self
    }

    /// The same, hidden or not.
    ///
    /// # Errors
    ///
    /// 2 for the index of `_id`.
    pub fn with_hidden(mut self, hidden: bool) -> Result<Self, Error> {
        if self.is_id_pattern() {
            return Err(Error::new(Code::BAD_VALUE, "can't hide _id index"));
        }
        self.hidden = hidden;
        self.specification =
            changed(&self.specification, "hidden", hidden.then_some(RawBsonRef::Boolean(true)));
        Ok(self)
    }

    /// The same with another age at which documents are removed.
    ///
    /// # Errors
    ///
    /// 72 for an age out of range.
    pub fn with_expire_after(mut self, seconds: i64) -> Result<Self, Error> {
        let Ok(short) = i32::try_from(seconds).and_then(u32::try_from).map(u32::cast_signed) else {
            return Err(Error::new(
                Code::INVALID_OPTIONS,
                format!("expected 'expireAfterSeconds' from 0 to {}, found {seconds}", i32::MAX),
            ));
        };
        self.expire_after_seconds = Some(seconds);
        self.specification =
            changed(&self.specification, "expireAfterSeconds", Some(RawBsonRef::Int32(short)));
        Ok(self)
    }

    /// The same, which from now on lets no key in that is there, or lets them in again.
    #[must_use]
    pub fn with_prepared_unique(mut self, prepares: bool) -> Self {
        self.prepares_unique = prepares;
        let shown = prepares.then_some(RawBsonRef::Boolean(true));
        self.specification = changed(&self.specification, "prepareUnique", shown);
        self
    }

    /// Whether its one field is `_id`.
    #[must_use]
    pub fn is_id_pattern(&self) -> bool {
        matches!(&*self.fields, [field] if field.name == "_id" && field.kind != FieldKind::Hashed)
    }

    /// Whether its entries are still being made: writes keep it up to date, no query may use it.
    #[must_use]
    pub fn is_building(&self) -> bool {
        self.building
    }

    /// How its strings compare.
    #[must_use]
    pub fn collator(&self) -> &Collator {
        &self.collator
    }

    /// Append a value to a key, as the index's entries have it.
    pub fn push_value(
        &self,
        builder: &mut KeyBuilder,
        field: &Field,
        value: Option<RawBsonRef<'_>>,
    ) {
        match field.kind {
            FieldKind::Ordered(direction) => self.collator.push_key(builder, value, direction),
            FieldKind::Hashed => {
                let key = self.collator.hash_key(value.unwrap_or(RawBsonRef::Null));
                let hash = Sha256::digest(key.as_bytes());
                let mut short = [0; 8];
                short.copy_from_slice(hash.get(..8).unwrap_or(&[0; 8]));
                let number = RawBsonRef::Int64(i64::from_be_bytes(short));
                builder.push(Some(number), Direction::Ascending);
            }
        }
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

    /// Whether it is about to become unique.
    #[must_use]
    pub fn prepares_unique(&self) -> bool {
        self.prepares_unique
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
        self.partial.as_ref().map(|partial| &*partial.document)
    }

    /// The same, parsed.
    #[must_use]
    pub fn parsed_partial_filter(&self) -> Option<&Filter> {
        self.partial.as_ref().map(|partial| &partial.filter)
    }

    /// The key pattern, as it was given.
    #[must_use]
    pub fn key_pattern(&self) -> &RawDocument {
        self.specification.get_document("key").unwrap_or(&self.specification)
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

/// A document with another value in a field; without the field, where there is none.
fn changed(document: &RawDocument, name: &str, value: Option<RawBsonRef<'_>>) -> RawDocumentBuf {
    let mut changed = RawDocumentBuf::new();
    let mut left = value;
    for (field, old) in document.iter().filter_map(Result::ok) {
        if field.as_str() != name {
            changed.append(field, old);
        } else if let Some(value) = left.take() {
            changed.append(field, value);
        }
    }
    if let (Some(value), Ok(field)) = (left, CString::try_from(name)) {
        changed.append(field, value);
    }
    changed
}
