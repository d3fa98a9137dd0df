//! `$graphLookup`.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use ::bson::raw::{CString, RawArrayBuf, cstr};
use ::bson::{RawBson, RawBsonRef, RawDocument, RawDocumentBuf};

use super::lookup::equality_filter;
use super::nested_field::FieldPath;
use super::union_with::check_collection_name;
use crate::aggregate::context::Context;
use crate::aggregate::memory::Memory;
use crate::aggregate::options::Options;
use crate::aggregate::request::Namespace;
use crate::aggregate::specification::{
    check_field_path, describe, fields, integer, is_number, items, single, type_name, unreadable,
};
use crate::aggregate::stage::Pipeline;
use crate::aggregate::stage::{Documents, Flow, Operator};
use crate::aggregate::stage::{Read, Request};
use crate::aggregate::stage::{Stage, Stages};
use crate::bson::path::Path;
use crate::collation::Collator;
use crate::error::{Code, Error};
use crate::expression::{Expression, Variables};
use crate::query::Filter;
use crate::value::Value;

/// `$graphLookup`.
#[derive(Clone, Debug)]
pub(in crate::aggregate) struct GraphLookup {
    from: Namespace,
    start: Arc<Expression>,
    /// The field of a found document whose values lead on.
    connect_from: Path,
    /// The field by which they are found.
    connect_to: CString,
    into: FieldPath,
    max_depth: Option<i64>,
    depth_field: Option<FieldPath>,
    restriction: Option<RawDocumentBuf>,
    collator: Collator,
}

impl GraphLookup {
    fn read(&self, values: &[RawBson], variables: &Variables) -> Request {
        let values: Vec<_> = values.iter().map(RawBson::as_raw_bson_ref).collect();
        let mut filter = equality_filter(&self.connect_to, &values);
        let has_null = values.iter().any(|value| matches!(value, RawBsonRef::Null));
        if has_null || self.restriction.is_some() {
            let mut joined = RawArrayBuf::new();
            joined.push(&filter);
            if has_null {
                // What leads nowhere does not lead to documents without the field.
                joined.push(single(&self.connect_to, single(cstr!("$exists"), true)));
            }
            if let Some(restriction) = &self.restriction {
                joined.push(restriction);
            }
            filter = single(cstr!("$and"), joined);
        }
        Request::Read(Box::new(Read {
            namespace: Some(self.from.clone()),
            filter: Some(filter),
            pipeline: Pipeline::of(Vec::new()),
            variables: variables.clone(),
        }))
    }
}

impl Stage for GraphLookup {
    fn operator(&self, variables: &Variables, options: &Options) -> Box<dyn Operator> {
        Box::new(Walking {
            stage: self.clone(),
            variables: variables.clone(),
            options: options.clone(),
            walk: None,
            request: None,
        })
    }

    fn reads(&self) -> Option<&Namespace> {
        Some(&self.from)
    }
}

pub(in crate::aggregate) fn parse(
    _: &str,
    argument: RawBsonRef<'_>,
    context: &Context<'_>,
) -> Result<Stages, Error> {
    let RawBsonRef::Document(document) = argument else {
        return Err(Error::new(
            Code::FAILED_TO_PARSE,
            format!(
                "the $graphLookup stage specification must be an object, but found {}",
                type_name(argument)
            ),
        ));
    };
    let from = collection(document)?;
    let (mut start, mut connect_from, mut connect_to) = (None, None, None);
    let (mut into, mut max_depth, mut depth_field, mut restriction) = (None, None, None, None);
    for field in fields(document) {
        match field? {
            ("startWith", value) => start = Some(Expression::parse(value, context.scope)?),
            ("maxDepth", value) => max_depth = Some(depth(value)?),
            ("restrictSearchWithMatch", RawBsonRef::Document(filter)) => {
                Filter::parse(filter, context.scope)?;
                restriction = Some(filter.to_owned());
            }
            ("restrictSearchWithMatch", other) => {
                return Err(Error::location(
                    40185,
                    format!(
                        "restrictSearchWithMatch must be an object, found {}",
                        type_name(other)
                    ),
                ));
            }
            ("from", _) => {}
            (name @ ("as" | "connectFromField" | "connectToField" | "depthField"), value) => {
                let RawBsonRef::String(text) = value else {
                    return Err(Error::location(
                        40103,
                        format!(
                            "expected string as argument for {name}, found: {}",
                            type_name(value)
                        ),
                    ));
                };
                match name {
                    "as" => into = Some(FieldPath::parse(text)?),
                    "connectFromField" => connect_from = Some(text),
                    "connectToField" => connect_to = Some(text),
                    _ => depth_field = Some(FieldPath::parse(text)?),
                }
            }
            (name, _) => {
                return Err(Error::location(
                    40104,
                    format!("Unknown argument to $graphLookup: {name}"),
                ));
            }
        }
    }
    let (Some(into), Some(start), Some(connect_from), Some(connect_to)) =
        (into, start, connect_from, connect_to)
    else {
        return Err(Error::location(
            40105,
            format!(
                "$graphLookup requires 'from', 'as', 'startWith', 'connectFromField', and 'connectToField' to be \
                 specified: {}",
                describe(argument)
            ),
        ));
    };
    check_field_path(connect_from)?;
    check_field_path(connect_to)?;
    let connect_to = CString::try_from(connect_to)
        .map_err(|_| Error::new(Code::BAD_VALUE, "expected a name without NUL"))?;
    Ok(vec![Arc::new(GraphLookup {
        from: Namespace { database: context.options.database.clone(), collection: from.into() },
        start: Arc::new(start),
        connect_from: Path::parse(connect_from)
            .map_err(|error| Error::new(Code::OVERFLOW, error.to_string()))?,
        connect_to,
        into,
        max_depth,
        depth_field,
        restriction,
        collator: context.scope.collator().clone(),
    })])
}

/// The collection that is searched: it is looked at before all else.
fn collection(argument: &RawDocument) -> Result<&str, Error> {
    let refused = |message: String| Err(Error::new(Code::FAILED_TO_PARSE, message));
    match argument.get("from").map_err(unreadable)? {
        Some(RawBsonRef::String(name)) => check_collection_name(name).map(|()| name),
        Some(other) => refused(format!(
            "$graphLookup 'from' field must be a string, but found {}",
            type_name(other)
        )),
        None => refused("missing 'from' option to $graphLookup stage specification".to_owned()),
    }
}

fn depth(value: RawBsonRef<'_>) -> Result<i64, Error> {
    if !is_number(value) {
        return Err(Error::location(
            40100,
            format!("maxDepth must be numeric, found type: {}", type_name(value)),
        ));
    }
    let Some(depth) = integer(value) else {
        return Err(Error::location(
            40102,
            format!("maxDepth could not be represented as a long long: {}", describe(value)),
        ));
    };
    if depth < 0 {
        return Err(Error::location(
            40101,
            format!("maxDepth requires a nonnegative argument, found: {depth}"),
        ));
    }
    Ok(depth)
}

struct Walking {
    stage: GraphLookup,
    variables: Variables,
    options: Options,
    walk: Option<Walk>,
    request: Option<Request>,
}

/// The search from one document.
struct Walk {
    document: RawDocumentBuf,
    found: Vec<RawDocumentBuf>,
    /// The `_id`s that were found.
    ids: HashSet<Vec<u8>>,
    /// The values that were looked for.
    asked: HashSet<Vec<u8>>,
    depth: i64,
    memory: Memory,
}

impl Walking {
    /// Look for values that were not looked for before; whether there are any.
    fn ask(&mut self, walk: &mut Walk, values: Vec<RawBson>) -> bool {
        let fresh: Vec<RawBson> = (values.into_iter())
            .filter(|value| {
                let key = self.stage.collator.hash_key(value.as_raw_bson_ref());
                walk.asked.insert(key.into_bytes())
            })
            .collect();
        if fresh.is_empty() {
            return false;
        }
        self.request = Some(self.stage.read(&fresh, &self.variables));
        true
    }

    fn finish(&self, walk: &Walk, out: &mut Documents) -> Result<(), Error> {
        let found = RawBson::Array(walk.found.iter().collect());
        out.push_back(self.stage.into.set(&walk.document, Some(found.as_raw_bson_ref()))?);
        Ok(())
    }
}

impl Operator for Walking {
    fn push(&mut self, document: RawDocumentBuf, out: &mut Documents) -> Result<Flow, Error> {
        let start = self.stage.start.evaluate(&document, &self.variables)?;
        let values = match start.map(Value::into_owned) {
            Some(RawBson::Array(array)) => {
                items(&array).map(|item| item.map(RawBson::from)).collect::<Result<_, _>>()?
            }
            // From a missing value, nothing is reached.
            other => Vec::from_iter(other),
        };
        let mut walk = Walk {
            document,
            found: Vec::new(),
            ids: HashSet::new(),
            asked: HashSet::new(),
            depth: 0,
            memory: Memory::new("$graphLookup", &self.options).failing_with(40099),
        };
        if self.ask(&mut walk, values) {
            self.walk = Some(walk);
        } else {
            self.finish(&walk, out)?;
        }
        Ok(Flow::More)
    }

    fn request(&mut self) -> Option<Request> {
        self.request.take()
    }

    fn answer(&mut self, documents: Vec<RawDocumentBuf>, out: &mut Documents) -> Result<(), Error> {
        let Some(mut walk) = self.walk.take() else { return Ok(()) };
        let mut next = Vec::new();
        for mut document in documents {
            let id = document.get("_id").map_err(unreadable)?.unwrap_or(RawBsonRef::Null);
            if !walk.ids.insert(self.stage.collator.hash_key(id).into_bytes()) {
                continue;
            }
            let _ = self.stage.connect_from.visit::<()>(&document, &mut |found| {
                if let (Some(value), false) = (found.value, found.whole_array) {
                    next.push(RawBson::from(value));
                }
                ControlFlow::Continue(())
            });
            if let Some(field) = &self.stage.depth_field {
                document = field.set(&document, Some(RawBsonRef::Int64(walk.depth)))?;
            }
            walk.memory.add(document.as_bytes().len())?;
            walk.found.push(document);
        }
        walk.depth += 1;
        let goes_on = self.stage.max_depth.is_none_or(|most| walk.depth <= most);
        if goes_on && self.ask(&mut walk, next) {
            self.walk = Some(walk);
            return Ok(());
        }
        self.finish(&walk, out)
    }
}
