//! What the log keeps of a change.

use ::bson::raw::cstr;
use ::bson::spec::BinarySubtype;
use ::bson::{Binary, DateTime, RawBson, RawBsonRef, RawDocument, RawDocumentBuf, rawdoc};
use uuid::Uuid;

use super::description::{Description, Origin, describe};
use crate::error::{Code, Error};

/// A change, as the log keeps it. Its fields have names of a letter, in a fixed order.
#[derive(Clone, Debug)]
pub struct Change(RawDocumentBuf);

const OPERATION: &str = "t";
const COLLECTION: &str = "u";
const AT: &str = "w";
const KEY: &str = "k";
const DOCUMENT: &str = "d";
const UPDATE: &str = "c";
const BEFORE: &str = "b";
const AFTER: &str = "a";
const TO: &str = "r";
const OPTIONS: &str = "o";
const STATE: &str = "s";
const VIEW: &str = "v";

impl Change {
    fn new(operation: &str, collection: Uuid, at: i64) -> Self {
        let mut change = RawDocumentBuf::new();
        change.append(cstr!("t"), operation);
        change.append(cstr!("u"), binary(collection));
        change.append(cstr!("w"), DateTime::from_millis(at));
        Self(change)
    }

    /// A document was inserted; `at` is in milliseconds since 1970.
    #[must_use]
    pub fn insert(collection: Uuid, at: i64, document: &RawDocument) -> Self {
        let mut change = Self::new("insert", collection, at);
        change.add_key(document);
        change.0.append(cstr!("d"), document);
        change
    }

    /// A document became another one. `images`: both are kept.
    #[must_use]
    pub fn update(
        collection: Uuid,
        at: i64,
        old: &RawDocument,
        new: &RawDocument,
        origin: Origin<'_>,
        images: bool,
    ) -> Self {
        let mut change = match describe(old, new, origin) {
            Description::Replaced => {
                let mut change = Self::new("replace", collection, at);
                change.add_key(old);
                change.0.append(cstr!("d"), new);
                change
            }
            Description::Updated(description) => {
                let mut change = Self::new("update", collection, at);
                change.add_key(old);
                change.0.append(cstr!("c"), description);
                if images {
                    change.0.append(cstr!("a"), new);
                }
                change
            }
        };
        if images {
            change.0.append(cstr!("b"), old);
        }
        change
    }

    /// A document was removed.
    #[must_use]
    pub fn delete(collection: Uuid, at: i64, old: &RawDocument, images: bool) -> Self {
        let mut change = Self::new("delete", collection, at);
        change.add_key(old);
        if images {
            change.0.append(cstr!("b"), old);
        }
        change
    }

    /// A collection or a view was dropped.
    #[must_use]
    pub fn drop(collection: Uuid, at: i64, is_view: bool) -> Self {
        Self::new("drop", collection, at).of_view(is_view)
    }

    /// A database was dropped. It has no UUID: the nil one stands for it.
    #[must_use]
    pub fn drop_database(at: i64) -> Self {
        Self::new("dropDatabase", Uuid::nil(), at)
    }

    /// A collection got another name; `dropped` is the one that had it before.
    #[must_use]
    pub fn rename(
        collection: Uuid,
        at: i64,
        (database, name): (&str, &str),
        dropped: Option<Uuid>,
    ) -> Self {
        let mut change = Self::new("rename", collection, at);
        let to = rawdoc! { "db": database, "coll": name };
        let mut options = rawdoc! { "to": to.clone() };
        if let Some(dropped) = dropped {
            options.append(cstr!("dropTarget"), binary(dropped));
        }
        change.0.append(cstr!("r"), to);
        change.0.append(cstr!("o"), options);
        change
    }

    /// A collection or a view was made.
    #[must_use]
    pub fn create(collection: Uuid, at: i64, options: &RawDocument, is_view: bool) -> Self {
        Self::described("create", collection, at, options).of_view(is_view)
    }

    /// Indexes were made: `createIndexes`, or dropped: `dropIndexes`.
    #[must_use]
    pub fn indexes(
        operation: &str,
        collection: Uuid,
        at: i64,
        indexes: impl Iterator<Item = RawDocumentBuf>,
    ) -> Self {
        let mut list = ::bson::RawArrayBuf::new();
        indexes.for_each(|index| list.push(index));
        Self::described(operation, collection, at, &rawdoc! { "indexes": list })
    }

    /// Options of a collection changed.
    #[must_use]
    pub fn modify(collection: Uuid, at: i64, options: &RawDocument, before: &RawDocument) -> Self {
        let mut change = Self::described("modify", collection, at, options);
        change.0.append(cstr!("s"), before);
        change
    }

    fn described(operation: &str, collection: Uuid, at: i64, options: &RawDocument) -> Self {
        let mut change = Self::new(operation, collection, at);
        change.0.append(cstr!("o"), options);
        change
    }

    fn of_view(mut self, is_view: bool) -> Self {
        if is_view {
            self.0.append(cstr!("v"), true);
        }
        self
    }

    fn add_key(&mut self, document: &RawDocument) {
        let mut key = RawDocumentBuf::new();
        if let Ok(Some(id)) = document.get("_id") {
            key.append(cstr!("_id"), RawBson::from(id));
        }
        self.0.append(cstr!("k"), key);
    }

    /// As it lies in the log.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// What lies in the log.
    ///
    /// # Errors
    ///
    /// 1 for bytes that are none.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, Error> {
        let document = RawDocumentBuf::from_bytes(bytes)
            .map_err(|error| Error::new(Code::INTERNAL_ERROR, format!("the log: {error}")))?;
        Ok(Self(document))
    }

    /// `operationType`.
    #[must_use]
    pub fn operation(&self) -> &str {
        self.0.get_str(OPERATION).unwrap_or_default()
    }

    /// Whether streams show it that do not ask for the events of MongoDB 6.0.
    #[must_use]
    pub fn is_classic(&self) -> bool {
        !self.is_of_view()
            && matches!(
                self.operation(),
                "insert" | "update" | "replace" | "delete" | "drop" | "dropDatabase" | "rename"
            )
    }

    pub(super) fn is_of_view(&self) -> bool {
        matches!(self.field(VIEW), Some(RawBsonRef::Boolean(true)))
    }

    /// The new name, of `rename`.
    #[must_use]
    pub fn renamed_to(&self) -> Option<(&str, &str)> {
        let to = self.to()?;
        Some((to.get_str("db").ok()?, to.get_str("coll").ok()?))
    }

    pub(super) fn to(&self) -> Option<&RawDocument> {
        self.document(TO)
    }

    /// The collection's UUID.
    pub(super) fn collection(&self) -> Option<RawBsonRef<'_>> {
        self.field(COLLECTION)
    }

    /// Whether it is a change of the collection of this UUID.
    #[must_use]
    pub fn is_of(&self, collection: Uuid) -> bool {
        matches!(self.collection(), Some(RawBsonRef::Binary(uuid)) if uuid.bytes == collection.as_bytes())
    }

    /// When it happened, by the clock of the gateway.
    pub(super) fn at(&self) -> Option<RawBsonRef<'_>> {
        self.field(AT)
    }

    /// `{_id}` of the document.
    #[must_use]
    pub fn key(&self) -> Option<&RawDocument> {
        self.document(KEY)
    }

    /// The document that was inserted, or that took the place of another one.
    pub(super) fn inserted(&self) -> Option<&RawDocument> {
        self.document(DOCUMENT)
    }

    /// `updateDescription`.
    pub(super) fn description(&self) -> Option<&RawDocument> {
        self.document(UPDATE)
    }

    /// The document before, where it was kept.
    pub(super) fn before(&self) -> Option<&RawDocument> {
        self.document(BEFORE)
    }

    /// The document after an update, where it was kept.
    pub(super) fn after(&self) -> Option<&RawDocument> {
        self.document(AFTER)
    }

    /// `operationDescription`.
    pub(super) fn options(&self) -> Option<&RawDocument> {
        self.document(OPTIONS)
    }

    /// `stateBeforeChange`.
    pub(super) fn state(&self) -> Option<&RawDocument> {
        self.document(STATE)
    }

    fn document(&self, name: &str) -> Option<&RawDocument> {
        self.field(name)?.as_document()
    }

    fn field(&self, name: &str) -> Option<RawBsonRef<'_>> {
        self.0.get(name).ok().flatten()
    }
}

fn binary(uuid: Uuid) -> Binary {
    Binary { subtype: BinarySubtype::Uuid, bytes: uuid.as_bytes().to_vec() }
}
