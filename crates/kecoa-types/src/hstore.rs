//! Maps from text to text.

use std::collections::BTreeMap;

/// An `hstore` (of PostgreSQL's extension of that name): keys, each with a value or NULL.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Hstore(pub BTreeMap<String, Option<String>>);

impl Hstore {
    /// The pairs in the server's order: short keys first, then by their bytes.
    pub(crate) fn pairs(&self) -> Vec<(&str, Option<&str>)> {
        let mut pairs: Vec<_> =
            self.0.iter().map(|(key, value)| (key.as_str(), value.as_deref())).collect();
        pairs.sort_by_key(|(key, _)| key.len());
        pairs
    }
}
