//! What a client asks for.

use std::sync::LazyLock;

use ::bson::{RawDocument, RawDocumentBuf};
use bytes::Bytes;

use super::compression::Compressor;

static EMPTY: LazyLock<RawDocumentBuf> = LazyLock::new(RawDocumentBuf::new);

/// In which form a request came, and so in which its reply goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// The usual one, OP_MSG.
    #[default]
    Msg,
    /// OP_QUERY, of which only the first hello of a connection is left; answered by OP_REPLY.
    Query,
}

/// What is known of a request beside what it says: enough to answer it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// The client's number of the message.
    pub id: i32,
    /// Its form.
    pub kind: Kind,
    /// Whether the client reads a reply. If not, none is sent, whatever happens.
    pub is_reply_expected: bool,
    /// Whether the client takes several replies to this one request.
    pub is_exhaust_allowed: bool,
    /// How it was compressed, and so how its replies may be.
    pub compressor: Option<Compressor>,
}

/// A command as it came: its document, and the lists of documents beside it.
///
/// All of it is valid BSON. Documents are parts of the message: they are not copied. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Request {
    envelope: Envelope,
    body: Bytes,
    sequences: Vec<Sequence>,
}

/// A list of documents beside a command's document: `documents` of insert, `updates`, `deletes`, `ops`, `nsInfo`.
#[derive(Clone, Debug)]
pub struct Sequence {
    name: String,
    documents: Bytes,
    /// Where each document ends.
    ends: Vec<usize>,
    is_storable: bool,
}

impl Request {
    /// A request that expects a reply, as if a client had sent this document by OP_MSG.
    #[must_use]
    pub fn new(body: RawDocumentBuf) -> Self {
        let envelope = Envelope { is_reply_expected: true, ..Envelope::default() };
        Self::from_parts(envelope, body.into_bytes().into(), Vec::new())
    }

    /// The same with a list of documents more.
    #[must_use]
    pub fn with_sequence(mut self, name: &str, documents: &[RawDocumentBuf]) -> Self {
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        for document in documents {
            bytes.extend_from_slice(document.as_bytes());
            ends.push(bytes.len());
        }
        self.sequences.push(Sequence::new(name.to_owned(), bytes.into(), ends, false));
        self
    }

    /// The same in another envelope.
    #[must_use]
    pub fn with_envelope(mut self, envelope: Envelope) -> Self {
        self.envelope = envelope;
        self
    }

    /// `body` has been validated.
    pub(super) fn from_parts(envelope: Envelope, body: Bytes, sequences: Vec<Sequence>) -> Self {
        Self { envelope, body, sequences }
    }

    /// What is needed to answer it.
    #[must_use]
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// The client's number of the message.
    #[must_use]
    pub fn id(&self) -> i32 {
        self.envelope.id
    }

    /// In which form it came.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.envelope.kind
    }

    /// Whether the client reads a reply.
    #[must_use]
    pub fn is_reply_expected(&self) -> bool {
        self.envelope.is_reply_expected
    }

    /// Whether the client takes several replies to this one request.
    #[must_use]
    pub fn is_exhaust_allowed(&self) -> bool {
        self.envelope.is_exhaust_allowed
    }

    /// How it was compressed.
    #[must_use]
    pub fn compressor(&self) -> Option<Compressor> {
        self.envelope.compressor
    }

    /// The command's document. Its first field names the command.
    #[must_use]
    pub fn body(&self) -> &RawDocument {
        view(&self.body)
    }

    /// The name of the first field; empty when there is none.
    #[must_use]
    pub fn command_name(&self) -> &str {
        self.body()
            .iter_elements()
            .next()
            .and_then(Result::ok)
            .map_or("", |field| field.key().as_str())
    }

    /// The lists of documents, in the client's order; no name occurs twice.
    #[must_use]
    pub fn sequences(&self) -> &[Sequence] {
        &self.sequences
    }

    /// The list of this name.
    #[must_use]
    pub fn sequence(&self, name: &str) -> Option<&Sequence> {
        self.sequences.iter().find(|sequence| sequence.name == name)
    }
}

impl Sequence {
    /// `documents` have been validated; `is_storable` if they are within the limits of stored ones.
    pub(super) fn new(name: String, documents: Bytes, ends: Vec<usize>, is_storable: bool) -> Self {
        Self { name, documents, ends, is_storable }
    }

    /// The field that the list stands for.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many documents there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The document at `index`.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&RawDocument> {
        let end = *self.ends.get(index)?;
        let start = match index.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        self.documents.get(start..end).map(view)
    }

    /// All documents.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &RawDocument> + '_ {
        (0..self.ends.len()).map(|index| self.get(index).unwrap_or(&EMPTY))
    }

    /// Whether every document is known to be within [`Limits::DOCUMENT`](crate::bson::validate::Limits): it
    /// need not be looked at again. `false`: some may not be.
    #[must_use]
    pub fn is_storable(&self) -> bool {
        self.is_storable
    }
}

/// The document that takes the whole of `bytes`, which were validated.
fn view(bytes: &(impl AsRef<[u8]> + ?Sized)) -> &RawDocument {
    RawDocument::from_bytes(bytes.as_ref()).unwrap_or(&EMPTY)
}
