//! The row descriptions that came last: a statement that is run again is described again, in the same
//! bytes.

use std::sync::Arc;

use bytes::Bytes;

use crate::error::ProtocolError;
use crate::message::backend::RowDescription;

/// How many are kept, and the longest of them in bytes.
const KEPT: usize = 8;
const LONGEST: usize = 4096;

/// Bodies of RowDescription messages, and what they say.
#[derive(Default)]
pub(super) struct Descriptions {
    known: Vec<(Bytes, Arc<RowDescription>)>,
    /// Which gives way next.
    oldest: usize,
}

impl Descriptions {
    /// What a body says: as known where it came before.
    pub(super) fn read(&mut self, body: &[u8]) -> Result<Arc<RowDescription>, ProtocolError> {
        if let Some((_, description)) = self.known.iter().find(|(known, _)| *known == *body) {
            return Ok(description.clone());
        }
        // Names of columns are slices of the copy.
        let body = Bytes::copy_from_slice(body);
        let description = Arc::new(RowDescription::decode(body.clone())?);
        if body.len() > LONGEST {
            return Ok(description);
        }
        let entry = (body, description.clone());
        match self.known.get_mut(self.oldest) {
            Some(place) => *place = entry,
            None => self.known.push(entry),
        }
        self.oldest = (self.oldest + 1) % KEPT;
        Ok(description)
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::frame::HEADER;
    use crate::message::backend::{Field, Message};

    fn body(name: &str, type_oid: u32) -> Vec<u8> {
        let field =
            Field { name: Bytes::copy_from_slice(name.as_bytes()), type_oid, ..Field::default() };
        let mut out = BytesMut::new();
        Message::RowDescription(RowDescription { fields: vec![field] }).encode(&mut out).unwrap();
        out.get(HEADER..).unwrap().to_vec()
    }

    #[test]
    fn the_same_bytes_are_read_once() {
        let mut descriptions = Descriptions::default();
        let first = descriptions.read(&body("a", 23)).unwrap();
        let again = descriptions.read(&body("a", 23)).unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        let other = descriptions.read(&body("a", 20)).unwrap();
        assert_eq!((first.fields[0].type_oid, other.fields[0].type_oid), (23, 20));
    }

    #[test]
    fn a_bounded_number_is_kept_and_none_that_is_long() {
        let mut descriptions = Descriptions::default();
        let first = descriptions.read(&body("a", 23)).unwrap();
        for oid in 100..100 + u32::try_from(KEPT).unwrap() {
            descriptions.read(&body("a", oid)).unwrap();
        }
        assert_eq!(descriptions.known.len(), KEPT);
        assert!(!Arc::ptr_eq(&first, &descriptions.read(&body("a", 23)).unwrap()));
        let long = body(&"a".repeat(LONGEST), 23);
        let read = descriptions.read(&long).unwrap();
        assert!(!Arc::ptr_eq(&read, &descriptions.read(&long).unwrap()));
        assert_eq!(descriptions.known.len(), KEPT);
    }

    #[test]
    fn what_is_wrong_is_not_kept() {
        let mut descriptions = Descriptions::default();
        assert!(descriptions.read(&[0, 1]).is_err());
        assert!(descriptions.known.is_empty());
    }
}
