//! The path of a test.

use std::fmt;

use crate::bson::path::Path;
use crate::error::Error;

/// A dotted path, as it was written and taken apart.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct FieldPath {
    text: Box<str>,
    path: Path,
}

impl FieldPath {
    /// Take a path apart.
    ///
    /// # Errors
    ///
    /// 5729100 if it has too many components.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let path =
            Path::parse(text).map_err(|error| Error::location(5_729_100, error.to_string()))?;
        Ok(Self { text: text.into(), path })
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Taken apart.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl fmt::Debug for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}
