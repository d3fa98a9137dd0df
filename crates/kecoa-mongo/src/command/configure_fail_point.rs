//! `configureFailPoint`: turns fault injection on and off.

use ::bson::rawdoc;

use super::arguments::{Argument, Kind, read};
use super::context::{Context, Definition, Running};

/// `configureFailPoint`. Who starts a gateway with test commands lets everybody break it.
pub const CONFIGURE_FAIL_POINT: Definition = Definition::new("configureFailPoint", run)
    .value(Kind::String)
    .arguments(&[Argument::any("mode").required(), Argument::document("data")])
    .open()
    .admin()
    .test()
    .anonymous()
    .help("turns fault injection on and off");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        let name = context.value.as_str().unwrap_or_default();
        let mode = context
            .arguments
            .value("mode")
            .ok_or_else(|| read::missing("configureFailPoint", "mode"))?;
        let count = context.gateway.fail_points.configure(
            name,
            mode,
            context.arguments.document("data"),
        )?;
        Ok(rawdoc! { "count": count })
    })
}
