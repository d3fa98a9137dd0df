//! Alternative names of a subject.
//!
//! `x509-cert` has a type for them, which refuses the whole list for one name whose letters are not
//! ASCII. OpenSSL does not, and there are such certificates: here each name is what its bytes are.

use std::net::IpAddr;

use super::name::Name;
use super::reading::{Element, Elements, Result, SEQUENCE, only};

/// One name of a subject. Nothing of it was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AlternativeName<'a> {
    Email(&'a [u8]),
    Host(&'a [u8]),
    Uri(&'a [u8]),
    Address(&'a [u8]),
    Directory(Name<'a>),
    /// One of another kind, by its tag.
    Other(u8),
}

impl<'a> AlternativeName<'a> {
    fn read(element: Element<'a>) -> Result<AlternativeName<'a>> {
        let text = element.contents;
        Ok(match element.tag {
            0x81 => AlternativeName::Email(text),
            0x82 => AlternativeName::Host(text),
            0x86 => AlternativeName::Uri(text),
            0x87 => AlternativeName::Address(text),
            0xa4 => AlternativeName::Directory(Name::parse(text)?),
            other => AlternativeName::Other(other),
        })
    }
}

/// The names in the value of an extension `subjectAltName`.
///
/// # Errors
///
/// They are not a list of names.
pub(super) fn alternative_names(value: &[u8]) -> Result<Vec<AlternativeName<'_>>> {
    let names = only(value, SEQUENCE)?;
    Elements(names).map(|element| AlternativeName::read(element?)).collect()
}

/// The address that these bytes are.
pub(crate) fn address_of(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(bytes)
        .map(IpAddr::from)
        .or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .ok()
}
