//! The context of an error: which functions it came from.

/// Functions that the endpoint makes in PL/pgSQL, and PostgreSQL calls by their names alone.
const OWN: [&str; 20] = [
    "digest",
    "extract_duration",
    "from_ip",
    "gateway_region",
    "gen_random_bytes",
    "hmac",
    "json_valid",
    "levenshtein",
    "parse_date",
    "parse_interval",
    "parse_time",
    "parse_timestamp",
    "parse_timetz",
    "power",
    "round",
    "soundex",
    "strptime",
    "to_char_with_style",
    "ulid_to_uuid",
    "uuid_generate_v1mc",
];

/// The lines that are not about the endpoint's own functions; `None` when no line is.
pub(super) fn of_users(context: &str) -> Option<String> {
    let mut kept: Vec<&str> = Vec::new();
    let mut own = false;
    for line in context.lines() {
        // A function in SQL is called by its name alone, without its schema.
        own = line.contains("crdb_internal.")
            || is_own(line)
            || line.starts_with("SQL function \"") && (own || kept.is_empty());
        if !own {
            kept.push(line);
        }
    }
    (kept.len() < context.lines().count()).then(|| kept.join("\n"))
}

fn is_own(line: &str) -> bool {
    let name = line.strip_prefix("PL/pgSQL function ").and_then(|rest| rest.split('(').next());
    name.is_some_and(|name| OWN.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::BOOTSTRAP_SQL;

    #[test]
    fn the_endpoints_functions_are_no_context() {
        let own = "PL/pgSQL function crdb_internal.divide(numeric,numeric) line 5 during \
                   statement block local variable initialization\nSQL function \"divide\" statement 1";
        let power = "PL/pgSQL function power(bigint,bigint) line 8 at RAISE\nSQL function \"power\" statement 1";
        let users = "PL/pgSQL function f() line 1 at RETURN";
        for (context, left) in [
            (own.to_owned(), Some("")),
            (power.to_owned(), Some("")),
            (format!("{own}\n{users}"), Some(users)),
            (users.to_owned(), None),
            ("PL/pgSQL function public.power(bigint) line 1 at RAISE".to_owned(), None),
        ] {
            assert_eq!(of_users(&context).as_deref(), left, "{context}");
        }
    }

    #[test]
    fn the_list_is_complete() {
        let made = BOOTSTRAP_SQL.split("FUNCTION pg_catalog.").skip(1).filter_map(|text| {
            let (name, rest) = text.split_once('(')?;
            let language = rest.split_once("LANGUAGE ")?.1;
            language.starts_with("plpgsql").then(|| name.trim_matches('"'))
        });
        let mut names: Vec<&str> = made.filter(|name| name.len() < 40).collect();
        names.sort_unstable();
        names.dedup();
        // One raises nothing, one stands for several.
        names.retain(|name| !matches!(*name, "pg_advisory_unlock_all" | "parse_%1$s"));
        let several = ["date", "interval", "time", "timestamp", "timetz"];
        let several = several.map(|kind| format!("parse_{kind}"));
        names.extend(several.iter().map(String::as_str));
        names.sort_unstable();
        assert_eq!(names, OWN);
    }
}
