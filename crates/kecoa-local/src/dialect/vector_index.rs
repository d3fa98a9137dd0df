//! Vector indexes, as a `CREATE INDEX` that PostgreSQL takes.
//!
//! CockroachDB finds the nearest vectors in such an index, and may miss some. Here every vector is compared,
//! so that answers are exact; what stands for the index holds the columns in front of the vector, which a
//! query looks up by their values, and what the catalogue shows (`index_types.sql`).

use kecoa_sql::Statement;

use super::edit::Edits;
use super::index_clauses::nulls_first;
use super::plan::Refusal;
use super::quote::quote;

/// What a client is told of an index of this kind.
const NOTICE: &str = "the local endpoint compares every vector, so that answers are exact; a cluster has vector \
    indexes after SET CLUSTER SETTING feature.vector_index.enabled = true";

/// The operator class that CockroachDB 25.2 has; others came later, or are pgvector's.
const CLASS: &str = "vector_l2_ops";

/// Storage parameters, and the bounds of their values.
const PARAMETERS: [(&str, u64, u64); 3] =
    [("build_beam_size", 1, 512), ("min_partition_size", 1, 1024), ("max_partition_size", 4, 4096)];

/// Rewrites the columns between the brackets `open` and `closing`, and the parameters behind them.
///
/// # Errors
/// What CockroachDB's vector indexes do not have.
pub(super) fn rewrite(
    statement: &Statement<'_>,
    unique: bool,
    (open, closing): (usize, usize),
    edits: &mut Edits,
) -> Result<(), Refusal> {
    if unique {
        return Err(Refusal::new("26000", "vector indexes can't be unique"));
    }
    let to = statement.len();
    let stores = |at| statement.is_any(at, &["STORING", "COVERING", "INCLUDE"]);
    if statement.find(closing + 1, to, stores).is_some() {
        return Err(Refusal::new("26000", "vector indexes don't support stored columns"));
    }
    let parameters = parameters(statement, closing + 1, to, edits)?;
    let columns = statement.elements(open + 1, closing);
    let Some(((start, end), before)) = columns.split_last() else { return Ok(()) };
    nulls_first(statement, before, edits);
    let mut last = *end;
    if statement.is(last - 1, "DESC") {
        let message = "the last column in a vector index cannot have the DESC option";
        return Err(Refusal::new("0A000", message));
    }
    last -= usize::from(statement.is(last - 1, "ASC"));
    if last > start + 1
        && let Some(class) = statement.name(last - 1)
    {
        if class != CLASS {
            return Err(no_class(&class));
        }
        last -= 1;
    }
    edits.insert(statement.start(*start), "crdb_internal.of_vector(");
    let behind = format!(", {})", quote(&parameters));
    edits.replace(statement.end(last - 1), statement.end(end - 1), behind);
    edits.add_notice(NOTICE);
    Ok(())
}

fn no_class(class: &str) -> Refusal {
    if matches!(class, "vector_cosine_ops" | "vector_ip_ops") {
        let message = format!("unimplemented: operator class \"{class}\" is not supported");
        let hint = "CockroachDB 25.2 finds the nearest by <-> only (vector_l2_ops)".to_owned();
        return Refusal { hint, ..Refusal::new("0A000", message) };
    }
    Refusal::new("42704", format!("operator class \"{class}\" does not exist"))
}

/// Takes out `WITH (name = value, …)`; gives it as `SHOW CREATE` writes it.
fn parameters(
    statement: &Statement<'_>,
    from: usize,
    to: usize,
    edits: &mut Edits,
) -> Result<String, Refusal> {
    let with = |at| statement.is(at, "WITH") && statement.is_mark(at + 1, "(");
    let Some(at) = statement.find(from, to, with) else { return Ok(String::new()) };
    let Some(closing) = statement.partner(at + 1) else { return Ok(String::new()) };
    edits.replace(statement.start(at), statement.end(closing), "");
    let mut values = [0, 16, 128];
    let mut written = Vec::new();
    for (start, end) in statement.elements(at + 2, closing) {
        let name = statement.name(start).unwrap_or_default();
        let number = std::str::from_utf8(statement.text(end - 1)).ok();
        let known = PARAMETERS.iter().zip(&mut values).find(|((known, ..), _)| *known == name);
        let Some(((_, least, most), value)) = known else {
            return Err(Refusal::new("22023", format!("invalid storage parameter \"{name}\"")));
        };
        let given = number.and_then(|number| number.parse::<u64>().ok());
        let Some(given) = given.filter(|given| (*least..=*most).contains(given)) else {
            let message = format!("\"{name}\" value must be between {least} and {most} inclusive");
            return Err(Refusal::new("22023", message));
        };
        *value = given;
        written.push(format!("{name}={given}"));
    }
    let [_, least, most] = values;
    if most < 4 * least {
        let message = format!(
            "max_partition_size ({most}) must be at least four times the value of min_partition_size ({least})"
        );
        return Err(Refusal::new("22023", message));
    }
    Ok(written.join(", "))
}

/// Whether a `CREATE INDEX` makes a vector index, by its words.
pub(super) fn is_one(statement: &Statement<'_>) -> bool {
    let named = 1 + usize::from(statement.is(1, "UNIQUE"));
    let method = || {
        let open = statement.find(2, statement.len(), |at| statement.is_mark(at, "("));
        open.is_some_and(|open| statement.is(open - 2, "USING") && statement.is(open - 1, "cspann"))
    };
    statement.is(0, "CREATE")
        && (statement.are(named, &["VECTOR", "INDEX"]) || statement.is(named, "INDEX") && method())
}
