//! What is known of endpoints, as text.

use kecoa_local::{Engine, Instance, Running, Status, redacted};

/// Name and version of the database behind an endpoint.
pub(crate) fn database(running: &Running) -> String {
    match (running.engine, &running.version) {
        (Engine::Cockroach, Some(version)) => version.clone(),
        (Engine::Cockroach, None) => "CockroachDB".to_owned(),
        (_, Some(version)) => format!("{version} with CockroachDB's dialect"),
        (_, None) => "PostgreSQL with CockroachDB's dialect".to_owned(),
    }
}

/// One, with all that is known.
pub(super) fn instance(instance: &Instance) -> String {
    let mut text = match &instance.status {
        Status::Stopped => "stopped".to_owned(),
        Status::Broken { reason } => format!("broken: {reason}"),
        Status::Running(running) => format!(
            "running: {}\n  {}, process {}",
            redacted(&running.url),
            database(running),
            running.pid
        ),
    };
    if let Some(folder) = &instance.folder {
        text.push_str(&format!("\n  instance `{}` of {}", instance.name, folder.display()));
    }
    let Status::Running(running) = &instance.status else { return text };
    if running.password {
        text.push_str("\n  `kecoa local url` prints the URL with the password");
    }
    if let Some(socket) = &running.socket {
        text.push_str(&format!(
            "\n  without a password for this user: host={} port={}",
            socket.display(),
            running.port
        ));
    }
    if let Some(data) = &running.data_dir {
        let size = bytes(instance.data_bytes);
        text.push_str(&format!("\n  data in {} ({size})", data.display()));
    }
    text.push_str(&format!("\n  log in {}", running.log.display()));
    for note in &running.notes {
        text.push_str(&format!("\n  {note}"));
    }
    text
}

/// All, a line each; `*` is in front of the one that the current folder means.
pub(super) fn list(instances: &[Instance]) -> String {
    if instances.is_empty() {
        return "no endpoint was ever started here".to_owned();
    }
    let titles = ["", "NAME", "STATE", "PID", "DATA", "VERSION", "URL", "FOLDER"];
    let mut rows = vec![titles.map(str::to_owned)];
    rows.extend(instances.iter().map(row));
    let mut widths = [0; 8];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &[String; 8]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut lines: Vec<String> = rows.iter().map(line).collect();
    for instance in instances {
        if let Status::Broken { reason } = &instance.status {
            lines.push(format!("{}: {reason}", instance.name));
        }
    }
    lines.join("\n")
}

fn row(instance: &Instance) -> [String; 8] {
    let (state, pid, version, url) = match &instance.status {
        Status::Stopped => ("stopped", String::new(), String::new(), String::new()),
        Status::Broken { .. } => ("broken", String::new(), String::new(), String::new()),
        Status::Running(running) => (
            "running",
            running.pid.to_string(),
            running.version.clone().unwrap_or_default(),
            redacted(&running.url),
        ),
    };
    [
        if instance.current { "*" } else { "" }.to_owned(),
        instance.name.clone(),
        state.to_owned(),
        pid,
        bytes(instance.data_bytes),
        version,
        url,
        instance.folder.as_ref().map(|folder| folder.display().to_string()).unwrap_or_default(),
    ]
}

/// A size for people, in units of 1000.
pub(super) fn bytes(bytes: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let mut size = bytes;
    let mut rest = 0;
    let mut at = 0;
    while size >= 1000 && at + 1 < units.len() {
        rest = size % 1000;
        size /= 1000;
        at += 1;
    }
    let unit = units.get(at).copied().unwrap_or_default();
    if at > 0 && size < 10 {
        return format!("{size}.{} {unit}", rest / 100);
    }
    format!("{size} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_two_digits_or_more() {
        for (given, shown) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (9_960, "9.9 kB"),
            (41_500_000, "41 MB"),
            (1_260_000_000, "1.2 GB"),
            (u64::MAX, "18446744 TB"),
        ] {
            assert_eq!(bytes(given), shown);
        }
    }
}
