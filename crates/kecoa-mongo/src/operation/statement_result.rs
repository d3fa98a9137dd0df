//! What is kept of a statement that a client may send again: its result.

use ::bson::raw::cstr;
use ::bson::{RawBson, RawDocument, RawDocumentBuf};

use super::numbers::number;

/// The result of one statement of a retryable write.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StatementResult {
    /// Documents inserted, matched or deleted.
    pub n: i64,
    /// Documents changed.
    pub modified: i64,
    /// The `_id` of the document that was upserted.
    pub upserted: Option<RawBson>,
    /// The document that `findAndModify` answered with.
    pub value: Option<RawDocumentBuf>,
    /// Whether the statement ran before, and this is what was kept of it.
    pub retried: bool,
}

impl StatementResult {
    /// The bytes to store: a document.
    #[must_use]
    pub fn to_document(&self) -> RawDocumentBuf {
        let mut document = RawDocumentBuf::new();
        document.append(cstr!("n"), number(self.n));
        document.append(cstr!("nModified"), number(self.modified));
        if let Some(id) = &self.upserted {
            document.append(cstr!("upserted"), id.as_raw_bson_ref());
        }
        if let Some(value) = &self.value {
            document.append(cstr!("value"), &**value);
        }
        document
    }

    /// Read what was stored; what is missing counts as nothing.
    #[must_use]
    pub fn from_document(document: &RawDocument) -> Self {
        let count = |name| match document.get(name) {
            Ok(Some(::bson::RawBsonRef::Int32(count))) => i64::from(count),
            Ok(Some(::bson::RawBsonRef::Int64(count))) => count,
            _ => 0,
        };
        Self {
            n: count("n"),
            modified: count("nModified"),
            upserted: document.get("upserted").ok().flatten().map(Into::into),
            value: document.get_document("value").ok().map(ToOwned::to_owned),
            retried: true,
        }
    }
}
