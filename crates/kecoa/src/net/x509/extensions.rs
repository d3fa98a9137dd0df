//! Extensions of certificates, of lists and of their entries. What one says is read by `x509-cert`.

use x509_cert::der::oid::{AssociatedOid, ObjectIdentifier};
use x509_cert::der::{Decode, Error};

use super::reading::{
    BOOLEAN, Element, Elements, OBJECT_IDENTIFIER, OCTET_STRING, Result, Unreadable,
};
use super::signed::oid_name;

/// Extensions one behind the other.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Extensions<'a>(pub(super) &'a [u8]);

/// One extension.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extension<'a> {
    oid: &'a [u8],
    is_critical: bool,
    value: &'a [u8],
}

impl<'a> Extension<'a> {
    fn read(element: Element<'a>) -> Result<Extension<'a>> {
        let mut parts = Elements(element.contents);
        let oid = parts.expect(OBJECT_IDENTIFIER)?;
        // As in OpenSSL whatever is not 0 is true.
        let is_critical = matches!(parts.optional(BOOLEAN), Some([value]) if *value != 0);
        Ok(Extension { oid, is_critical, value: parts.expect(OCTET_STRING)? })
    }

    pub(super) fn name(&self) -> String {
        oid_name(self.oid)
    }
}

impl<'a> Extensions<'a> {
    /// The extensions in the contents of their sequence.
    ///
    /// # Errors
    ///
    /// One of them cannot be read, or is there twice.
    pub(super) fn parse(contents: &'a [u8]) -> Result<Extensions<'a>> {
        let mut oids = Vec::new();
        for element in Elements(contents) {
            oids.push(Extension::read(element?)?.oid);
        }
        let count = oids.len();
        oids.sort_unstable();
        oids.dedup();
        if oids.len() == count {
            return Ok(Extensions(contents));
        }
        Err(Unreadable)
    }

    fn iter(self) -> impl Iterator<Item = Extension<'a>> {
        Elements(self.0).filter_map(|element| Extension::read(element.ok()?).ok())
    }

    pub(super) fn value(self, oid: &ObjectIdentifier) -> Option<&'a [u8]> {
        self.iter().find(|extension| extension.oid == oid.as_bytes()).map(|found| found.value)
    }

    /// What an extension says, if it is there.
    ///
    /// # Errors
    ///
    /// It does not have the form that it must have.
    pub(super) fn get<T>(self) -> Result<Option<T>, Error>
    where
        T: Decode<'a, Error = Error> + AssociatedOid,
    {
        self.value(&T::OID).map(T::from_der).transpose()
    }

    /// A critical extension that is not among these.
    pub(super) fn unknown_critical(self, known: &[ObjectIdentifier]) -> Option<Extension<'a>> {
        self.iter().find(|extension| {
            extension.is_critical && !known.iter().any(|known| known.as_bytes() == extension.oid)
        })
    }
}
