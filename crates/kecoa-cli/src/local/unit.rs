//! `kecoa local systemd`: a unit that starts the endpoint.

use kecoa_local::Options;
use serde_json::json;

use crate::failure::Failure;
use crate::output::Output;

pub(super) fn run(options: &Options, output: &Output) -> Result<i32, Failure> {
    let unit = kecoa_local::systemd_unit(options)?;
    let path = unit.directory.join(&unit.name);
    let user = if unit.directory.starts_with("/etc") { "" } else { " --user" };
    output.note(&format!(
        "save it as {}, then: systemctl{user} daemon-reload && systemctl{user} enable --now {}",
        path.display(),
        unit.name
    ));
    let value = json!({ "path": path, "name": unit.name, "text": unit.text });
    output.result(&value, || unit.text.trim_end().to_owned())?;
    Ok(0)
}
