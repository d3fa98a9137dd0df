//! A document from outside: refused, or read to its last value without an error, whatever a path asks for.
#![no_main]

use bson::{RawBsonRef, RawDocument};
use kecoa_mongo::bson::path::Path;
use kecoa_mongo::bson::validate::{Limits, validate};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(document) = validate(data, Limits::MESSAGE) else { return };
    let mut waiting = vec![document];
    while let Some(document) = waiting.pop() {
        for element in document {
            match element.unwrap().1 {
                RawBsonRef::Document(inner) => waiting.push(inner),
                RawBsonRef::Array(inner) => {
                    waiting.push(RawDocument::from_bytes(inner.as_bytes()).unwrap());
                }
                RawBsonRef::JavaScriptCodeWithScope(inner) => waiting.push(inner.scope),
                _ => {}
            }
        }
    }
    let names: Vec<_> = document.into_iter().map(|element| element.unwrap().0.as_str()).collect();
    for path in [names.join("."), "a.0.b.1".to_owned()] {
        if let Ok(path) = Path::parse(&path) {
            path.any(document, |_| false);
        }
    }
});
