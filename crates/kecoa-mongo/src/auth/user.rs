//! A user as it is kept.

use ::bson::{RawArrayBuf, RawDocument, RawDocumentBuf};
use bson::raw::{CString, cstr};
use bson::spec::BinarySubtype;
use uuid::Uuid;

use super::credentials::Credentials;
use super::mechanism::Mechanism;
use super::names::{RoleName, UserName, role_names};

/// A user as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    /// Its name.
    pub name: UserName,
    /// Its number, which a later user of that name does not have.
    pub id: Uuid,
    /// At most one of each mechanism.
    pub credentials: Vec<Credentials>,
    /// What it may do; in order, none twice.
    pub roles: Vec<RoleName>,
    /// What its maker wants to be kept beside it.
    pub custom_data: Option<RawDocumentBuf>,
    /// From where it may log in, as it was given.
    pub restrictions: Option<RawArrayBuf>,
}

/// What of a user is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) credentials: bool,
    pub(crate) custom_data: bool,
    pub(crate) restrictions: bool,
}

impl User {
    /// The credentials for `mechanism`.
    #[must_use]
    pub fn credentials_for(&self, mechanism: Mechanism) -> Option<&Credentials> {
        self.credentials.iter().find(|credentials| credentials.mechanism() == mechanism)
    }

    /// Whether this is the user's password.
    #[must_use]
    pub fn accepts(&self, password: &str) -> bool {
        self.credentials.first().is_some_and(|kept| kept.accepts(&self.name.name, password))
    }

    /// The mechanisms it has credentials for.
    pub fn mechanisms(&self) -> impl Iterator<Item = Mechanism> + '_ {
        let has = |mechanism: &Mechanism| self.credentials_for(*mechanism).is_some();
        Mechanism::ALL.into_iter().filter(has)
    }

    /// As it is kept: MongoDB's document of a user, credentials and all.
    #[must_use]
    pub fn to_document(&self) -> RawDocumentBuf {
        let all = Shown { credentials: true, custom_data: true, restrictions: true };
        self.shown(all)
    }

    /// As usersInfo shows it.
    #[must_use]
    pub(crate) fn shown(&self, shown: Shown) -> RawDocumentBuf {
        let mut document = RawDocumentBuf::new();
        document.append(cstr!("_id"), self.name.id());
        let id = bson::Binary { subtype: BinarySubtype::Uuid, bytes: self.id.as_bytes().to_vec() };
        document.append(cstr!("userId"), id);
        document.append(cstr!("user"), self.name.name.as_str());
        document.append(cstr!("db"), self.name.database.as_str());
        if shown.credentials {
            let mut all = RawDocumentBuf::new();
            for credentials in &self.credentials {
                if let Ok(name) = CString::try_from(credentials.mechanism().name().to_owned()) {
                    all.append(&name, credentials.to_document());
                }
            }
            document.append(cstr!("credentials"), all);
        }
        if let Some(data) = self.custom_data.as_ref().filter(|_| shown.custom_data) {
            document.append(cstr!("customData"), data.clone());
        }
        let mut roles = RawArrayBuf::new();
        for role in &self.roles {
            roles.push(role.to_document());
        }
        document.append(cstr!("roles"), roles);
        if let Some(restrictions) = self.restrictions.as_ref().filter(|_| shown.restrictions) {
            document.append(cstr!("authenticationRestrictions"), restrictions.clone());
        }
        let mut mechanisms = RawArrayBuf::new();
        for mechanism in self.mechanisms() {
            mechanisms.push(mechanism.name());
        }
        document.append(cstr!("mechanisms"), mechanisms);
        document
    }

    /// What [`to_document`](Self::to_document) made; `None` for anything else.
    #[must_use]
    pub fn from_document(document: &RawDocument) -> Option<Self> {
        let name = UserName::new(document.get_str("db").ok()?, document.get_str("user").ok()?);
        let id = Uuid::from_slice(document.get_binary("userId").ok()?.bytes).ok()?;
        let stored = document.get_document("credentials").ok()?;
        let credentials = Mechanism::ALL.into_iter().filter_map(|mechanism| {
            let one = stored.get_document(mechanism.name()).ok()?;
            Credentials::from_document(mechanism, one)
        });
        let data = document.get_document("customData").ok();
        let restrictions = document.get_array("authenticationRestrictions").ok();
        Some(Self {
            name,
            id,
            credentials: credentials.collect(),
            roles: role_names(document.get_array("roles").ok()?)?,
            custom_data: data.map(ToOwned::to_owned),
            restrictions: restrictions.map(ToOwned::to_owned),
        })
    }
}
