//! First stages whose documents the caller makes, and stages that this server does not have.

use std::sync::Arc;

use ::bson::{RawBsonRef, RawDocument, RawDocumentBuf};

use crate::aggregate::context::Context;
use crate::aggregate::options::Options;
use crate::aggregate::source::Source;
use crate::aggregate::specification::{fields, type_name, unknown_field, wrong_type};
use crate::aggregate::stage::{Documents, Flow, Operator};
use crate::aggregate::stage::{Part, Stage, Stages};
use crate::error::{Code, Error};
use crate::expression::Variables;

pub(in crate::aggregate) fn parse(
    name: &str,
    argument: RawBsonRef<'_>,
    _: &Context<'_>,
) -> Result<Stages, Error> {
    let source = match name {
        "$collStats" => collection_statistics(argument)?,
        "$indexStats" => {
            empty(name, argument, 28803)?;
            Source::IndexStatistics
        }
        "$planCacheStats" => {
            empty(name, argument, 28803)?;
            Source::PlanCacheStatistics
        }
        "$currentOp" => {
            let document = object(name, argument, Code::FAILED_TO_PARSE)?;
            for field in fields(document) {
                match field? {
                    (
                        "allUsers" | "idleConnections" | "idleCursors" | "idleSessions"
                        | "localOps" | "truncateOps" | "targetAllNodes",
                        RawBsonRef::Boolean(_),
                    ) => {}
                    (
                        option @ ("allUsers" | "idleConnections" | "idleCursors" | "idleSessions"
                        | "localOps" | "truncateOps" | "targetAllNodes"),
                        value,
                    ) => {
                        return Err(Error::new(
                            Code::FAILED_TO_PARSE,
                            format!(
                                "The '{option}' parameter of the $currentOp stage must be a boolean value, but found: {}",
                                type_name(value)
                            ),
                        ));
                    }
                    (option, _) => {
                        return Err(Error::new(
                            Code::FAILED_TO_PARSE,
                            format!("Unrecognized option '{option}' in $currentOp stage."),
                        ));
                    }
                }
            }
            Source::CurrentOperations(document.to_owned())
        }
        "$listSessions" => Source::Sessions(sessions(name, argument)?),
        "$listLocalSessions" => Source::LocalSessions(sessions(name, argument)?),
        "$changeStream" => {
            let document = object(name, argument, Code::location(50808))?;
            Source::ChangeStream(document.to_owned())
        }
        "$search" | "$searchMeta" | "$vectorSearch" | "$listSearchIndexes" => {
            return Err(Error::location(
                31082,
                format!("{name} stage is only allowed on MongoDB Atlas"),
            ));
        }
        _ => {
            return Err(Error::new(
                Code::NOT_IMPLEMENTED,
                format!("{name} is not supported by this server"),
            ));
        }
    };
    Ok(vec![Arc::new(SourceStage(source))])
}

/// A first stage whose documents the caller gives.
#[derive(Debug)]
pub(super) struct SourceStage(pub(super) Source);

impl Stage for SourceStage {
    fn operator(&self, _: &Variables, _: &Options) -> Box<dyn Operator> {
        Box::new(Passing)
    }

    fn part(&self) -> Part<'_> {
        Part::Source(&self.0)
    }
}

fn collection_statistics(argument: RawBsonRef<'_>) -> Result<Source, Error> {
    const STAGE: &str = "$collStats";
    let document = object(STAGE, argument, Code::location(5_447_000))?;
    for field in fields(document) {
        match field? {
            ("latencyStats" | "storageStats" | "count" | "queryExecStats", value) => {
                let RawBsonRef::Document(_) = value else {
                    let name = "latencyStats";
                    return Err(wrong_type(STAGE, name, value, "object"));
                };
            }
            (name, _) => return Err(unknown_field(STAGE, name)),
        }
    }
    Ok(Source::CollectionStatistics(document.to_owned()))
}

fn sessions(name: &str, argument: RawBsonRef<'_>) -> Result<RawDocumentBuf, Error> {
    let document = object(name, argument, Code::TYPE_MISMATCH)?;
    let (mut all_users, mut users) = (false, false);
    for field in fields(document) {
        match field? {
            ("allUsers", RawBsonRef::Boolean(value)) => all_users = value,
            ("allUsers", value) => return Err(wrong_type(name, "allUsers", value, "bool")),
            ("users", RawBsonRef::Array(_)) => users = true,
            ("users", value) => return Err(wrong_type(name, "users", value, "array")),
            ("$_internalPredicate", _) => {}
            (option, _) => return Err(unknown_field(name, option)),
        }
    }
    if all_users && users {
        return Err(Error::new(
            Code::UNAUTHORIZED,
            format!(
                "{name} may not specify {{allUsers:true}} and {{users:[...]}} at the same time"
            ),
        ));
    }
    Ok(document.to_owned())
}

fn object<'a>(name: &str, argument: RawBsonRef<'a>, code: Code) -> Result<&'a RawDocument, Error> {
    match argument {
        RawBsonRef::Document(document) => Ok(document),
        other => Err(Error::new(
            code,
            format!("{name} must take a nested object but found: {}", type_name(other)),
        )),
    }
}

fn empty(name: &str, argument: RawBsonRef<'_>, number: i32) -> Result<(), Error> {
    match argument {
        RawBsonRef::Document(document) if document.is_empty() => Ok(()),
        _ => Err(Error::location(
            number,
            format!("The {name} stage specification must be an empty object"),
        )),
    }
}

/// The caller gives the documents.
struct Passing;

impl Operator for Passing {
    fn push(&mut self, document: RawDocumentBuf, out: &mut Documents) -> Result<Flow, Error> {
        out.push_back(document);
        Ok(Flow::More)
    }
}
