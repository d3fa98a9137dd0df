//! The versioned API: `apiVersion`, `apiStrict`, `apiDeprecationErrors`.

use ::bson::{RawArray, RawBsonRef, RawDocument};

use crate::error::{Code, Error};

use super::arguments::Values;

/// The part of a command in the versioned API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// In none.
    Outside,
    /// In version 1.
    Version1,
    /// In version 1, but deprecated.
    Deprecated,
    /// In version 2 only, which there is for tests.
    Version2,
    /// In versions 1 and 2, deprecated in 2.
    DeprecatedInVersion2,
}

/// What a client says of the API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestedApi {
    /// `apiVersion`.
    pub version: Option<u8>,
    /// `apiStrict`.
    pub strict: bool,
    /// `apiDeprecationErrors`.
    pub deprecation_errors: bool,
}

impl RequestedApi {
    /// Reads what the client says.
    ///
    /// # Errors
    /// 322 for a version that there is not (2 is there for tests), 4886600 for the other two without a version,
    /// 498870 when a version is required and missing.
    pub fn read(generic: &Values<'_>, test_commands: bool, required: bool) -> Result<Self, Error> {
        let (strict, errors) = (generic.has("apiStrict"), generic.has("apiDeprecationErrors"));
        let version = match generic.string("apiVersion") {
            Some("1") => Some(1),
            Some("2") if test_commands => Some(2),
            Some(_) => {
                return Err(Error::new(Code::API_VERSION_ERROR, "API version must be \"1\""));
            }
            None if strict || errors => {
                return Err(Error::location(
                    4_886_600,
                    "Provided apiStrict and/or apiDeprecationErrors without passing apiVersion",
                ));
            }
            None if required => {
                return Err(Error::location(
                    498_870,
                    "The apiVersion parameter is required, please configure your MongoClient's API version",
                ));
            }
            None => None,
        };
        Ok(Self {
            version,
            strict: generic.boolean("apiStrict"),
            deprecation_errors: generic.boolean("apiDeprecationErrors"),
        })
    }

    /// Whether the client may run a command.
    ///
    /// # Errors
    /// 323 for one outside of the version with apiStrict, 324 for a deprecated one with apiDeprecationErrors.
    pub fn check(&self, name: &str, api: Api) -> Result<(), Error> {
        let Some(version) = self.version else {
            return Ok(());
        };
        let is_inside = match api {
            Api::Outside => false,
            Api::Version1 | Api::Deprecated => version == 1,
            Api::Version2 => version == 2,
            Api::DeprecatedInVersion2 => true,
        };
        if self.strict && !is_inside {
            return Err(Error::new(
                Code::API_STRICT_ERROR,
                format!(
                    "Provided apiStrict:true, but the command {name} is not in API Version {version}. Information on supported commands and migrations in API Version {version} can be found at https://dochub.mongodb.org/core/manual-versioned-api"
                ),
            ));
        }
        let is_deprecated = match api {
            Api::Deprecated => true,
            Api::DeprecatedInVersion2 => version == 2,
            _ => false,
        };
        if self.deprecation_errors && is_deprecated {
            return Err(Error::new(
                Code::API_DEPRECATION_ERROR,
                format!(
                    "Provided apiDeprecationErrors:true, but the command {name} is deprecated in API Version {version}"
                ),
            ));
        }
        Ok(())
    }

    /// Whether the client may run the pipeline of a command.
    ///
    /// # Errors
    /// 323 for a stage outside of version 1 with apiStrict.
    pub fn check_pipeline(&self, body: &RawDocument) -> Result<(), Error> {
        if !self.strict || self.version != Some(1) {
            return Ok(());
        }
        body.get_array("pipeline").map_or(Ok(()), |stages| check_stages(stages, 1))
    }
}

/// Stages outside of version 1.
const OUTSIDE: &[&str] = &[
    "$currentOp",
    "$indexStats",
    "$listLocalSessions",
    "$listSampledQueries",
    "$listSearchIndexes",
    "$listSessions",
    "$planCacheStats",
    "$querySettings",
    "$queryStats",
    "$search",
    "$searchMeta",
    "$shardedDataDistribution",
    "$vectorSearch",
];

/// Levels of pipelines within pipelines that are looked through; deeper ones are refused when they are parsed.
const MAX_PIPELINES: usize = 32;

fn check_stages(stages: &RawArray, depth: usize) -> Result<(), Error> {
    let stages = stages.into_iter().map_while(Result::ok).filter_map(RawBsonRef::as_document);
    for (name, value) in stages.flatten().map_while(Result::ok) {
        let name = name.as_str();
        let options = value.as_document();
        // Of the numbers of a collection, version 1 has the count.
        let is_outside = OUTSIDE.contains(&name)
            || name == "$collStats"
                && options
                    .into_iter()
                    .flatten()
                    .flatten()
                    .any(|(name, _)| name.as_str() != "count");
        if is_outside {
            let message =
                format!("stage {name} is not allowed with 'apiStrict: true' in API Version 1");
            return Err(Error::new(Code::API_STRICT_ERROR, message));
        }
        if depth == MAX_PIPELINES {
            continue;
        }
        match name {
            "$facet" => {
                for (_, inner) in options.into_iter().flatten().flatten() {
                    inner.as_array().map_or(Ok(()), |inner| check_stages(inner, depth + 1))?;
                }
            }
            "$lookup" | "$unionWith" => {
                let inner = options.and_then(|options| options.get_array("pipeline").ok());
                inner.map_or(Ok(()), |inner| check_stages(inner, depth + 1))?;
            }
            _ => {}
        }
    }
    Ok(())
}
