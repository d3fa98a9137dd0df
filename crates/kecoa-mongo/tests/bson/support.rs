//! Values of every type, from their bytes.

use bson::{RawBsonRef, RawDocument, RawDocumentBuf};

/// A value that owns its bytes.
#[derive(Clone)]
pub(crate) struct Value(RawDocumentBuf);

impl Value {
    /// From the byte of its type and its content.
    pub(crate) fn new(kind: u8, content: &[u8]) -> Self {
        let mut bytes = (u32::try_from(content.len()).unwrap() + 7).to_le_bytes().to_vec();
        bytes.extend([kind, 0]);
        bytes.extend(content);
        bytes.push(0);
        Self(RawDocumentBuf::from_bytes(bytes).unwrap())
    }

    pub(crate) fn get(&self) -> RawBsonRef<'_> {
        self.0.iter().next().unwrap().unwrap().1
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.get().fmt(f)
    }
}

fn text(value: &str) -> Vec<u8> {
    let mut bytes = (u32::try_from(value.len()).unwrap() + 1).to_le_bytes().to_vec();
    bytes.extend(value.as_bytes());
    bytes.push(0);
    bytes
}

fn body(fields: &[(&str, Value)]) -> Vec<u8> {
    let mut bytes = vec![0; 4];
    for (name, value) in fields {
        let element = &value.0.as_bytes()[4..];
        bytes.push(element[0]);
        bytes.extend(name.as_bytes());
        bytes.extend(&element[1..element.len() - 1]);
    }
    bytes.push(0);
    let length = u32::try_from(bytes.len()).unwrap();
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    bytes
}

pub(crate) fn document(fields: &[(&str, Value)]) -> RawDocumentBuf {
    RawDocumentBuf::from_bytes(body(fields)).unwrap()
}

pub(crate) fn min_key() -> Value {
    Value::new(0xff, &[])
}
pub(crate) fn max_key() -> Value {
    Value::new(0x7f, &[])
}
pub(crate) fn undefined() -> Value {
    Value::new(0x06, &[])
}
pub(crate) fn null() -> Value {
    Value::new(0x0a, &[])
}
pub(crate) fn int(value: i32) -> Value {
    Value::new(0x10, &value.to_le_bytes())
}
pub(crate) fn long(value: i64) -> Value {
    Value::new(0x12, &value.to_le_bytes())
}
pub(crate) fn double(value: f64) -> Value {
    Value::new(0x01, &value.to_le_bytes())
}
pub(crate) fn decimal(value: &str) -> Value {
    let value = kecoa_mongo::bson::decimal128::Decimal::parse_exact(value).unwrap();
    Value::new(0x13, &value.to_bson().bytes())
}
pub(crate) fn string(value: &str) -> Value {
    Value::new(0x02, &text(value))
}
pub(crate) fn symbol(value: &str) -> Value {
    Value::new(0x0e, &text(value))
}
pub(crate) fn code(value: &str) -> Value {
    Value::new(0x0d, &text(value))
}
pub(crate) fn code_with_scope(value: &str, scope: &[(&str, Value)]) -> Value {
    let content = [text(value), body(scope)].concat();
    let length = u32::try_from(content.len()).unwrap() + 4;
    Value::new(0x0f, &[&length.to_le_bytes()[..], &content].concat())
}
pub(crate) fn object(fields: &[(&str, Value)]) -> Value {
    Value::new(0x03, &body(fields))
}
pub(crate) fn array(elements: &[Value]) -> Value {
    let names: Vec<_> = (0..elements.len()).map(|index| index.to_string()).collect();
    let fields: Vec<_> = names.iter().map(String::as_str).zip(elements.iter().cloned()).collect();
    Value::new(0x04, &body(&fields))
}
pub(crate) fn binary(subtype: u8, bytes: &[u8]) -> Value {
    let length = u32::try_from(bytes.len()).unwrap();
    let inner = if subtype == 2 { length.to_le_bytes().to_vec() } else { Vec::new() };
    let outer = length + u32::try_from(inner.len()).unwrap();
    Value::new(0x05, &[&outer.to_le_bytes()[..], &[subtype], &inner, bytes].concat())
}
pub(crate) fn object_id(bytes: [u8; 12]) -> Value {
    Value::new(0x07, &bytes)
}
pub(crate) fn boolean(value: bool) -> Value {
    Value::new(0x08, &[u8::from(value)])
}
pub(crate) fn date(milliseconds: i64) -> Value {
    Value::new(0x09, &milliseconds.to_le_bytes())
}
pub(crate) fn timestamp(seconds: u32, increment: u32) -> Value {
    Value::new(0x11, &[increment.to_le_bytes(), seconds.to_le_bytes()].concat())
}
pub(crate) fn regex(pattern: &str, options: &str) -> Value {
    Value::new(0x0b, format!("{pattern}\0{options}\0").as_bytes())
}
pub(crate) fn pointer(namespace: &str, id: [u8; 12]) -> Value {
    Value::new(0x0c, &[&text(namespace)[..], &id].concat())
}

/// Documents in documents, `levels` of them, around a value.
pub(crate) fn nested(levels: usize, value: Value) -> Value {
    (0..levels).fold(value, |inner, _| object(&[("a", inner)]))
}

/// All values of a document, at every level, can be read.
pub(crate) fn read_all(document: &RawDocument) -> usize {
    let mut waiting = vec![document];
    let mut seen = 0;
    while let Some(document) = waiting.pop() {
        for element in document {
            seen += 1;
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
    seen
}
