//! `$elemMatch`.

use ::bson::RawBsonRef;

use super::top_level::document;
use super::{Parser, Place, field, is_of_values};
use crate::error::Error;
use crate::query::field_path::FieldPath;
use crate::query::node::{Node, Test};

impl Parser<'_> {
    pub(super) fn element_match(
        self,
        path: &FieldPath,
        value: RawBsonRef<'_>,
    ) -> Result<Node, Error> {
        let filter = document(value, "$elemMatch needs an Object")?;
        let mut parser = self;
        parser.place = Place::Element;
        let test = if is_of_values(filter) {
            Test::ElementValue(Box::new(parser.value_operators(filter)?))
        } else {
            Test::ElementDocument(Box::new(parser.filter(filter)?))
        };
        Ok(field(path, test))
    }
}
