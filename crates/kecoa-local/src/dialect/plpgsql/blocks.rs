//! What a body of PL/pgSQL is made of: where statements begin, which names are declared, which blocks are around.

use kecoa_sql::Statement;

/// What a statement may stand behind.
const BEFORE: [&str; 4] = ["BEGIN", "ELSE", "LOOP", "THEN"];

/// A body, read once.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    /// For each token, whether a statement begins with it.
    starts: Vec<bool>,
    /// For each token, whether it lies between DECLARE and BEGIN.
    declares: Vec<bool>,
    /// Parameters, variables and the counters of loops.
    pub(super) names: Vec<String>,
    /// The first name that hides one from outside of its block.
    pub(super) hiding: Option<String>,
    /// What blocks and loops are called, and the routine.
    pub(super) labels: Vec<String>,
    /// A COMMIT or ROLLBACK within a block that handles exceptions.
    pub(super) ends_in_handled: Option<usize>,
    /// The first COMMIT or ROLLBACK.
    pub(super) ends: Option<usize>,
}

/// A block or a loop that is open.
struct Scope {
    is_loop: bool,
    names: Vec<String>,
    /// The first COMMIT or ROLLBACK in it.
    ends: Option<usize>,
}

impl Scope {
    fn of(is_loop: bool, names: Vec<String>) -> Self {
        Self { is_loop, names, ends: None }
    }
}

impl Blocks {
    /// Reads the body of a routine whose parameters have these names; it has the routine's name for a label.
    pub(super) fn of(
        body: &Statement<'_>,
        routine: Option<String>,
        parameters: Vec<String>,
    ) -> Self {
        let mut blocks = Self {
            labels: routine.into_iter().collect(),
            names: parameters.clone(),
            ..Self::default()
        };
        let mut scopes = vec![Scope::of(false, parameters)];
        // What the block or the loop that comes next has declared.
        let mut next: Vec<String> = Vec::new();
        let mut declares = false;
        // How many CASE expressions are open: THEN and ELSE in them begin no statement.
        let mut cases = 0_usize;
        for at in 0..body.len() {
            let before = at.checked_sub(1);
            let follows = |mark| before.is_some_and(|before| body.is_mark(before, mark));
            let begins = cases == 0
                && (before.is_none_or(|before| body.is_any(before, &BEFORE))
                    || follows(";")
                    || follows(">>"));
            if begins && body.is(at, "DECLARE") {
                declares = true;
            } else if declares && body.is(at, "BEGIN") {
                declares = false;
            } else if declares {
                let first = follows(";") || before.is_some_and(|b| body.is(b, "DECLARE"));
                if let Some(name) = body.name(at).filter(|_| first) {
                    blocks.declare(&scopes, &mut next, name);
                }
            }
            let starts = begins && !declares;
            // A field may be called like a word of the language.
            let is = |word: &str| body.is(at, word) && !follows(".");
            blocks.starts.push(starts);
            blocks.declares.push(declares);
            if follows("<<")
                && body.is_mark(at + 1, ">>")
                && let Some(label) = body.name(at)
            {
                blocks.labels.push(label);
            }
            let closes = before.is_some_and(|before| body.is(before, "END"));
            if is("BEGIN") && !declares && cases == 0 {
                scopes.push(Scope::of(false, std::mem::take(&mut next)));
            } else if is("LOOP") && !closes && cases == 0 {
                scopes.push(Scope::of(true, std::mem::take(&mut next)));
            } else if starts && body.is(at, "FOR") {
                if let Some(name) = body.name(at + 1) {
                    blocks.declare(&scopes, &mut next, name);
                }
            } else if starts && body.is_any(at, &["COMMIT", "ROLLBACK"]) {
                blocks.ends = blocks.ends.or(Some(at));
                for scope in &mut scopes {
                    scope.ends = scope.ends.or(Some(at));
                }
            } else if starts && body.is(at, "EXCEPTION") {
                let ended = scopes.last().and_then(|scope| scope.ends);
                blocks.ends_in_handled = blocks.ends_in_handled.or(ended);
            } else if starts && body.is(at, "END") && scopes.len() > 1 {
                let is_loop = body.is(at + 1, "LOOP");
                if !body.is_any(at + 1, &["IF", "CASE"])
                    && scopes.last().is_some_and(|scope| scope.is_loop == is_loop)
                {
                    scopes.pop();
                }
            }
            if is("CASE") && !closes {
                cases += 1;
            } else if is("END") {
                cases = cases.saturating_sub(1);
            }
        }
        blocks
    }

    fn declare(&mut self, scopes: &[Scope], next: &mut Vec<String>, name: String) {
        if scopes.iter().any(|scope| scope.names.contains(&name)) && self.hiding.is_none() {
            self.hiding = Some(name.clone());
        }
        next.push(name.clone());
        self.names.push(name);
    }

    /// Whether a statement begins with the token at `at`.
    pub(super) fn starts(&self, at: usize) -> bool {
        self.starts.get(at).copied().unwrap_or(false)
    }

    /// Whether the token at `at` is part of declarations.
    pub(super) fn declares(&self, at: usize) -> bool {
        self.declares.get(at).copied().unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Blocks {
        let body = Statement::whole(body.as_bytes(), false).unwrap();
        Blocks::of(&body, Some("f".to_owned()), vec!["p".to_owned()])
    }

    #[test]
    fn names_that_hide_others() {
        for (body, hiding) in [
            ("DECLARE a INT; BEGIN DECLARE b INT; BEGIN NULL; END; END", None),
            ("DECLARE a INT; BEGIN DECLARE a INT; BEGIN NULL; END; END", Some("a")),
            ("DECLARE p INT; BEGIN END", Some("p")),
            ("BEGIN DECLARE a INT; BEGIN NULL; END; DECLARE a INT; BEGIN NULL; END; END", None),
            (
                "BEGIN FOR i IN 1..3 LOOP NULL; END LOOP; FOR i IN 1..3 LOOP NULL; END LOOP; END",
                None,
            ),
            (
                "BEGIN FOR i IN 1..3 LOOP FOR i IN 1..3 LOOP NULL; END LOOP; END LOOP; END",
                Some("i"),
            ),
            ("DECLARE i INT; BEGIN FOR i IN 1..3 LOOP NULL; END LOOP; END", Some("i")),
            (
                "BEGIN IF true THEN NULL; END IF; x := CASE WHEN a THEN 1 ELSE 2 END; DECLARE p INT; BEGIN END; END",
                Some("p"),
            ),
        ] {
            assert_eq!(read(body).hiding.as_deref(), hiding, "{body}");
        }
    }

    #[test]
    fn ends_of_transactions() {
        for (body, ends, handled) in [
            ("BEGIN COMMIT; END", true, false),
            ("BEGIN IF p THEN ROLLBACK; END IF; EXCEPTION WHEN others THEN NULL; END", true, true),
            ("BEGIN BEGIN NULL; EXCEPTION WHEN others THEN NULL; END; COMMIT; END", true, false),
            ("BEGIN SELECT commit FROM t; END", false, false),
        ] {
            let found = read(body);
            assert_eq!(found.ends.is_some(), ends, "{body}");
            assert_eq!(found.ends_in_handled.is_some(), handled, "{body}");
        }
    }
}
