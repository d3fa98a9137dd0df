//! Commands that exist to test the versioned API: `testVersion2`, `testDeprecation`, `testDeprecationInVersion2`.

use ::bson::rawdoc;

use super::api::Api;
use super::context::{Context, Definition, Running};

/// `testVersion2`.
pub const TEST_VERSION_2: Definition = Definition::new("testVersion2", run)
    .open()
    .test()
    .api(Api::Version2)
    .help("in version 2 of the API only");

/// `testDeprecation`.
pub const TEST_DEPRECATION: Definition = Definition::new("testDeprecation", run)
    .open()
    .test()
    .api(Api::Deprecated)
    .help("deprecated in version 1");

/// `testDeprecationInVersion2`.
pub const TEST_DEPRECATION_IN_VERSION_2: Definition =
    Definition::new("testDeprecationInVersion2", run)
        .open()
        .test()
        .api(Api::DeprecatedInVersion2)
        .help("deprecated in version 2");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        Ok(rawdoc! { "note": format!("this is {}, which does nothing", context.definition.name) })
    })
}
