//! From a document to what is shown of it.

use ::bson::raw::{CStr, RawArrayBuf};
use ::bson::{RawArray, RawBsonRef, RawDocument, RawDocumentBuf};

use super::tree::{Child, Kind, Node, Tree};
use crate::error::{Code, Error};
use crate::expression::Variables;

pub(super) fn apply(
    tree: &Tree,
    document: &RawDocument,
    position: Option<usize>,
    variables: &Variables,
) -> Result<RawDocumentBuf, Error> {
    let projector = Projector { kind: tree.kind, original: document, variables };
    let mut shown = RawDocumentBuf::new();
    projector.fields(&tree.root, document, Level::Root { keeps_id: tree.keeps_id }, &mut shown)?;
    match &tree.positional {
        Some(positional) => pick(&shown, &positional.path, position),
        None => Ok(shown),
    }
}

struct Projector<'a> {
    kind: Kind,
    /// What expressions see.
    original: &'a RawDocument,
    variables: &'a Variables,
}

#[derive(Clone, Copy)]
enum Level {
    Root {
        keeps_id: bool,
    },
    Inner,
    /// Within an array that lies in an array: `$slice` does not reach there.
    Nested,
}

impl Projector<'_> {
    /// The fields of a document that are shown, then those that are computed and new.
    fn fields(
        &self,
        node: &Node,
        document: &RawDocument,
        level: Level,
        shown: &mut RawDocumentBuf,
    ) -> Result<(), Error> {
        let mut written = vec![false; if node.computes { node.children().len() } else { 0 }];
        for element in document.iter_elements() {
            let element = element.map_err(unreadable)?;
            let name = element.key();
            let value = element.value().map_err(unreadable)?;
            let Some(place) = node.place(name.as_str()) else {
                let is_kept_id =
                    matches!(level, Level::Root { keeps_id: true }) && name.as_str() == "_id";
                if self.kind != Kind::Inclusion || is_kept_id {
                    shown.append(name, value);
                }
                continue;
            };
            let Some((_, child)) = node.children().get(place) else { continue };
            match child {
                Child::Include => shown.append(name, value),
                Child::Exclude => {}
                Child::Slice(slice) => match value {
                    RawBsonRef::Array(array) if !matches!(level, Level::Nested) => {
                        shown.append(name, slice.of(array));
                    }
                    _ => shown.append(name, value),
                },
                // They are shown behind the others, as computed fields are.
                Child::ElementMatch(_) => {}
                Child::Compute(_) if self.kind != Kind::Addition => {}
                Child::Compute(_) | Child::Node(_) => {
                    let done = match child {
                        Child::Node(inner) => self.below(inner, name, value, level, shown)?,
                        // A field of that name a second time.
                        _ if written.get(place) == Some(&true) => true,
                        _ => {
                            self.compute(name, child, shown)?;
                            true
                        }
                    };
                    if let Some(written) = written.get_mut(place) {
                        *written |= done;
                    }
                }
            }
        }
        self.rest(node, &written, shown)
    }

    /// What is computed or picked and not yet written.
    fn rest(&self, node: &Node, written: &[bool], shown: &mut RawDocumentBuf) -> Result<(), Error> {
        for (place, (name, child)) in node.children().iter().enumerate() {
            match child {
                _ if written.get(place) == Some(&true) => {}
                Child::ElementMatch(matching) => {
                    let element = matching.of(self.original, name.as_str(), self.variables)?;
                    if let Some(element) = element {
                        shown.append(name, element);
                    }
                }
                Child::Compute(_) => self.compute(name, child, shown)?,
                Child::Node(inner) if inner.computes => {
                    let mut made = RawDocumentBuf::new();
                    self.rest(inner, &[], &mut made)?;
                    shown.append(name, made);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn compute(&self, name: &CStr, child: &Child, shown: &mut RawDocumentBuf) -> Result<(), Error> {
        if let Child::Compute(expression) = child
            && let Some(value) = expression.evaluate(self.original, self.variables)?
        {
            shown.append(name, value.as_ref());
        }
        Ok(())
    }

    /// A field whose own fields are named; whether it was written.
    fn below(
        &self,
        node: &Node,
        name: &CStr,
        value: RawBsonRef<'_>,
        level: Level,
        shown: &mut RawDocumentBuf,
    ) -> Result<bool, Error> {
        let level = if matches!(level, Level::Nested) { level } else { Level::Inner };
        match value {
            RawBsonRef::Document(document) => {
                let mut inner = RawDocumentBuf::new();
                self.fields(node, document, level, &mut inner)?;
                shown.append(name, inner);
            }
            RawBsonRef::Array(array) => shown.append(name, self.array(node, array, level)?),
            _ if self.kind == Kind::Inclusion => return Ok(false),
            _ if node.computes => {
                let mut made = RawDocumentBuf::new();
                self.rest(node, &[], &mut made)?;
                shown.append(name, made);
            }
            _ => shown.append(name, value),
        }
        Ok(true)
    }

    fn array(&self, node: &Node, array: &RawArray, level: Level) -> Result<RawArrayBuf, Error> {
        let mut shown = RawArrayBuf::new();
        for value in array {
            let value = value.map_err(unreadable)?;
            match value {
                RawBsonRef::Document(document) => {
                    let mut inner = RawDocumentBuf::new();
                    self.fields(node, document, level, &mut inner)?;
                    shown.push(inner);
                }
                RawBsonRef::Array(inner) => shown.push(self.array(node, inner, Level::Nested)?),
                _ if node.computes => {
                    let mut made = RawDocumentBuf::new();
                    self.rest(node, &[], &mut made)?;
                    shown.push(made);
                }
                _ if self.kind == Kind::Inclusion => {}
                _ => shown.push(value),
            }
        }
        Ok(shown)
    }
}

/// The document with only one element left in the first array on the path.
fn pick(
    document: &RawDocument,
    path: &str,
    position: Option<usize>,
) -> Result<RawDocumentBuf, Error> {
    let (name, rest) = match path.split_once('.') {
        Some((name, rest)) => (name, Some(rest)),
        None => (path, None),
    };
    let mut shown = RawDocumentBuf::new();
    for field in document {
        let (key, value) = field.map_err(unreadable)?;
        match (value, rest) {
            _ if key.as_str() != name => shown.append(key, value),
            (RawBsonRef::Array(array), _) => {
                let Some(position) = position else {
                    return Err(Error::location(
                        51246,
                        "Executor error during find command :: caused by :: positional operator '.$' couldn't find \
                         a matching element in the array",
                    ));
                };
                let element = array.get(position).map_err(unreadable)?.ok_or_else(|| {
                    Error::location(
                        51247,
                        "Executor error during find command :: caused by :: positional operator '.$' element \
                         mismatch",
                    )
                })?;
                shown.append(key, std::iter::once(element).collect::<RawArrayBuf>());
            }
            (RawBsonRef::Document(inner), Some(rest)) => {
                shown.append(key, pick(inner, rest, position)?);
            }
            _ => shown.append(key, value),
        }
    }
    Ok(shown)
}

fn unreadable(error: ::bson::error::Error) -> Error {
    Error::new(Code::INVALID_BSON, format!("expected a readable document, found: {error}"))
}
