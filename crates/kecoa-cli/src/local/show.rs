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
        Status::Starting => "starting".to_owned(),
        Status::Stopping => "stopping".to_owned(),
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
            connection_value(&socket.to_string_lossy()),
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

/// A value as a connection string of `keyword=value` has it: in quotes where it has to be.
fn connection_value(value: &str) -> String {
    if !value.is_empty() && !value.contains(|c: char| c.is_whitespace() || matches!(c, '\'' | '\\'))
    {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\\', r"\\").replace('\'', r"\'"))
}

/// The names of those that can be meant.
pub(super) fn names(instances: &[Instance]) -> Vec<&str> {
    instances.iter().filter(|it| it.is_usable()).map(|it| it.name.as_str()).collect()
}

/// All, a line each; `*` is in front of the one that the current folder means. Where that is wider than so many
/// columns, URL and folder stand below.
pub(super) fn list(instances: &[Instance], columns: Option<usize>) -> String {
    if instances.is_empty() {
        return "no endpoint was ever started here".to_owned();
    }
    let titles = ["", "NAME", "STATE", "PID", "DATA", "VERSION", "URL", "FOLDER"];
    let mut rows = vec![titles.map(str::to_owned)];
    rows.extend(instances.iter().map(row));
    let mut lines = table(&rows, titles.len());
    let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or_default();
    if columns.is_some_and(|columns| width > columns) {
        let short = table(&rows, titles.len() - 2);
        let below = rows.iter().enumerate().map(|(index, [.., url, folder])| {
            let values = if index == 0 { [""; 2] } else { [url.as_str(), folder] };
            values.into_iter().filter(|value| !value.is_empty()).map(|value| format!("   {value}"))
        });
        let together = short.into_iter().zip(below);
        lines = together.flat_map(|(line, below)| std::iter::once(line).chain(below)).collect();
    }
    for instance in instances {
        if let Status::Broken { reason } = &instance.status {
            lines.push(format!("{}: {}", printable(&instance.name), printable(reason)));
        }
    }
    lines.join("\n")
}

/// The first cells of the rows, below each other.
fn table(rows: &[[String; 8]], shown: usize) -> Vec<String> {
    let mut widths = [0; 8];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &[String; 8]| {
        let cells = row.iter().zip(widths).take(shown);
        let cells = cells.map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

fn row(instance: &Instance) -> [String; 8] {
    let without = |state| (state, String::new(), String::new(), String::new());
    let (state, pid, version, url) = match &instance.status {
        Status::Stopped => without("stopped"),
        Status::Starting => without("starting"),
        Status::Stopping => without("stopping"),
        Status::Broken { .. } => without("broken"),
        Status::Running(running) => (
            "running",
            running.pid.to_string(),
            running.version.clone().unwrap_or_default(),
            redacted(&running.url),
        ),
    };
    [
        if instance.current { "*" } else { "" }.to_owned(),
        printable(&instance.name),
        state.to_owned(),
        pid,
        bytes(instance.data_bytes),
        version,
        url,
        instance.folder.as_ref().map(|folder| folder.display().to_string()).unwrap_or_default(),
    ]
}

/// Without what could control a terminal: the name of a folder that somebody else made.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
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
    fn values_of_a_connection_string_are_quoted_where_they_must_be() {
        assert_eq!(connection_value("/run/kecoa"), "/run/kecoa");
        assert_eq!(connection_value("/my app/run"), "'/my app/run'");
        assert_eq!(connection_value(r"/it's\run"), r"'/it\'s\\run'");
        assert_eq!(connection_value(""), "''");
    }

    #[test]
    fn what_does_not_fit_stands_below() {
        let row = |cells: [&str; 8]| cells.map(str::to_owned);
        let rows = [
            row(["", "NAME", "STATE", "PID", "DATA", "VERSION", "URL", "FOLDER"]),
            row(["*", "shop", "stopped", "", "1 MB", "", "", "/shop"]),
        ];
        let titles = "   NAME  STATE    PID  DATA  VERSION  URL  FOLDER";
        assert_eq!(table(&rows, 8), [titles, "*  shop  stopped       1 MB                /shop"]);
        assert_eq!(
            table(&rows, 6),
            ["   NAME  STATE    PID  DATA  VERSION", "*  shop  stopped       1 MB"]
        );
    }

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
