//! What goes back to a client.

use std::ops::Range;

use ::bson::{RawArrayBuf, RawDocument, RawDocumentBuf};
use bson::raw::cstr;
use bytes::BytesMut;

use super::compression::Compressor;
use super::request::{Envelope, Kind};
use super::{HEADER_LENGTH, flag, opcode};
use crate::error::Error;

/// A reply: one document.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    document: RawDocumentBuf,
    is_failed_query: bool,
}

/// How a reply is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The server's number of the message.
    pub id: i32,
    /// The number of the message that is answered: the request, or the reply before in a chain.
    pub response_to: i32,
    /// Whether another reply follows without a request.
    pub more_to_come: bool,
    /// How it is compressed.
    pub compressor: Option<Compressor>,
}

impl Reply {
    /// A reply that consists of this document.
    #[must_use]
    pub fn new(document: RawDocumentBuf) -> Self {
        Self { document, is_failed_query: false }
    }

    /// The reply that a command has failed: `ok: 0.0`, `errmsg`, `code`, `codeName`, then the error's details and
    /// labels.
    #[must_use]
    pub fn error(error: &Error) -> Self {
        let mut document = RawDocumentBuf::new();
        append_error(&mut document, error);
        Self::new(document)
    }

    /// The reply to a query that is none any more; drivers of that time look for `$err`.
    pub(super) fn failed_query(error: &Error) -> Self {
        let mut document = RawDocumentBuf::new();
        document.append(cstr!("$err"), error.message());
        append_error(&mut document, error);
        Self { document, is_failed_query: true }
    }

    /// The document.
    #[must_use]
    pub fn document(&self) -> &RawDocument {
        &self.document
    }

    /// The document, to keep.
    #[must_use]
    pub fn into_document(self) -> RawDocumentBuf {
        self.document
    }

    /// Appends the message to `output`: in the form of its request, with `delivery`'s numbers.
    pub fn encode(&self, to: &Envelope, delivery: &Delivery, output: &mut BytesMut) {
        let start = output.len();
        output.reserve(self.document.as_bytes().len() + 64);
        output.extend_from_slice(&[0; HEADER_LENGTH]);
        let mut kind = match to.kind {
            Kind::Msg => {
                let flags = if delivery.more_to_come { flag::MORE_TO_COME } else { 0 };
                output.extend_from_slice(&flags.to_le_bytes());
                output.extend_from_slice(&[0]);
                opcode::MSG
            }
            Kind::Query => {
                // A query has failed, or: the server can wait for data.
                let flags: i32 = if self.is_failed_query { 2 } else { 8 };
                output.extend_from_slice(&flags.to_le_bytes());
                // No cursor, from the start, one document.
                output.extend_from_slice(&[0; 12]);
                output.extend_from_slice(&1_i32.to_le_bytes());
                opcode::REPLY
            }
        };
        output.extend_from_slice(self.document.as_bytes());
        if let Some(compressor) = delivery.compressor {
            compress(compressor, kind, output, start + HEADER_LENGTH);
            kind = opcode::COMPRESSED;
        }
        let length = output.len() - start;
        let length = i32::try_from(length).unwrap_or(i32::MAX);
        for (place, value) in [length, delivery.id, delivery.response_to, kind].iter().enumerate() {
            put(output, start + 4 * place..start + 4 * place + 4, *value);
        }
    }
}

fn append_error(document: &mut RawDocumentBuf, error: &Error) {
    document.append(cstr!("ok"), 0.0);
    document.append(cstr!("errmsg"), error.message());
    document.append(cstr!("code"), error.code().number());
    document.append(cstr!("codeName"), error.code().name().as_ref());
    for element in error.details().into_iter().flat_map(|details| details.iter()).flatten() {
        document.append(element.0, element.1);
    }
    if !error.labels().is_empty() {
        let mut labels = RawArrayBuf::new();
        for label in error.labels() {
            labels.push(label.as_str());
        }
        document.append(cstr!("errorLabels"), labels);
    }
}

/// Replaces all from `start` by its compressed form.
fn compress(compressor: Compressor, kind: i32, output: &mut BytesMut, start: usize) {
    let plain = output.split_off(start);
    output.extend_from_slice(&kind.to_le_bytes());
    let length = i32::try_from(plain.len()).unwrap_or(i32::MAX);
    output.extend_from_slice(&length.to_le_bytes());
    output.extend_from_slice(&[compressor.id()]);
    compressor.compress(&plain, output);
}

fn put(output: &mut BytesMut, place: Range<usize>, value: i32) {
    if let Some(place) = output.get_mut(place) {
        place.copy_from_slice(&value.to_le_bytes());
    }
}
