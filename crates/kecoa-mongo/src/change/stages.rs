//! The stages behind `$changeStream`.

use ::bson::{RawArray, RawArrayBuf, RawBsonRef};

use crate::error::{Code, Error};

/// Those that change one event at a time.
const ALLOWED: [&str; 8] = [
    "$match",
    "$project",
    "$addFields",
    "$set",
    "$unset",
    "$replaceRoot",
    "$replaceWith",
    "$redact",
];
const SPLIT: &str = "$changeStreamSplitLargeEvent";

/// The stages of a stream.
#[derive(Debug)]
pub struct Stages {
    /// Those that an event goes through, `$changeStream` first.
    pub pipeline: RawArrayBuf,
    /// Whether events that are too large are split.
    pub splits: bool,
}

/// Take the stages of a pipeline that begins with `$changeStream`; none of another one.
///
/// # Errors
///
/// 20 for a stage that a stream may not have; 7182800 and 7182802 for `$changeStreamSplitLargeEvent` with options, or
/// not at the end.
pub fn prepare(stages: &RawArray) -> Result<Option<Stages>, Error> {
    let mut names = stages.into_iter().map_while(Result::ok).map(name);
    if names.next() != Some(Some("$changeStream")) {
        return Ok(None);
    }
    let mut prepared = Stages { pipeline: RawArrayBuf::new(), splits: false };
    for (number, stage) in stages.into_iter().map_while(Result::ok).enumerate() {
        if prepared.splits {
            return Err(Error::location(
                7_182_802,
                format!("{SPLIT} must be the last stage in the pipeline"),
            ));
        }
        match name(stage) {
            Some(SPLIT) => {
                let argument =
                    stage.as_document().and_then(|stage| stage.get(SPLIT).ok().flatten());
                let is_empty = argument
                    .and_then(RawBsonRef::as_document)
                    .is_some_and(|argument| argument.is_empty());
                if !is_empty {
                    return Err(Error::location(
                        7_182_800,
                        format!("{SPLIT} takes an empty document"),
                    ));
                }
                prepared.splits = true;
                continue;
            }
            // What is unknown, or no stage at all, is said by whoever reads the pipeline.
            Some(name) if number > 0 && is_known(name) => {
                return Err(Error::new(
                    Code::ILLEGAL_OPERATION,
                    format!("{name} is not permitted in a $changeStream pipeline"),
                ));
            }
            _ => {}
        }
        prepared.pipeline.push(stage);
    }
    Ok(Some(prepared))
}

/// Whether it is a stage that streams may not have.
fn is_known(name: &str) -> bool {
    !ALLOWED.contains(&name) && crate::aggregate::is_stage(name) && name != "$changeStream"
}

fn name(stage: RawBsonRef<'_>) -> Option<&str> {
    let (name, _) = stage.as_document()?.iter().next()?.ok()?;
    Some(name.as_str())
}
