//! What to write instead, where a statement was refused for how its values were put into it: mistakes of those who
//! come from another driver, or from f-strings. The server sees the result only, and says `syntax error`.

const FORMAT: &str = "a value's place is written %s, and the values stand beside the statement: execute(\"... = %s\", (value,))";
const MISSING: &str =
    "the statement has a place for a value, and was given none: execute(\"... = %s\", (value,))";
const QUOTED: &str = "write %s without quotes around it: the value brings its own";
const ENDED: &str =
    "a text ends at its next quote; let %s quote it: execute(\"... = %s\", (value,))";
const LIST: &str = "a list is an array: write = ANY(%s), or give IN %s a tuple";
const NAME: &str =
    "%s is for values; a name of a table or a column is merged with kecoa.sql.Identifier";

/// Keywords that a table's name follows.
const BEFORE_NAMES: [&str; 6] = ["FROM", "INTO", "UPDATE", "TABLE", "JOIN", "EXISTS"];

/// The hint for a statement as it was sent, with the SQLSTATE that it got and the character, from 1, where it went
/// wrong. Without a position, the caret below `detail` says it: CockroachDB has no other.
pub(crate) fn of_placeholders(
    sqlstate: &str,
    statement: &str,
    position: Option<usize>,
    detail: Option<&str>,
) -> Option<&'static str> {
    if !matches!(sqlstate, "42601" | "42P02") {
        return None;
    }
    let at = match position {
        Some(position) => {
            let characters = statement.char_indices().map(|(at, _)| at);
            characters.chain([statement.len()]).nth(position.checked_sub(1)?)?
        }
        None => caret(statement, detail?)?,
    };
    let (before, after) = statement.split_at_checked(at)?;
    if sqlstate == "42P02" {
        return after.starts_with('$').then_some(FORMAT);
    }
    let left = before.trim_end();
    let next = after.chars().next();
    let last = before.chars().next_back();
    if after.starts_with("%s") || after.starts_with("%(") {
        return Some(MISSING);
    }
    let colon = after.strip_prefix(':').and_then(|name| name.chars().next());
    let named = colon.is_some_and(|first| first == '_' || first.is_alphanumeric());
    if left.ends_with('?') || named || matches!(next, Some('?' | '{')) {
        return Some(FORMAT);
    }
    // ''Ani'' at Ani, or behind it.
    let word = |character: Option<char>| character.is_some_and(char::is_alphanumeric);
    if before.ends_with("''") && word(next) && after.contains("''")
        || after.starts_with("''") && word(last)
    {
        return Some(QUOTED);
    }
    if last == Some('\'') && word(next) {
        return Some(ENDED);
    }
    let keyword = left.rsplit(|character: char| !character.is_ascii_alphabetic()).next()?;
    let array = after.get(..6).is_some_and(|begin| begin.eq_ignore_ascii_case("ARRAY["));
    if keyword.eq_ignore_ascii_case("IN") && (array || after.starts_with("'{}'")) {
        return Some(LIST);
    }
    let literal = after.starts_with('\'') || after.starts_with("E'");
    let of_name = BEFORE_NAMES.iter().any(|known| known.eq_ignore_ascii_case(keyword));
    (literal && of_name).then_some(NAME)
}

/// Where the caret points to that stands below the statement's line in a detail of CockroachDB.
fn caret(statement: &str, detail: &str) -> Option<usize> {
    let (above, last) = detail.trim_end_matches('\n').rsplit_once('\n')?;
    let column = last.strip_suffix('^').filter(|blank| blank.trim().is_empty())?.chars().count();
    let line = above.rsplit('\n').next()?;
    // The text above the caret is the statement up to that line.
    let text = above.split_once("source SQL:\n")?.1;
    let begin = text.len().checked_sub(line.len())?;
    let inside = line.char_indices().map(|(at, _)| at).chain([line.len()]).nth(column)?;
    statement.starts_with(text.get(..begin + inside)?).then_some(begin + inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hint where the statement goes wrong at the first `mark`, told by its position and by a caret.
    fn hint(statement: &str, mark: &str) -> Option<&'static str> {
        let at = statement.find(mark).unwrap_or(statement.len());
        let position = statement.get(..at).unwrap().chars().count() + 1;
        let by_position = of_placeholders("42601", statement, Some(position), None);
        let begin = statement.get(..at).unwrap().rfind('\n').map_or(0, |newline| newline + 1);
        let line = statement.get(begin..).unwrap().lines().next().unwrap_or_default();
        let blank = " ".repeat(statement.get(begin..at).unwrap().chars().count());
        let shown = statement.get(..begin + line.len()).unwrap();
        let detail = format!("source SQL:\n{shown}\n{blank}^");
        assert_eq!(of_placeholders("42601", statement, None, Some(&detail)), by_position);
        by_position
    }

    #[test]
    fn placeholders_of_other_drivers() {
        let select = "SELECT * FROM accounts WHERE id = ";
        assert_eq!(hint(&format!("{select}?"), "nothing"), Some(FORMAT));
        assert_eq!(hint("INSERT INTO accounts VALUES (?, ?)", ", "), Some(FORMAT));
        assert_eq!(hint(&format!("{select}{{}}"), "{}"), Some(FORMAT));
        assert_eq!(hint(&format!("{select}\n :id"), ":id"), Some(FORMAT));
        assert_eq!(hint("SELECT 'é',\n 'é', :1\nFROM x", ":1"), Some(FORMAT));
        assert_eq!(of_placeholders("42P02", "SELECT $1", Some(8), None), Some(FORMAT));
        assert_eq!(of_placeholders("42P01", "SELECT ?", Some(9), None), None);
    }

    #[test]
    fn values_that_are_not_there_or_in_quotes() {
        assert_eq!(hint("SELECT 1 WHERE 1 = %s", "%s"), Some(MISSING));
        assert_eq!(hint("SELECT 1 WHERE 1 = %(id)s", "%("), Some(MISSING));
        assert_eq!(hint("SELECT 1 WHERE 'a' = ''Ani''", "Ani"), Some(QUOTED));
        assert_eq!(hint("SELECT ''Ani''", "'';"), None);
        assert_eq!(of_placeholders("42601", "SELECT ''Ani''", Some(13), None), Some(QUOTED));
        assert_eq!(hint("SELECT 'O'Brien'", "Brien"), Some(ENDED));
    }

    #[test]
    fn lists_and_names() {
        assert_eq!(hint("SELECT 1 WHERE 1 in ARRAY[1,2]", "ARRAY"), Some(LIST));
        assert_eq!(hint("SELECT 1 WHERE 1 IN '{}'", "'{}'"), Some(LIST));
        assert_eq!(hint("SELECT * FROM 'accounts'", "'acc"), Some(NAME));
        assert_eq!(hint("CREATE TABLE IF NOT EXISTS E'a'", "E'a'"), Some(NAME));
    }

    #[test]
    fn other_mistakes_have_none() {
        assert_eq!(hint("SELEC 1", "SELEC"), None);
        assert_eq!(hint("SELECT a, FROM accounts", "FROM"), None);
        assert_eq!(hint("SELECT 1 + ", "nothing"), None);
        assert_eq!(hint("CREATE TABLE order (id INT)", "order"), None);
        assert_eq!(hint("", "nothing"), None);
        assert_eq!(of_placeholders("42601", "SELECT ?", Some(99), None), None);
        assert_eq!(of_placeholders("42601", "SELECT ?", Some(0), None), None);
        assert_eq!(of_placeholders("42601", "SELECT ?", None, Some("^")), None);
        assert_eq!(of_placeholders("42601", "SELECT ?", None, None), None);
    }
}
