//! Fields at paths through documents: read, set, removed. Arrays on the way are values like all others.

use ::bson::raw::{CString, RawArrayBuf};
use ::bson::{RawBson, RawBsonRef, RawDocument, RawDocumentBuf};

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

    /// The document with another value there, as `$addFields` sets it: in arrays on the way, in each element.
    pub(in crate::aggregate) fn add(
        &self,
        document: &RawDocument,
        value: RawBsonRef<'_>,
    ) -> Result<RawDocumentBuf, Error> {
        add(&self.names, document, value)
    }

    /// A document that has a value there, beside those fields that a document has.
    ///
    /// # Errors
    ///
    /// 5733307 where an array is on the way, 5733308 where something else is that is no document.
    pub(in crate::aggregate) fn make(
        &self,
        document: &RawDocument,
        value: RawBsonRef<'_>,
    ) -> Result<RawDocumentBuf, Error> {
        let mut around = document;
        for (place, name) in self.names.iter().enumerate() {
            match around.get(name.as_str()).map_err(unreadable)? {
                Some(RawBsonRef::Document(inner)) => around = inner,
                Some(RawBsonRef::Array(_)) => {
                    return Err(Error::location(
                        5_733_307,
                        "$densify cannot generate fields nested inside arrays",
                    ));
                }
                Some(_) if place + 1 < self.names.len() => {
                    return Err(Error::location(
                        5_733_308,
                        "$densify cannot overwrite non-object values with objects",
                    ));
                }
                _ => break,
            }
        }
        self.set(document, Some(value))
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

fn add(
    names: &[CString],
    document: &RawDocument,
    value: RawBsonRef<'_>,
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
        changed.append(name, added(rest, Some(present), value)?);
    }
    if !found {
        changed.append(name, added(rest, None, value)?);
    }
    Ok(changed)
}

/// What a value becomes in which another one is set.
fn added(
    names: &[CString],
    present: Option<RawBsonRef<'_>>,
    value: RawBsonRef<'_>,
) -> Result<RawBson, Error> {
    if names.is_empty() {
        return Ok(value.into());
    }
    Ok(match present {
        Some(RawBsonRef::Document(inner)) => add(names, inner, value)?.into(),
        Some(RawBsonRef::Array(array)) => {
            let mut changed = RawArrayBuf::new();
            for item in array {
                changed.push(added(names, Some(item.map_err(unreadable)?), value)?);
            }
            changed.into()
        }
        _ => add(names, &RawDocumentBuf::new(), value)?.into(),
    })
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
