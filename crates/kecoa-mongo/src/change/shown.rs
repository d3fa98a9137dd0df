//! What a stream shows of a change.

use ::bson::raw::cstr;
use ::bson::spec::BinarySubtype;
use ::bson::{Binary, RawBson, RawDocumentBuf};

use super::event::Change;
use super::options::{AfterImage, BeforeImage, Options};
use super::token::{Position, ResumeToken, TokenKind, to_timestamp};
use crate::error::{Code, Error, Label};

/// Where a change stands in the log, and in which transaction.
#[derive(Clone, Debug)]
pub struct Place {
    /// Where.
    pub position: Position,
    /// The database.
    pub database: String,
    /// The collection; empty where the database itself changed.
    pub collection: String,
    /// The session and the number of the transaction that it was part of.
    pub transaction: Option<(Vec<u8>, i64)>,
}

/// A change, as a stream shows it.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// Where.
    pub place: &'a Place,
    /// What.
    pub change: &'a Change,
    /// How.
    pub options: &'a Options,
}

impl Shown<'_> {
    /// Whether the document must be looked up.
    #[must_use]
    pub fn needs_lookup(&self) -> bool {
        self.options.after == AfterImage::Lookup && self.change.operation() == "update"
    }

    /// The event. `found` is the document that was looked up, if it is there.
    ///
    /// # Errors
    ///
    /// 47 where an image is required that was not kept.
    pub fn event(&self, found: Option<RawDocumentBuf>) -> Result<RawDocumentBuf, Error> {
        let (change, place, expanded) = (self.change, self.place, self.options.expanded);
        let operation = change.operation();
        let mut event = RawDocumentBuf::new();
        event.append(cstr!("_id"), ResumeToken::event(place.position).to_document());
        event.append(cstr!("operationType"), operation);
        event.append(cstr!("clusterTime"), to_timestamp(place.position.time));
        if let Some((session, number)) = &place.transaction {
            event.append(cstr!("lsid"), session_document(session));
            event.append(cstr!("txnNumber"), *number);
        }
        if let Some(uuid) = change.collection()
            && expanded
            && operation != "dropDatabase"
        {
            event.append(cstr!("collectionUUID"), uuid);
        }
        if let Some(at) = change.at() {
            event.append(cstr!("wallTime"), at);
        }
        match (change.inserted(), operation, self.options.after) {
            (Some(document), ..) => event.append(cstr!("fullDocument"), document),
            (None, "update", AfterImage::Lookup) => {
                event.append(cstr!("fullDocument"), found.map_or(RawBson::Null, RawBson::Document))
            }
            (None, "update", AfterImage::WhenAvailable | AfterImage::Required) => {
                match change.after() {
                    Some(document) => event.append(cstr!("fullDocument"), document),
                    None if self.options.after == AfterImage::Required => {
                        return Err(missing("fullDocument"));
                    }
                    None => event.append(cstr!("fullDocument"), RawBson::Null),
                }
            }
            _ => {}
        }
        let mut namespace = RawDocumentBuf::new();
        namespace.append(cstr!("db"), place.database.as_str());
        if !place.collection.is_empty() {
            namespace.append(cstr!("coll"), place.collection.as_str());
        }
        event.append(cstr!("ns"), namespace);
        if let Some(to) = change.to() {
            event.append(cstr!("to"), to);
        }
        if let Some(key) = change.key() {
            event.append(cstr!("documentKey"), key);
        }
        if let Some(description) = change.description() {
            let mut shown = RawDocumentBuf::new();
            for (name, value) in description.iter().map_while(Result::ok) {
                if expanded || name.as_str() != "disambiguatedPaths" {
                    shown.append(name, value);
                }
            }
            event.append(cstr!("updateDescription"), shown);
        }
        if let Some(options) = change.options().filter(|_| expanded) {
            event.append(cstr!("operationDescription"), options);
        }
        if let Some(state) = change.state().filter(|_| expanded) {
            event.append(cstr!("stateBeforeChange"), state);
        }
        if matches!(operation, "update" | "replace" | "delete") {
            match (change.before(), self.options.before) {
                (_, BeforeImage::Off) => {}
                (Some(document), _) => event.append(cstr!("fullDocumentBeforeChange"), document),
                (None, BeforeImage::WhenAvailable) => {
                    event.append(cstr!("fullDocumentBeforeChange"), RawBson::Null);
                }
                (None, BeforeImage::Required) => return Err(missing("fullDocumentBeforeChange")),
            }
        }
        Ok(event)
    }

    /// The event by which a stream ends, behind the change that ended it.
    #[must_use]
    pub fn invalidate(&self) -> RawDocumentBuf {
        let position = self.place.position;
        let token = ResumeToken { position, kind: TokenKind::Invalidate, fragment: 0 };
        let mut event = RawDocumentBuf::new();
        event.append(cstr!("_id"), token.to_document());
        event.append(cstr!("operationType"), "invalidate");
        event.append(cstr!("clusterTime"), to_timestamp(position.time));
        if let Some(at) = self.change.at() {
            event.append(cstr!("wallTime"), at);
        }
        event
    }
}

/// A session as commands show it: its UUID, and the hash of its user.
fn session_document(bytes: &[u8]) -> RawDocumentBuf {
    let (uuid, user) = bytes.split_at(bytes.len().min(16));
    let mut session = RawDocumentBuf::new();
    let id = Binary { subtype: BinarySubtype::Uuid, bytes: uuid.to_vec() };
    let uid = Binary { subtype: BinarySubtype::Generic, bytes: user.to_vec() };
    session.append(cstr!("id"), id);
    session.append(cstr!("uid"), uid);
    session
}

fn missing(what: &str) -> Error {
    Error::new(
        Code::NO_MATCHING_DOCUMENT,
        format!(
            "the change stream requires {what} of each event, and this one has none: enable \
             changeStreamPreAndPostImages for the collection before it is changed, or ask for whenAvailable"
        ),
    )
    .with_label(Label::NonResumableChangeStreamError)
}
