//! What users and roles are called.

use std::fmt;

use ::bson::{RawArray, RawBsonRef, RawDocumentBuf};
use bson::raw::cstr;

/// A user's name, which is one in its database only.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserName {
    /// The database that keeps the user.
    pub database: String,
    /// The name in it.
    pub name: String,
}

/// A role's name, which is one in its database only.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleName {
    /// The database that the role is of.
    pub database: String,
    /// The name in it.
    pub name: String,
}

impl UserName {
    /// The user `name` of `database`.
    #[must_use]
    pub fn new(database: impl Into<String>, name: impl Into<String>) -> Self {
        Self { database: database.into(), name: name.into() }
    }

    /// The `_id` of the user's document: database, dot, name.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}.{}", self.database, self.name)
    }

    /// As replies show it: `{user, db}`.
    #[must_use]
    pub fn to_document(&self) -> RawDocumentBuf {
        let mut document = RawDocumentBuf::new();
        document.append(cstr!("user"), self.name.as_str());
        document.append(cstr!("db"), self.database.as_str());
        document
    }
}

impl RoleName {
    /// The role `name` of `database`.
    #[must_use]
    pub fn new(database: impl Into<String>, name: impl Into<String>) -> Self {
        Self { database: database.into(), name: name.into() }
    }

    /// The `_id` of the role's document: database, dot, name.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}.{}", self.database, self.name)
    }

    /// As replies show it: `{role, db}`.
    #[must_use]
    pub fn to_document(&self) -> RawDocumentBuf {
        let mut document = RawDocumentBuf::new();
        document.append(cstr!("role"), self.name.as_str());
        document.append(cstr!("db"), self.database.as_str());
        document
    }
}

/// The roles of a stored document; `None` for anything else.
pub(super) fn role_names(roles: &RawArray) -> Option<Vec<RoleName>> {
    let mut names = Vec::new();
    for role in roles {
        let RawBsonRef::Document(role) = role.ok()? else { return None };
        names.push(RoleName::new(role.get_str("db").ok()?, role.get_str("role").ok()?));
    }
    Some(names)
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.database)
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.database)
    }
}
