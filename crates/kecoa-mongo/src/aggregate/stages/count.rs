//! `$count`.

use std::sync::Arc;

use ::bson::raw::CString;
use ::bson::{RawBson, RawBsonRef, RawDocumentBuf};

use crate::aggregate::context::Context;
use crate::aggregate::options::Options;
use crate::aggregate::specification::single;
use crate::aggregate::stage::{Documents, Flow, Operator};
use crate::aggregate::stage::{Stage, Stages};
use crate::error::Error;
use crate::expression::Variables;

/// `$count`.
#[derive(Clone, Debug)]
pub(in crate::aggregate) struct Count {
    field: CString,
}

impl Stage for Count {
    fn operator(&self, _: &Variables, _: &Options) -> Box<dyn Operator> {
        Box::new(Counting { field: self.field.clone(), count: 0 })
    }
}

pub(in crate::aggregate) fn parse(
    _: &str,
    argument: RawBsonRef<'_>,
    _: &Context<'_>,
) -> Result<Stages, Error> {
    let RawBsonRef::String(name) = argument else {
        return Err(Error::location(40156, "the count field must be a non-empty string"));
    };
    if name.is_empty() {
        return Err(Error::location(40157, "the count field must be a non-empty string"));
    }
    if name.starts_with('$') {
        return Err(Error::location(40158, "the count field cannot be a $-prefixed path"));
    }
    let field = CString::try_from(name)
        .map_err(|_| Error::location(40159, "the count field cannot contain a null byte"))?;
    if name.contains('.') {
        return Err(Error::location(40160, "the count field cannot contain '.'"));
    }
    if name == "_id" {
        return Err(Error::location(9_039_800, "the count field cannot be '_id'"));
    }
    Ok(vec![Arc::new(Count { field })])
}

struct Counting {
    field: CString,
    count: i64,
}

impl Operator for Counting {
    fn push(&mut self, _: RawDocumentBuf, _: &mut Documents) -> Result<Flow, Error> {
        self.count += 1;
        Ok(Flow::More)
    }

    fn end(&mut self, out: &mut Documents) -> Result<(), Error> {
        // No documents, no result.
        if self.count > 0 {
            let count = match i32::try_from(self.count) {
                Ok(count) => RawBson::Int32(count),
                Err(_) => RawBson::Int64(self.count),
            };
            out.push_back(single(&self.field, count));
        }
        Ok(())
    }
}
