//! A role that users have made, as it is kept.

use ::bson::{RawArrayBuf, RawBsonRef, RawDocument, RawDocumentBuf};
use bson::raw::cstr;

use super::names::{RoleName, role_names};
use super::privilege::{Privilege, merged};

/// A role that users have made, as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Role {
    /// Its name.
    pub name: RoleName,
    /// What it allows by itself; no resource is there twice.
    pub privileges: Vec<Privilege>,
    /// The roles whose privileges it has as well; in order, none twice.
    pub roles: Vec<RoleName>,
    /// From where its users may log in, as it was given.
    pub restrictions: Option<RawArrayBuf>,
}

impl Role {
    /// Allows more.
    pub fn grant(&mut self, more: Vec<Privilege>) {
        let own = std::mem::take(&mut self.privileges);
        self.privileges = merged(own.into_iter().chain(more));
    }

    /// Allows less: takes actions from the same resources.
    pub fn revoke(&mut self, less: &[Privilege]) {
        for own in &mut self.privileges {
            for taken in less.iter().filter(|taken| taken.resource == own.resource) {
                own.actions.retain(|action| !taken.actions.contains(action));
            }
        }
        self.privileges.retain(|own| !own.actions.is_empty());
    }

    /// As it is kept: MongoDB's document of a role.
    #[must_use]
    pub fn to_document(&self) -> RawDocumentBuf {
        let mut document = RawDocumentBuf::new();
        document.append(cstr!("_id"), self.name.id());
        document.append(cstr!("role"), self.name.name.as_str());
        document.append(cstr!("db"), self.name.database.as_str());
        let mut privileges = RawArrayBuf::new();
        for privilege in &self.privileges {
            privileges.push(privilege.to_document());
        }
        document.append(cstr!("privileges"), privileges);
        let mut roles = RawArrayBuf::new();
        for role in &self.roles {
            roles.push(role.to_document());
        }
        document.append(cstr!("roles"), roles);
        if let Some(restrictions) = &self.restrictions {
            document.append(cstr!("authenticationRestrictions"), restrictions.clone());
        }
        document
    }

    /// What [`to_document`](Self::to_document) made; `None` for anything else.
    #[must_use]
    pub fn from_document(document: &RawDocument) -> Option<Self> {
        let mut privileges = Vec::new();
        for privilege in document.get_array("privileges").ok()? {
            let RawBsonRef::Document(privilege) = privilege.ok()? else { return None };
            privileges.push(Privilege::from_document(privilege)?);
        }
        let restrictions = document.get_array("authenticationRestrictions").ok();
        Some(Self {
            name: RoleName::new(document.get_str("db").ok()?, document.get_str("role").ok()?),
            privileges,
            roles: role_names(document.get_array("roles").ok()?)?,
            restrictions: restrictions.map(ToOwned::to_owned),
        })
    }
}
