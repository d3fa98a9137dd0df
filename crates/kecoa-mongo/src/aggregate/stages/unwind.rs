//! `$unwind`.

use std::sync::Arc;

use ::bson::{RawBson, RawBsonRef, RawDocumentBuf};

use super::nested_field::FieldPath;
use crate::aggregate::context::Context;
use crate::aggregate::options::Options;
use crate::aggregate::specification::{fields, items, type_name};
use crate::aggregate::stage::{Documents, Flow, Operator};
use crate::aggregate::stage::{Stage, Stages};
use crate::error::Error;
use crate::expression::Variables;

/// `$unwind`.
#[derive(Clone, Debug)]
pub(in crate::aggregate) struct Unwind {
    path: FieldPath,
    keeps_empty: bool,
    index: Option<FieldPath>,
}

impl Stage for Unwind {
    fn operator(&self, _: &Variables, _: &Options) -> Box<dyn Operator> {
        Box::new(Unwinding { unwind: self.clone(), left: None })
    }
}

pub(in crate::aggregate) fn parse(
    _: &str,
    argument: RawBsonRef<'_>,
    _: &Context<'_>,
) -> Result<Stages, Error> {
    let refused = |number, message: String| Err(Error::location(number, message));
    let (mut path, mut keeps_empty, mut index) = (None, false, None);
    match argument {
        RawBsonRef::String(text) => path = Some(text),
        RawBsonRef::Document(document) => {
            for field in fields(document) {
                match field? {
                    ("path", RawBsonRef::String(text)) => path = Some(text),
                    ("path", other) => {
                        return refused(
                            28808,
                            format!(
                                "expected a string as the path for $unwind stage, got {}",
                                type_name(other)
                            ),
                        );
                    }
                    ("preserveNullAndEmptyArrays", RawBsonRef::Boolean(value)) => {
                        keeps_empty = value;
                    }
                    ("preserveNullAndEmptyArrays", other) => {
                        return refused(
                            28809,
                            format!(
                                "expected a boolean for the preserveNullAndEmptyArrays option to $unwind stage, got {}",
                                type_name(other)
                            ),
                        );
                    }
                    ("includeArrayIndex", RawBsonRef::String(text)) if !text.is_empty() => {
                        if text.starts_with('$') {
                            return refused(
                                28822,
                                format!(
                                    "includeArrayIndex option to $unwind stage should not be prefixed with a '$': {text}"
                                ),
                            );
                        }
                        index = Some(FieldPath::parse(text)?);
                    }
                    ("includeArrayIndex", other) => {
                        return refused(
                            28810,
                            format!(
                                "expected a non-empty string for the includeArrayIndex  option to $unwind stage, got {}",
                                type_name(other)
                            ),
                        );
                    }
                    (name, _) => {
                        return refused(
                            28811,
                            format!("unrecognized option to $unwind stage: {name}"),
                        );
                    }
                }
            }
        }
        other => {
            return refused(
                15981,
                format!(
                    "expected either a string or an object as specification for $unwind stage, got {}",
                    type_name(other)
                ),
            );
        }
    }
    let Some(path) = path.filter(|path| !path.is_empty()) else {
        return refused(28812, "no path specified to $unwind stage".to_owned());
    };
    let Some(path) = path.strip_prefix('$') else {
        return refused(
            28818,
            format!("path option to $unwind stage should be prefixed with a '$': {path}"),
        );
    };
    Ok(vec![Arc::new(Unwind { path: FieldPath::parse(path)?, keeps_empty, index })])
}

struct Unwinding {
    unwind: Unwind,
    /// What is left of the document that was taken last.
    left: Option<Left>,
}

/// A document, and the elements of its array that are not given yet.
struct Left {
    document: RawDocumentBuf,
    items: std::iter::Enumerate<std::vec::IntoIter<RawBson>>,
}

/// So many bytes are given at a time.
const AT_A_TIME: usize = 1024 * 1024;

impl Unwinding {
    fn with_index(
        &self,
        document: RawDocumentBuf,
        index: Option<usize>,
    ) -> Result<RawDocumentBuf, Error> {
        let Some(path) = &self.unwind.index else { return Ok(document) };
        let index = index.map_or(RawBsonRef::Null, |index| {
            RawBsonRef::Int64(i64::try_from(index).unwrap_or(i64::MAX))
        });
        path.set(&document, Some(index))
    }
}

impl Operator for Unwinding {
    fn has_rest(&self) -> bool {
        self.left.is_some()
    }

    fn rest(&mut self, out: &mut Documents) -> Result<(), Error> {
        let Some(mut left) = self.left.take() else { return Ok(()) };
        let mut bytes = 0_usize;
        while bytes < AT_A_TIME {
            let Some((index, item)) = left.items.next() else { return Ok(()) };
            let item = Some(item.as_raw_bson_ref());
            let unwound = self.unwind.path.set(&left.document, item)?;
            bytes = bytes.saturating_add(unwound.as_bytes().len());
            out.push_back(self.with_index(unwound, Some(index))?);
        }
        self.left = Some(left);
        Ok(())
    }

    fn push(&mut self, document: RawDocumentBuf, out: &mut Documents) -> Result<Flow, Error> {
        let path = &self.unwind.path;
        match path.get(&document)? {
            Some(RawBsonRef::Array(array)) if !array.is_empty() => {
                let owned = items(array).map(|item| item.map(RawBson::from));
                let owned: Vec<_> = owned.collect::<Result<_, _>>()?;
                self.left = Some(Left { document, items: owned.into_iter().enumerate() });
                self.rest(out)?;
            }
            Some(RawBsonRef::Array(_)) => {
                if self.unwind.keeps_empty {
                    let without = path.set(&document, None)?;
                    out.push_back(self.with_index(without, None)?);
                }
            }
            None | Some(RawBsonRef::Null | RawBsonRef::Undefined) => {
                if self.unwind.keeps_empty {
                    out.push_back(self.with_index(document, None)?);
                }
            }
            Some(_) => out.push_back(self.with_index(document, None)?),
        }
        Ok(Flow::More)
    }
}
