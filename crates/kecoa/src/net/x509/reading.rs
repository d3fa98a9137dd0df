//! The elements of certificates and lists, borrowed from their bytes.
//!
//! `der` reads them as well, but takes five times as long for Mozilla's roots, and refuses what
//! OpenSSL accepts: lengths in more bytes than they need, types of text that it has no name for. So
//! the frame of tags and lengths is read here, and nothing else.
//!
//! Source: ITU-T X.690, sections 8.1.2 and 8.1.3.

use std::iter::FusedIterator;

pub(super) const BOOLEAN: u8 = 0x01;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const UTC_TIME: u8 = 0x17;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const SEQUENCE: u8 = 0x30;
/// Explicit tags, `[0]` and `[3]`.
pub(super) const CONTEXT_0: u8 = 0xa0;
pub(super) const CONTEXT_3: u8 = 0xa3;

/// Something does not have the form that it must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable;

impl From<x509_cert::der::Error> for Unreadable {
    fn from(_: x509_cert::der::Error) -> Unreadable {
        Unreadable
    }
}

pub(crate) type Result<T, E = Unreadable> = std::result::Result<T, E>;

/// One element.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) contents: &'a [u8],
    /// All of it, with its header.
    pub(super) bytes: &'a [u8],
}

impl<'a> Element<'a> {
    /// The contents, if it has that tag.
    pub(super) fn expect(self, tag: u8) -> Result<&'a [u8]> {
        if self.tag == tag { Ok(self.contents) } else { Err(Unreadable) }
    }
}

/// Elements one behind the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Elements<'a>(pub(super) &'a [u8]);

impl<'a> Elements<'a> {
    /// The next element.
    pub(super) fn element(&mut self) -> Result<Element<'a>> {
        self.split_first().ok_or(Unreadable).map(|(element, rest)| {
            self.0 = rest;
            element
        })
    }

    fn split_first(self) -> Option<(Element<'a>, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        let mut length = usize::from(first);
        if first >= 0x80 {
            let count = usize::from(first & 0x7f);
            if !(1..=3).contains(&count) {
                return None;
            }
            let (bytes, after) = rest.split_at_checked(count)?;
            length = bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
            rest = after;
        }
        let (contents, after) = rest.split_at_checked(length)?;
        let bytes = self.0.get(..self.0.len() - after.len())?;
        Some((Element { tag, contents, bytes }, after))
    }

    /// The contents of the next element, which must have that tag.
    pub(super) fn expect(&mut self, tag: u8) -> Result<&'a [u8]> {
        self.element()?.expect(tag)
    }

    /// The contents of the next element, if there is one with that tag.
    pub(super) fn optional(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (element, rest) = self.split_first().filter(|(element, _)| element.tag == tag)?;
        self.0 = rest;
        Some(element.contents)
    }

    /// Nothing may be left.
    pub(super) fn finish(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Unreadable) }
    }
}

/// Ends behind an element that cannot be read.
impl<'a> Iterator for Elements<'a> {
    type Item = Result<Element<'a>>;

    fn next(&mut self) -> Option<Result<Element<'a>>> {
        if self.0.is_empty() {
            return None;
        }
        Some(self.element().inspect_err(|_| self.0 = &[]))
    }
}

impl FusedIterator for Elements<'_> {}

/// The contents of an element of which these are all bytes, and which must have that tag.
pub(super) fn only(der: &[u8], tag: u8) -> Result<&[u8]> {
    let mut outside = Elements(der);
    let contents = outside.expect(tag)?;
    outside.finish().map(|()| contents)
}

/// The bytes of a bit string, which must be whole bytes.
pub(super) fn whole_bytes(contents: &[u8]) -> Result<&[u8]> {
    match contents.split_first() {
        Some((0, bytes)) => Ok(bytes),
        _ => Err(Unreadable),
    }
}

/// A number without what is only there for its sign.
pub(super) fn without_zeros(number: &[u8]) -> &[u8] {
    let from = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    number.get(from..).unwrap_or_default()
}
