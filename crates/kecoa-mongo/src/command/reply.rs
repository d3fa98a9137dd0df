//! The end of every reply: `ok`, the cluster's time, errors with their labels.

use std::sync::LazyLock;

use ::bson::spec::BinarySubtype;
use ::bson::{Binary, RawArrayBuf, RawDocumentBuf, Timestamp, rawdoc};
use bson::raw::cstr;

use crate::error::Error;
use crate::session::WriteConcern;
use crate::session::concern::Acknowledgement;
use crate::wire::Reply;

/// A reply of a command that has run.
#[must_use]
pub fn success(mut fields: RawDocumentBuf, time: Timestamp) -> RawDocumentBuf {
    fields.append(cstr!("ok"), 1.0);
    append_times(&mut fields, time);
    fields
}

/// A reply of a command that has failed.
#[must_use]
pub fn failure(error: &Error, time: Timestamp) -> RawDocumentBuf {
    let mut document = Reply::error(error).into_document();
    append_times(&mut document, time);
    document
}

/// Adds `writeConcernError`, and the labels that stand beside it.
pub fn append_write_concern_error(
    fields: &mut RawDocumentBuf,
    error: &Error,
    concern: &WriteConcern,
) {
    let mut document = rawdoc! {
        "code": error.code().number(),
        "codeName": error.code().name().as_ref(),
        "errmsg": error.message(),
    };
    let mut asked = RawDocumentBuf::new();
    match &concern.w {
        Acknowledgement::Nodes(nodes) => {
            asked.append(cstr!("w"), i32::try_from(*nodes).unwrap_or(i32::MAX))
        }
        Acknowledgement::Majority => asked.append(cstr!("w"), "majority"),
        Acknowledgement::Mode(mode) => asked.append(cstr!("w"), mode.as_str()),
        Acknowledgement::Tags => {}
    }
    asked.append(cstr!("wtimeout"), i32::try_from(concern.timeout).unwrap_or(i32::MAX));
    asked.append(cstr!("provenance"), "clientSupplied");
    document.append(cstr!("errInfo"), rawdoc! { "writeConcern": asked });
    fields.append(cstr!("writeConcernError"), document);
    append_labels(fields, error);
}

/// Adds the labels of an error.
pub fn append_labels(fields: &mut RawDocumentBuf, error: &Error) {
    if error.labels().is_empty() {
        return;
    }
    let mut labels = RawArrayBuf::new();
    for label in error.labels() {
        labels.push(label.as_str());
    }
    fields.append(cstr!("errorLabels"), labels);
}

fn append_times(fields: &mut RawDocumentBuf, time: Timestamp) {
    /// Where the time stands: behind the document's length, a type and the name.
    const PLACE: usize = 4 + 1 + "clusterTime".len() + 1;
    // Every reply has it: nothing but the time is written anew.
    static SIGNED: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let hash = Binary { subtype: BinarySubtype::Generic, bytes: vec![0; 20] };
        let none = Timestamp { time: 0, increment: 0 };
        rawdoc! { "clusterTime": none, "signature": { "hash": hash, "keyId": 0_i64 } }.into_bytes()
    });
    let mut signed = SIGNED.clone();
    for (place, part) in [(PLACE, time.increment), (PLACE + 4, time.time)] {
        if let Some(bytes) = signed.get_mut(place..place + 4) {
            bytes.copy_from_slice(&part.to_le_bytes());
        }
    }
    fields.append(cstr!("$clusterTime"), RawDocumentBuf::from_bytes(signed).unwrap_or_default());
    fields.append(cstr!("operationTime"), time);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_ends_with_its_time() {
        let time = Timestamp { time: 0x0102_0304, increment: 0x0506_0708 };
        let reply = success(RawDocumentBuf::new(), time);
        let hash = Binary { subtype: BinarySubtype::Generic, bytes: vec![0; 20] };
        let signature = rawdoc! { "hash": hash, "keyId": 0_i64 };
        let expected = rawdoc! {
            "ok": 1.0,
            "$clusterTime": { "clusterTime": time, "signature": signature },
            "operationTime": time,
        };
        assert_eq!(reply, expected);
    }
}
