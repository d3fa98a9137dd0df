//! Partial indexes: which documents have entries.

use ::bson::{RawDocument, RawDocumentBuf};

use super::definition::Partial;
use crate::error::{Code, Error};

impl Partial {
    pub(super) fn parse(filter: &RawDocument) -> Result<Self, Error> {
        let _: RawDocumentBuf = filter.to_owned();
        Err(Error::new(Code::NOT_IMPLEMENTED, "partial indexes are not implemented"))
    }

    pub(super) fn matches(&self, document: &RawDocument) -> Result<bool, Error> {
        let _ = (document, &self.document);
        Ok(true)
    }
}
