//! The options of a collation, all known.

use ::bson::RawDocumentBuf;
use ::bson::raw::cstr;

/// The version of ICU's data that MongoDB names. Clients send it back with the options they were shown.
pub(super) const VERSION: &str = "57.1";

/// Options with the values that apply, the locale's own where a client gave none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) locale: String,
    pub(super) case_level: bool,
    pub(super) case_first: &'static str,
    pub(super) strength: i32,
    pub(super) numeric_ordering: bool,
    pub(super) alternate: &'static str,
    pub(super) max_variable: &'static str,
    pub(super) normalization: bool,
    pub(super) backwards: bool,
}

impl Options {
    pub(super) fn to_document(&self) -> RawDocumentBuf {
        let mut document = RawDocumentBuf::new();
        document.append(cstr!("locale"), self.locale.as_str());
        document.append(cstr!("caseLevel"), self.case_level);
        document.append(cstr!("caseFirst"), self.case_first);
        document.append(cstr!("strength"), self.strength);
        document.append(cstr!("numericOrdering"), self.numeric_ordering);
        document.append(cstr!("alternate"), self.alternate);
        document.append(cstr!("maxVariable"), self.max_variable);
        document.append(cstr!("normalization"), self.normalization);
        document.append(cstr!("backwards"), self.backwards);
        document.append(cstr!("version"), VERSION);
        document
    }
}

/// What compares bytes, as a document.
pub(super) fn simple() -> RawDocumentBuf {
    let mut document = RawDocumentBuf::new();
    document.append(cstr!("locale"), "simple");
    document
}
