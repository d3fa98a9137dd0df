//! `ALTER TABLE … EXPERIMENTAL_AUDIT SET …`: a log of who reads and writes a table, which only a cluster keeps.

use kecoa_sql::Statement;

use super::plan::{Analysis, Class, Piece, Refusal};
use super::quote::quote;
use super::syntax;

/// Looks for the table and says that nothing is logged; `None` for other statements.
pub(super) fn alter(statement: &Statement<'_>) -> Option<Result<Analysis, Refusal>> {
    if !statement.are(0, &["ALTER", "TABLE"]) {
        return None;
    }
    let lenient = statement.are(2, &["IF", "EXISTS"]);
    let name = if lenient { 4 } else { 2 };
    let word = statement.qualified_name(name)?;
    if !statement.is_any(word, &["EXPERIMENTAL_AUDIT", "AUDIT"]) || !statement.is(word + 1, "SET") {
        return None;
    }
    let end = match (statement.is(word + 2, "OFF"), statement.are(word + 2, &["READ", "WRITE"])) {
        (true, _) => word + 3,
        (_, true) => word + 4,
        _ => word + 2,
    };
    if end == word + 2 || end != statement.len() {
        let at = end.min(statement.len() - 1);
        let near = syntax::near(statement, statement.start(at));
        return Some(Err(Refusal::new("42601", format!("{near}: syntax error"))));
    }
    let body = format!("{}::pg_catalog.regclass", quote(&statement.slice(name, word)));
    let body = match lenient {
        true => "BEGIN END".to_owned(),
        false => format!("BEGIN PERFORM {body}; END"),
    };
    let mut piece = Piece::tagged(format!("DO {}", quote(&body)), "ALTER TABLE");
    piece.notice = Some("the local endpoint keeps no audit log".to_owned());
    Some(Ok(Analysis::piece(Class::Definition, piece)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(sql: &str) -> Option<bool> {
        let statement = Statement::whole(sql.as_bytes(), false).unwrap();
        alter(&statement).map(|found| found.is_ok())
    }

    #[test]
    fn both_modes_are_taken_and_nothing_else() {
        assert_eq!(taken("ALTER TABLE s.t EXPERIMENTAL_AUDIT SET READ WRITE"), Some(true));
        assert_eq!(taken("ALTER TABLE IF EXISTS t EXPERIMENTAL_AUDIT SET OFF"), Some(true));
        assert_eq!(taken("ALTER TABLE t EXPERIMENTAL_AUDIT SET READ"), Some(false));
        assert_eq!(taken("ALTER TABLE t EXPERIMENTAL_AUDIT SET OFF, ADD a INT"), Some(false));
        assert_eq!(taken("ALTER TABLE t ADD COLUMN audit INT"), None);
    }
}
