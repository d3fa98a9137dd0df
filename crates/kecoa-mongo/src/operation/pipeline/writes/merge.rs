//! `$merge`: each document is put together with the one of the target that has the same fields, or inserted.

use ::bson::oid::ObjectId;
use ::bson::raw::{CString, RawArrayBuf, cstr};
use ::bson::{RawBson, RawBsonRef, RawDocument, RawDocumentBuf, rawdoc};

use crate::aggregate::{Merge, WhenMatched, WhenNotMatched, Write};
use crate::collation::Collator;
use crate::error::{Code, Error};
use crate::expression::{Expression, Scope, Variables};
use crate::index::Index;
use crate::operation::context::Context;
use crate::operation::insert::{self, insert};
use crate::operation::pipeline::settings::Settings;
use crate::operation::target::Selection;
use crate::operation::update::{UpdateStatement, update};
use crate::operation::write_result::WriteError;
use crate::store::Namespace;
use crate::value::Value;

/// How often a document is tried that others insert and remove meanwhile.
const MAX_TRIES: usize = 20;

/// Merge documents into a collection.
pub(super) async fn merge(
    context: &mut Context<'_>,
    target: &Namespace,
    merge: &Merge,
    write: &Write,
    settings: &Settings,
) -> Result<(), Error> {
    let allows_missing = check_index(context, target, merge, &settings.collator).await?;
    let collation = settings.collator.to_document();
    let into = Into { target, merge, collation: &collation, settings };
    let mut documents = Vec::with_capacity(write.documents.len());
    for document in &write.documents {
        documents.push(into.prepare(document, allows_missing)?);
    }
    let failed = match merge.when_not_matched {
        WhenNotMatched::Insert => into.insert_all(context, &documents).await?,
        WhenNotMatched::Discard | WhenNotMatched::Fail => (0..documents.len()).collect(),
    };
    for index in failed {
        let Some(document) = documents.get(index) else { continue };
        into.merge_one(context, document, &write.variables).await?;
    }
    Ok(())
}

/// Check that a unique index makes sure of one document for each; whether it takes documents without the fields.
async fn check_index(
    context: &mut Context<'_>,
    target: &Namespace,
    merge: &Merge,
    collator: &Collator,
) -> Result<bool, Error> {
    let collection = context.writable(target).await?;
    let Some(on) = &merge.on else { return Ok(false) };
    if let [only] = on.as_slice()
        && &**only == "_id"
    {
        return Ok(false);
    }
    let serves = |index: &Index| {
        index.is_unique()
            && index.partial_filter().is_none()
            && index.collator() == collator
            && index.fields().len() == on.len()
            && index.fields().iter().all(|field| on.iter().any(|name| **name == *field.name()))
    };
    let indexes = collection.iter().flat_map(|collection| collection.indexes());
    let mut serving = indexes.filter(|index| serves(index)).peekable();
    if serving.peek().is_none() {
        return Err(Error::location(
            51183,
            "Cannot find index to verify that join fields will be unique",
        ));
    }
    Ok(serving.any(|index| !index.is_sparse()))
}

/// Where documents go, and how.
struct Into<'a> {
    target: &'a Namespace,
    merge: &'a Merge,
    collation: &'a RawDocument,
    settings: &'a Settings,
}

/// A document that goes there.
struct New {
    document: RawDocumentBuf,
    /// Which document of the target it belongs to.
    filter: RawDocumentBuf,
}

impl Into<'_> {
    /// Give a document an `_id` where it must have one, and see what it belongs to.
    fn prepare(&self, document: &RawDocument, allows_missing: bool) -> Result<New, Error> {
        let id = [Box::from("_id")];
        let on = self.merge.on.as_deref().unwrap_or(&id);
        let mut document = document.to_owned();
        if on.iter().any(|name| &**name == "_id") && !matches!(document.get("_id"), Ok(Some(_))) {
            let mut with_id = rawdoc! { "_id": ObjectId::new() };
            for (name, value) in document.iter().map_while(Result::ok) {
                with_id.append(name, value);
            }
            document = with_id;
        }
        let mut filter = RawDocumentBuf::new();
        for name in on {
            let value = value_of(&document, name);
            let is_nothing = matches!(value, None | Some(RawBsonRef::Null | RawBsonRef::Undefined));
            if matches!(value, Some(RawBsonRef::Array(_))) {
                return Err(Error::location(
                    51185,
                    "$merge write error: 'on' field cannot be an array",
                ));
            }
            if is_nothing && !allows_missing && &**name != "_id" {
                return Err(Error::location(
                    51132,
                    "$merge write error: 'on' field cannot be missing, null or undefined if supporting index is sparse",
                ));
            }
            let name = CString::try_from(&**name)
                .map_err(|_| Error::new(Code::BAD_VALUE, "expected a name without NUL"))?;
            let mut equality = RawDocumentBuf::new();
            equality.append(cstr!("$eq"), value.unwrap_or(RawBsonRef::Null));
            filter.append(name, equality);
        }
        Ok(New { document, filter })
    }

    /// Insert the documents that are new; the others, which may belong to documents that are there.
    async fn insert_all(
        &self,
        context: &mut Context<'_>,
        documents: &[New],
    ) -> Result<Vec<usize>, Error> {
        if documents.is_empty() {
            return Ok(Vec::new());
        }
        let fails = matches!(self.merge.when_matched, WhenMatched::Fail);
        let keeps = matches!(self.merge.when_matched, WhenMatched::KeepExisting);
        let all = documents.iter().map(|new| &*new.document);
        let result = insert(context, self.target, all, self.insert_options(fails)).await?;
        let mut others = Vec::new();
        for WriteError { index, error } in result.errors {
            if fails {
                return Err(error);
            }
            if !(keeps && self.is_of_the_same(&error)) {
                others.push(index);
            }
        }
        Ok(others)
    }

    /// Whether the key that is there already is that of the document that this one belongs to.
    fn is_of_the_same(&self, error: &Error) -> bool {
        let pattern = error.details().map(|details| details.get_document("keyPattern"));
        let Some(Ok(pattern)) = pattern else { return false };
        let id = [Box::from("_id")];
        let on = self.merge.on.as_deref().unwrap_or(&id);
        let mut fields = pattern.iter_elements().map_while(Result::ok);
        error.code() == Code::DUPLICATE_KEY
            && fields.all(|field| on.iter().any(|name| **name == *field.key().as_str()))
    }

    fn insert_options(&self, ordered: bool) -> insert::Options {
        insert::Options {
            ordered,
            bypass_validation: self.settings.bypass_validation,
            first_statement: 0,
            are_storable: false,
        }
    }

    async fn merge_one(
        &self,
        context: &mut Context<'_>,
        new: &New,
        variables: &Variables,
    ) -> Result<(), Error> {
        for _ in 0..MAX_TRIES {
            if self.update(context, new, variables).await? {
                return Ok(());
            }
            match self.merge.when_not_matched {
                WhenNotMatched::Discard => return Ok(()),
                WhenNotMatched::Fail => {
                    return Err(Error::location(
                        13113,
                        "$merge could not find a matching document in the target collection for at least one document in the source collection",
                    ));
                }
                WhenNotMatched::Insert => {
                    let one = std::iter::once(&*new.document);
                    let result =
                        insert(context, self.target, one, self.insert_options(true)).await?;
                    match result.errors.into_iter().next() {
                        None => return Ok(()),
                        Some(failed) if self.is_of_the_same(&failed.error) => {}
                        Some(failed) => return Err(failed.error),
                    }
                }
            }
        }
        Err(crate::operation::attempts::write_conflict())
    }
}

impl Into<'_> {
    /// Change the document that is there; whether there is one.
    async fn update(
        &self,
        context: &mut Context<'_>,
        new: &New,
        variables: &Variables,
    ) -> Result<bool, Error> {
        let update: RawBson = match &self.merge.when_matched {
            WhenMatched::Replace => new.document.clone().into(),
            WhenMatched::Merge => merged().into(),
            WhenMatched::Pipeline(stages) => stages.clone().into(),
            // What changes nothing tells whether there is one.
            WhenMatched::KeepExisting | WhenMatched::Fail => {
                rawdoc! { "$setOnInsert": { "_id": 0 } }.into()
            }
        };
        let statement = UpdateStatement {
            selection: Selection {
                filter: &new.filter,
                sort: None,
                hint: None,
                collation: Some(self.collation),
            },
            update: update.as_raw_bson_ref(),
            constants: None,
            array_filters: None,
            multi: false,
            upsert: false,
            bypass_validation: self.settings.bypass_validation,
        };
        let (scope, bound) = self.bind(&context.scope, new, variables)?;
        let outer_scope = std::mem::replace(&mut context.scope, scope);
        let outer_variables = std::mem::replace(&mut context.variables, bound);
        let updated = update_one(context, self.target, &statement).await;
        context.scope = outer_scope;
        context.variables = outer_variables;
        updated
    }

    /// What the pipeline of `whenMatched` sees.
    fn bind(
        &self,
        scope: &Scope,
        new: &New,
        variables: &Variables,
    ) -> Result<(Scope, Variables), Error> {
        let mut inner = scope.clone().with_variable("new");
        let mut bound = variables.clone().bind("new", Some(new.document.clone().into()));
        for (name, value) in self.merge.variables.iter().map_while(Result::ok) {
            let value = Expression::parse(value, scope)?
                .evaluate(&new.document, variables)?
                .map(Value::into_owned);
            inner = inner.with_variable(name.as_str());
            bound = bound.bind(name.as_str(), value);
        }
        Ok((inner, bound))
    }
}

async fn update_one(
    context: &mut Context<'_>,
    target: &Namespace,
    statement: &UpdateStatement<'_>,
) -> Result<bool, Error> {
    match update(context, target, statement, 0).await {
        Ok(result) => Ok(result.n > 0),
        Err(error) if error.code() == Code::IMMUTABLE_FIELD => Err(error.within(
            "$merge failed to update the matching document, did you attempt to modify the _id or the shard key?",
        )),
        Err(error) => Err(error),
    }
}

/// The document that is there, with the fields of the new one.
fn merged() -> RawArrayBuf {
    let mut stages = RawArrayBuf::new();
    stages.push(rawdoc! { "$replaceWith": { "$mergeObjects": ["$$ROOT", "$$new"] } });
    stages
}

/// What lies at a path that goes through documents alone.
fn value_of<'d>(document: &'d RawDocument, path: &str) -> Option<RawBsonRef<'d>> {
    path.split('.').try_fold(RawBsonRef::Document(document), |value, name| {
        // Where an array is on the way, the field is none that can be merged on.
        match value {
            RawBsonRef::Array(_) => Some(value),
            value => value.as_document()?.get(name).ok().flatten(),
        }
    })
}
