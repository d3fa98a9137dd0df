//! Events that are too large for a reply, in parts.

use ::bson::raw::cstr;
use ::bson::{RawDocument, RawDocumentBuf, rawdoc};

use super::token::ResumeToken;
use crate::bson::limits::MAX_DOCUMENT_BYTES;
use crate::error::{Code, Error};

/// What `_id` and `splitEvent` take of a part.
const OVERHEAD: usize = 256;

/// The parts of an event, each with a token of its own: the event itself where it is small enough.
///
/// # Errors
///
/// 10334 for an event that is too large, where it is not to be split; 7182500 where one field alone is too large.
pub fn split(
    event: RawDocumentBuf,
    token: ResumeToken,
    splits: bool,
) -> Result<Vec<RawDocumentBuf>, Error> {
    let bytes = event.as_bytes().len();
    if bytes <= MAX_DOCUMENT_BYTES {
        return Ok(vec![event]);
    }
    if !splits {
        return Err(Error::new(
            Code::BSON_OBJECT_TOO_LARGE,
            format!(
                "an event of the change stream has {bytes} bytes, more than {MAX_DOCUMENT_BYTES}: leave fields out \
                 by $project, or add $changeStreamSplitLargeEvent as the last stage"
            ),
        ));
    }
    let mut parts = vec![RawDocumentBuf::new()];
    for field in &*event {
        let (name, value) =
            field.map_err(|error| Error::new(Code::INVALID_BSON, error.to_string()))?;
        if name.as_str() == "_id" {
            continue;
        }
        let mut alone = RawDocumentBuf::new();
        alone.append(name, value);
        let most = MAX_DOCUMENT_BYTES - OVERHEAD;
        if alone.as_bytes().len() > most {
            return Err(Error::location(
                7_182_500,
                format!("field '{name}' of an event is too large for a part of it"),
            ));
        }
        let fits =
            parts.last().is_some_and(|part| part.as_bytes().len() + alone.as_bytes().len() <= most);
        if !fits {
            parts.push(RawDocumentBuf::new());
        }
        if let Some(part) = parts.last_mut() {
            part.append(name, value);
        }
    }
    let count = i32::try_from(parts.len()).unwrap_or(i32::MAX);
    let numbered = parts.iter().zip(1_u16..);
    Ok(numbered.map(|(part, number)| whole(part, token, number, count)).collect())
}

fn whole(part: &RawDocument, token: ResumeToken, number: u16, count: i32) -> RawDocumentBuf {
    let mut document = RawDocumentBuf::new();
    document.append(cstr!("_id"), ResumeToken { fragment: number, ..token }.to_document());
    document.append(cstr!("splitEvent"), rawdoc! { "fragment": i32::from(number), "of": count });
    for (name, value) in part.iter().map_while(Result::ok) {
        document.append(name, value);
    }
    document
}
