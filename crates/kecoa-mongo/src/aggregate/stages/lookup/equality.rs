//! `localField` and `foreignField`.

use std::ops::ControlFlow;

use ::bson::raw::{CString, RawArrayBuf, cstr};
use ::bson::{RawBsonRef, RawDocument, RawDocumentBuf};

use crate::aggregate::specification::{check_field_path, single};
use crate::bson::path::Path;
use crate::error::{Code, Error};

/// `localField` and `foreignField`.
#[derive(Clone, Debug)]
pub(in crate::aggregate::stages) struct Equality {
    local: Path,
    pub(super) foreign: CString,
    pub(super) foreign_path: Path,
}

impl Equality {
    pub(super) fn parse(local: &str, foreign: &str) -> Result<Self, Error> {
        check_field_path(local)?;
        check_field_path(foreign)?;
        let path =
            |path| Path::parse(path).map_err(|error| Error::new(Code::OVERFLOW, error.to_string()));
        let name = CString::try_from(foreign)
            .map_err(|_| Error::new(Code::BAD_VALUE, "expected a name without NUL"))?;
        Ok(Self { local: path(local)?, foreign: name, foreign_path: path(foreign)? })
    }

    /// What a document looks for: its values, `null` where there are none.
    pub(super) fn values<'d>(&self, document: &'d RawDocument) -> Vec<RawBsonRef<'d>> {
        let mut values: Vec<RawBsonRef<'_>> = Vec::new();
        let _ = self.local.visit::<()>(document, &mut |found| {
            if let (Some(value), false) = (found.value, found.whole_array) {
                values.push(value);
            }
            ControlFlow::Continue(())
        });
        if values.is_empty() {
            values.push(RawBsonRef::Null);
        }
        values
    }

    /// `{foreignField: {$in: [the values]}}`.
    pub(super) fn filter(&self, values: &[RawBsonRef<'_>]) -> RawDocumentBuf {
        equality_filter(&self.foreign, values)
    }
}

/// A filter for documents whose field is equal to one of these values.
pub(in crate::aggregate::stages) fn equality_filter(
    field: &CString,
    values: &[RawBsonRef<'_>],
) -> RawDocumentBuf {
    let plain: RawArrayBuf = (values.iter().copied())
        .filter(|value| !matches!(value, RawBsonRef::RegularExpression(_)))
        .collect();
    let among = single(field, single(cstr!("$in"), plain));
    // Within $in, a regular expression would match strings.
    let mut choices = RawArrayBuf::new();
    for value in values {
        if matches!(value, RawBsonRef::RegularExpression(_)) {
            choices.push(single(field, single(cstr!("$eq"), *value)));
        }
    }
    if choices.is_empty() {
        return among;
    }
    choices.push(among);
    single(cstr!("$or"), choices)
}
