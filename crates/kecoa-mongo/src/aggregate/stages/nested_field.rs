//! Fields at paths through documents: read, set, removed. Arrays on the way are values like all others.

use ::bson::raw::CString;
use ::bson::{RawBsonRef, RawDocument, RawDocumentBuf};

use crate::aggregate::specification::unreadable;
use crate::error::{Code, Error};

/// A path of names.
#[derive(Clone, Debug)]
pub(in crate::aggregate) struct FieldPath {
    names: Vec<CString>,
}

impl FieldPath {
    /// Take a path apart.
    pub(in crate::aggregate) fn parse(path: &str) -> Result<Self, Error> {
        crate::aggregate::specification::check_field_path(path)?;
        let names = path.split('.').map(CString::try_from).collect::<Result<_, _>>();
        let names =
            names.map_err(|_| Error::new(Code::BAD_VALUE, "expected a name without NUL"))?;
        Ok(Self { names })
    }

    /// The value; none if it is missing, or if something on the way is no document.
    pub(in crate::aggregate) fn get<'a>(
        &self,
        document: &'a RawDocument,
    ) -> Result<Option<RawBsonRef<'a>>, Error> {
        let Some((last, way)) = self.names.split_last() else { return Ok(None) };
        let mut document = document;
        for name in way {
            match document.get(name.as_str()).map_err(unreadable)? {
                Some(RawBsonRef::Document(inner)) => document = inner,
                _ => return Ok(None),
            }
        }
        document.get(last.as_str()).map_err(unreadable)
    }

    /// The document with another value there, or with none. Documents on the way are made; what is none is
    /// replaced.
    pub(in crate::aggregate) fn set(
        &self,
        document: &RawDocument,
        value: Option<RawBsonRef<'_>>,
    ) -> Result<RawDocumentBuf, Error> {
        set(&self.names, document, value)
    }
}

fn set(
    names: &[CString],
    document: &RawDocument,
    value: Option<RawBsonRef<'_>>,
) -> Result<RawDocumentBuf, Error> {
    let mut changed = RawDocumentBuf::new();
    let Some((name, rest)) = names.split_first() else { return Ok(document.to_owned()) };
    let mut found = false;
    for element in document.iter_elements() {
        let element = element.map_err(unreadable)?;
        let present = element.value().map_err(unreadable)?;
        if found || element.key().as_str() != name.as_str() {
            changed.append(element.key(), present);
            continue;
        }
        found = true;
        match (present, rest, value) {
            (_, [], Some(value)) => changed.append(name, value),
            (_, [], None) => {}
            (RawBsonRef::Document(inner), _, _) => changed.append(name, set(rest, inner, value)?),
            (_, _, Some(_)) => changed.append(name, set(rest, &RawDocumentBuf::new(), value)?),
            (present, _, None) => changed.append(name, present),
        }
    }
    if !found && let Some(value) = value {
        if rest.is_empty() {
            changed.append(name, value);
        } else {
            changed.append(name, set(rest, &RawDocumentBuf::new(), Some(value))?);
        }
    }
    Ok(changed)
}
