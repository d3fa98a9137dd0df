//! `$out`.

use std::sync::Arc;

use ::bson::{RawBsonRef, RawDocumentBuf};

use super::union_with::check_collection_name;
use crate::aggregate::context::Context;
use crate::aggregate::memory::Memory;
use crate::aggregate::options::Options;
use crate::aggregate::request::{Merge, Namespace, Write};
use crate::aggregate::specification::{
    fields, missing_field, type_name, unknown_field, wrong_type,
};
use crate::aggregate::stage::Request;
use crate::aggregate::stage::{Documents, Flow, Operator};
use crate::aggregate::stage::{Part, Stage, Stages};
use crate::error::{Code, Error};
use crate::expression::Variables;

pub(in crate::aggregate) fn parse(
    name: &str,
    argument: RawBsonRef<'_>,
    context: &Context<'_>,
) -> Result<Stages, Error> {
    let (mut database, mut collection) = (None, None);
    match argument {
        RawBsonRef::String(text) => {
            database = Some(&*context.options.database);
            collection = Some(text);
        }
        RawBsonRef::Document(document) => {
            for field in fields(document) {
                match field? {
                    ("db", RawBsonRef::String(text)) => database = Some(text),
                    ("coll", RawBsonRef::String(text)) => collection = Some(text),
                    (field @ ("db" | "coll"), value) => {
                        return Err(wrong_type(name, field, value, "string"));
                    }
                    ("timeseries", _) => {
                        return Err(Error::new(
                            Code::NOT_IMPLEMENTED,
                            "$out to a time-series collection is not supported",
                        ));
                    }
                    (field, _) => return Err(unknown_field(name, field)),
                }
            }
        }
        other => {
            return Err(Error::location(
                16990,
                format!(
                    "$out only supports a string or object argument, but found {}",
                    type_name(other)
                ),
            ));
        }
    }
    let database = database.ok_or_else(|| missing_field(name, "db"))?;
    let collection = collection.ok_or_else(|| missing_field(name, "coll"))?;
    check_collection_name(collection)?;
    check_target(database, collection)?;
    let namespace = Namespace { database: database.into(), collection: collection.into() };
    Ok(vec![Arc::new(Out(namespace))])
}

/// Refuse system collections and internal databases.
pub(super) fn check_target(database: &str, collection: &str) -> Result<(), Error> {
    if collection.starts_with("system.") {
        return Err(Error::location(
            17385,
            format!("Can't $out to special collection: {collection}"),
        ));
    }
    if matches!(database, "admin" | "config" | "local") {
        return Err(Error::location(31321, format!("Can't $out to internal database: {database}")));
    }
    Ok(())
}

/// `$out`.
#[derive(Debug)]
struct Out(Namespace);

impl Stage for Out {
    fn operator(&self, variables: &Variables, options: &Options) -> Box<dyn Operator> {
        writer("$out", &self.0, None, variables, options)
    }

    fn part(&self) -> Part<'_> {
        Part::Target(&self.0)
    }
}

/// A stage that gathers documents and has them written.
pub(super) fn writer(
    stage: &'static str,
    namespace: &Namespace,
    merge: Option<Merge>,
    variables: &Variables,
    options: &Options,
) -> Box<dyn Operator> {
    let write = Write {
        namespace: namespace.clone(),
        merge,
        documents: Vec::new(),
        variables: variables.clone(),
    };
    Box::new(Writing {
        write: Some(Box::new(write)),
        asks: false,
        memory: Memory::new(stage, options),
    })
}

struct Writing {
    write: Option<Box<Write>>,
    asks: bool,
    memory: Memory,
}

impl Operator for Writing {
    fn push(&mut self, document: RawDocumentBuf, _: &mut Documents) -> Result<Flow, Error> {
        self.memory.add(document.as_bytes().len())?;
        if let Some(write) = &mut self.write {
            write.documents.push(document);
        }
        Ok(Flow::More)
    }

    fn end(&mut self, _: &mut Documents) -> Result<(), Error> {
        self.asks = true;
        Ok(())
    }

    fn request(&mut self) -> Option<Request> {
        if self.asks { self.write.take().map(Request::Write) } else { None }
    }
}
