//! `\?` and `\h`.

use crate::command::HELP;
use crate::escape;
use crate::keywords::STATEMENTS;
use crate::style::Role;

/// What `\?` says.
pub(super) fn help(style: crate::style::Style) -> String {
    let mut text = String::new();
    let usage =
        |name: &str, arguments: &str| format!("  \\{name} {arguments}").trim_end().to_owned();
    for (name, arguments, about) in HELP {
        if name.is_empty() {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&format!("{}\n", style.paint(Role::Heading, about)));
            continue;
        }
        let usage = usage(name, arguments);
        if usage.len() < 26 {
            text.push_str(&format!("{usage:26}{about}\n"));
        } else {
            text.push_str(&format!("{usage}\n{:26}{about}\n", ""));
        }
    }
    text.push_str(
        "\nA statement ends with ; and may have several lines. Ctrl-C cancels what runs, or clears what is\n\
         typed; Tab completes; Ctrl-R searches the history.",
    );
    text
}

/// What `\h` says of a statement.
pub(super) fn statement_help(name: &str) -> String {
    let wanted = name.trim().to_ascii_uppercase();
    let found: Vec<&str> =
        STATEMENTS.iter().copied().filter(|statement| statement.starts_with(&wanted)).collect();
    match found.as_slice() {
        [] => format!(
            "there is no help for {}; \\h lists the statements",
            escape::line(wanted.as_bytes())
        ),
        [..] if wanted.is_empty() || found.len() > 1 && !found.contains(&wanted.as_str()) => {
            format!("{}\n\n\\h STATEMENT says where it is documented", found.join("\n"))
        }
        [first, ..] => {
            let postgresql = match *first {
                "UPSERT" => None,
                "WITH" => Some("queries-with".to_owned()),
                "COMMENT ON" => Some("sql-comment".to_owned()),
                "CREATE USER" => Some("sql-createuser".to_owned()),
                statement => {
                    Some(format!("sql-{}", statement.to_ascii_lowercase().replace(' ', "")))
                }
            };
            let mut text = format!("{first}\n");
            if let Some(page) = postgresql {
                text.push_str(&format!(
                    "  PostgreSQL:   https://www.postgresql.org/docs/current/{page}.html\n"
                ));
            }
            text.push_str(
                "  CockroachDB:  https://www.cockroachlabs.com/docs/stable/sql-statements",
            );
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_has_every_command() {
        let text = help(crate::style::Style { on: false });
        for (name, _, about) in HELP.iter().filter(|(name, _, _)| !name.is_empty()) {
            assert!(text.contains(&format!("  \\{name}")), "{name}");
            assert!(text.contains(about), "{about}");
        }
        assert!(text.lines().all(|line| line.len() <= 120));
    }

    #[test]
    fn statements_have_pages() {
        assert!(statement_help("create table").contains("sql-createtable.html"));
        assert!(statement_help("").contains("SELECT"));
        assert!(statement_help("nonsense").contains("no help"));
        assert!(!statement_help("upsert").contains("PostgreSQL"));
    }
}
