//! Runs pipelines on documents that the shell's notation gives, with other collections in memory.

use bson::{DateTime, Document, RawArray, RawBsonRef, RawDocumentBuf, Timestamp};
use kecoa_mongo::aggregate::{Execution, Options, Pipeline, Read, Step};
use kecoa_mongo::collation::Collator;
use kecoa_mongo::error::Error;
use kecoa_mongo::expression::{Scope, Variables};
use kecoa_mongo::query::Filter;

/// A pipeline, documents, what comes of them.
pub(crate) type Case = (&'static str, &'static str, &'static str);

pub(crate) fn document(text: &str) -> RawDocumentBuf {
    crate::shell::document(text)
}

pub(crate) fn documents(text: &str) -> Vec<RawDocumentBuf> {
    let list = document(&format!("{{list: {text}}}"));
    (list.get_array("list").unwrap().into_iter())
        .map(|item| match item.unwrap() {
            RawBsonRef::Document(document) => document.to_owned(),
            other => panic!("no document: {other:?}"),
        })
        .collect()
}

pub(crate) fn variables() -> Variables {
    Variables::new(DateTime::from_millis(0), Timestamp { time: 1, increment: 1 })
}

pub(crate) fn with_stages<T>(text: &str, then: impl FnOnce(&RawArray) -> T) -> T {
    let list = document(&format!("{{list: {text}}}"));
    then(list.get_array("list").unwrap())
}

pub(crate) fn parse_with(
    pipeline: &str,
    scope: &Scope,
    options: &Options,
) -> Result<Pipeline, Error> {
    with_stages(pipeline, |stages| Pipeline::parse(stages, scope, options))
}

pub(crate) fn parse(pipeline: &str) -> Result<Pipeline, Error> {
    parse_with(pipeline, &Scope::new(), &Options::new("db"))
}

/// Other collections by name, in the shell's notation.
pub(crate) type Collections<'a> = &'a [(&'a str, &'a str)];

pub(crate) fn run_pipeline(
    pipeline: &Pipeline,
    input: Vec<RawDocumentBuf>,
    collections: Collections<'_>,
    variables: &Variables,
    options: &Options,
) -> Result<Vec<RawDocumentBuf>, Error> {
    let mut execution = Execution::new(pipeline, variables, options);
    let mut input = input.into_iter();
    let mut output = Vec::new();
    loop {
        match execution.step()? {
            Step::Document(document) => output.push(document),
            Step::NeedInput => match input.next() {
                Some(document) => execution.push(document),
                None => execution.end(),
            },
            Step::Read(read) => {
                let found = read_collection(&read, collections, options)?;
                execution.answer(found)?;
            }
            Step::Write(write) => {
                output.extend(write.documents);
                execution.answer(Vec::new())?;
            }
            Step::Done => return Ok(output),
        }
    }
}

pub(crate) fn read_collection(
    read: &Read,
    collections: Collections<'_>,
    options: &Options,
) -> Result<Vec<RawDocumentBuf>, Error> {
    let mut found = match (&read.namespace, read.pipeline.source()) {
        (_, Some(source)) => source.documents(&read.variables)?.unwrap(),
        (Some(namespace), None) => collections
            .iter()
            .find(|(name, _)| **name == *namespace.collection)
            .map(|(_, text)| documents(text))
            .unwrap_or_default(),
        (None, None) => panic!("nothing to read"),
    };
    if let Some(filter) = &read.filter {
        let filter = Filter::parse(filter, &Scope::new())?;
        found.retain(|document| filter.matches(document, &read.variables).unwrap());
    }
    run_pipeline(&read.pipeline, found, collections, &read.variables, options)
}

pub(crate) fn run(pipeline: &str, input: &str) -> Result<Vec<RawDocumentBuf>, Error> {
    let parsed = parse(pipeline)?;
    run_pipeline(&parsed, documents(input), &[], &variables(), &Options::new("db"))
}

pub(crate) fn run_collated(
    pipeline: &str,
    input: &str,
    collation: &str,
) -> Result<Vec<RawDocumentBuf>, Error> {
    let scope = Scope::new().with_collator(Collator::parse(&document(collation)).unwrap());
    let parsed = parse_with(pipeline, &scope, &Options::new("db"))?;
    run_pipeline(&parsed, documents(input), &[], &variables(), &Options::new("db"))
}

/// Whether all documents are the same, field by field, type by type.
pub(crate) fn assert_same(found: &[RawDocumentBuf], expected: &str, what: &str) {
    let expected = documents(expected);
    let bytes = |list: &[RawDocumentBuf]| {
        list.iter().map(|document| document.as_bytes().to_vec()).collect::<Vec<_>>()
    };
    let readable = |list: &[RawDocumentBuf]| {
        let texts = list.iter().map(|document| match Document::try_from(document) {
            Ok(document) => document.to_string(),
            Err(error) => error.to_string(),
        });
        texts.collect::<Vec<_>>().join(", ")
    };
    assert!(
        bytes(found) == bytes(&expected),
        "{what}\n   found {}\nexpected {}",
        readable(found),
        readable(&expected)
    );
}

pub(crate) fn check(cases: &[Case]) {
    for (pipeline, input, expected) in cases {
        let what = format!("{pipeline} on {input}");
        let found = run(pipeline, input).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_same(&found, expected, &what);
    }
}

/// The number of the error with which a pipeline fails, when it is parsed or when it runs.
pub(crate) fn failure(pipeline: &str, input: &str) -> (i32, String) {
    match run(pipeline, input) {
        Ok(_) => panic!("{pipeline} on {input} succeeded"),
        Err(error) => (error.code().number(), error.message().to_owned()),
    }
}
