//! Integer literals are INT8, wherever a client can see their type: in what a query gives, beside a
//! parameter, in arithmetic of nothing but literals and parameters, in arrays.
//!
//! PostgreSQL's are INT4. Where another operand has a type of its own, as in `a + 1`, that type decides in
//! both databases, and the literal stays as it is; so do places that want a number of their own, as
//! `LIMIT 1`, `ORDER BY 1`, `a[1]`, `f(1)`. What is computed of literals alone is computed in 64 bits
//! wherever it stands, as in `f(1 << 40)`.

use kecoa_grammar::{Kind, NodeId, Tree};
use kecoa_sql::{Statement, TokenKind};

use super::parsed::Query;
use crate::dialect::edit::Edits;

/// What an expression's type comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// From something that has a type.
    Typed,
    /// From integer literals alone, with parameters and NULL perhaps.
    Integers,
    /// There is no type: parameters, strings and NULL alone.
    Open,
}

/// What is known of a node.
#[derive(Clone, Copy)]
struct Known {
    origin: Origin,
    /// It computes with what lies in it.
    computes: bool,
    /// Its literals become INT8.
    wide: bool,
}

const NOTHING: Known = Known { origin: Origin::Typed, computes: false, wide: false };

/// The functions whose result has the type of their first arguments, and of how many.
const ALIKE: [(&str, usize); 18] = [
    ("abs", 1),
    ("array_agg", 1),
    ("avg", 1),
    ("div", 2),
    ("first_value", 1),
    ("generate_series", 3),
    ("lag", 1),
    ("last_value", 1),
    ("lead", 1),
    ("max", 1),
    ("min", 1),
    ("mod", 2),
    ("nth_value", 1),
    ("pg_typeof", 1),
    ("pow", 2),
    ("power", 2),
    ("sum", 1),
    ("unnest", 1),
];

/// Makes INT8 of the literals that a client sees.
pub(super) fn rewrite(query: &Query<'_, '_>, edits: &mut Edits) {
    let tree = query.tree;
    let literal = |node| tree.is(node, Kind::Integer);
    for node in tree.ids().filter(|node| tree.is(*node, Kind::Parameter)) {
        // PostgreSQL's subscripts are INT4.
        let array = tree.parent(node).filter(|around| tree.is(*around, Kind::Subscript));
        if array.and_then(|array| tree.children(array).next()).is_some_and(|first| first != node)
            && !query.is_dropped(node)
        {
            edits.insert(query.end(node), "::INT8");
        }
    }
    if !tree.ids().any(literal) {
        return;
    }
    let mut known = vec![NOTHING; tree.len()];
    for node in tree.ids() {
        let found = look(query, node, &known);
        if let Some(slot) = known.get_mut(tree.number(node)) {
            *slot = found;
        }
    }
    for node in tree.ids().rev() {
        let own = of(&known, tree, node);
        let Some(parent) = tree.parent(node).filter(|_| own.origin == Origin::Integers) else {
            continue;
        };
        let around = of(&known, tree, parent);
        let wide = if around.origin == Origin::Integers && decides(query, parent, node) {
            around.wide
        } else {
            is_seen(query, parent, node, own.computes, &known)
        };
        if let Some(slot) = known.get_mut(tree.number(node)) {
            slot.wide = wide;
        }
        if wide && literal(node) && !query.is_dropped(node) {
            edits.insert(query.end(node), "::INT8");
        }
    }
    for target in tree.ids().filter(|node| tree.is(*node, Kind::Target)) {
        // A cast literal would give the column its type's name.
        let mut inner = tree.children(target).next();
        while let Some(paren) = inner.filter(|inner| tree.is(*inner, Kind::Paren)) {
            inner = tree.children(paren).next();
        }
        let renamed = inner.is_some_and(|i| literal(i) && of(&known, tree, i).wide);
        if renamed && tree.child(target, Kind::Alias).is_none() {
            edits.insert(query.end(target), " AS \"?column?\"");
        }
    }
}

/// Makes INT8 of the literals that a definition computes with, as in `DEFAULT 1 << 40`, where the result may
/// need it: defaults that do not are shown as they were written. No tree is needed, since all integers in
/// CockroachDB's arithmetic are INT8.
pub(super) fn in_definition(statement: &Statement<'_>, edits: &mut Edits) {
    for at in 0..statement.len() {
        if is_number(statement, at)
            && is_small(statement.text(at))
            && is_arithmetic(statement, at + 1)
            && may_be_wide(statement, at)
        {
            edits.insert(statement.end(at), "::INT8");
        }
    }
}

fn is_number(statement: &Statement<'_>, at: usize) -> bool {
    statement.kind(at) == Some(TokenKind::Number)
}

fn is_arithmetic(statement: &Statement<'_>, at: usize) -> bool {
    const ARITHMETIC: [&[u8]; 10] = [b"+", b"-", b"*", b"%", b"//", b"<<", b">>", b"|", b"&", b"#"];
    statement.kind(at) == Some(TokenKind::Operator) && ARITHMETIC.contains(&statement.text(at))
}

/// Whether what the number at `at` begins may be out of an INT4's range: not where the other operand is a
/// number with which it fits, and the last.
fn may_be_wide(statement: &Statement<'_>, at: usize) -> bool {
    if !is_number(statement, at + 2) {
        return statement.is_mark(at + 2, "(");
    }
    let number = |at| String::from_utf8_lossy(statement.text(at)).parse::<i64>().ok();
    let (Some(left), Some(right)) = (number(at), number(at + 2)) else { return true };
    let result = match statement.text(at + 1) {
        b"<<" => None,
        b"*" => left.checked_mul(right),
        b"+" => left.checked_add(right),
        _ => Some(left.max(right)),
    };
    is_arithmetic(statement, at + 3) || result.is_none_or(|result| i32::try_from(result).is_err())
}

/// Whether PostgreSQL takes an integer literal for an INT4. A longer one is an INT8 or a DECIMAL by itself;
/// one more may be negative.
fn is_small(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    match text.get(..2) {
        Some("0x" | "0X") => text.len() <= 9,
        _ => text.parse::<i64>().is_ok_and(|number| number <= 1 << 31),
    }
}

fn of(known: &[Known], tree: &Tree, node: NodeId) -> Known {
    known.get(tree.number(node)).copied().unwrap_or(NOTHING)
}

/// What is known of a node whose children are known.
fn look(query: &Query<'_, '_>, node: NodeId, known: &[Known]) -> Known {
    let tree = query.tree;
    let origin = match tree.kind(node) {
        Some(Kind::Integer) => {
            let small = is_small(query.statement.text(tree.first(node)));
            if small { Origin::Integers } else { Origin::Typed }
        }
        Some(Kind::Parameter | Kind::Null | Kind::Text) => Origin::Open,
        // A list to compare with.
        Some(Kind::InList) if tree.children(node).all(|item| is_open(of(known, tree, item))) => {
            Origin::Open
        }
        Some(
            Kind::Paren
            | Kind::Prefix
            | Kind::Binary
            | Kind::Case
            | Kind::When
            | Kind::Special
            | Kind::Array,
        ) => {
            let mut origin = Origin::Open;
            let mut any = false;
            for child in tree.children(node).filter(|child| decides(query, node, *child)) {
                any = true;
                origin = match (origin, of(known, tree, child).origin) {
                    (Origin::Typed, _) | (_, Origin::Typed) => Origin::Typed,
                    (Origin::Integers, _) | (_, Origin::Integers) => Origin::Integers,
                    _ => Origin::Open,
                };
            }
            if any { origin } else { Origin::Typed }
        }
        _ => Origin::Typed,
    };
    let computes = tree.is(node, Kind::Binary)
        || tree.children(node).any(|child| {
            of(known, tree, child).origin != Origin::Typed && of(known, tree, child).computes
        });
    Known { origin, computes, wide: false }
}

fn is_open(known: Known) -> bool {
    known.origin == Origin::Open
}

/// Whether something in a row has no type, or in a list of rows.
fn holds_open(tree: &Tree, node: NodeId, known: &[Known]) -> bool {
    tree.children(node).any(|child| {
        is_open(of(known, tree, child))
            || matches!(tree.kind(child), Some(Kind::Tuple | Kind::Row))
                && holds_open(tree, child, known)
    })
}

/// Whether a client can see the types in a row: it is selected, or compared with what takes its types.
fn is_seen_row(tree: &Tree, row: NodeId, known: &[Known]) -> bool {
    let outer = outermost(tree, row);
    let Some(around) = tree.parent(outer) else { return false };
    // A list is compared with what stands before it.
    let compared = if tree.is(around, Kind::InList) { tree.parent(around) } else { Some(around) };
    if tree.is(around, Kind::ValuesRow) {
        return !is_inserted(tree, around);
    }
    tree.is(around, Kind::Target)
        || is_record_there(tree, around)
        || compared.is_some_and(|comparison| {
            matches!(tree.kind(comparison), Some(Kind::Binary | Kind::In | Kind::IsDistinct))
                && tree.children(comparison).any(|side| {
                    side != outer
                        && side != around
                        // PostgreSQL compares two rows value by value, but a row with a record as a whole.
                        && (holds_open(tree, side, known) || is_record(tree, side))
                })
        })
}

/// A node with the brackets around it.
pub(super) fn outermost(tree: &Tree, node: NodeId) -> NodeId {
    let mut outer = node;
    while let Some(around) = tree.parent(outer).filter(|around| tree.is(*around, Kind::Paren)) {
        outer = around;
    }
    outer
}

/// Whether a row in such a node is a record, with types that its values say.
pub(super) fn is_record_there(tree: &Tree, around: NodeId) -> bool {
    matches!(tree.kind(around), Some(Kind::Field | Kind::LabelledTuple | Kind::Array | Kind::Call))
}

/// Whether it may be a row that no row's constructor made.
fn is_record(tree: &Tree, node: NodeId) -> bool {
    matches!(
        tree.kind(node),
        Some(Kind::Subquery | Kind::Column | Kind::Call | Kind::Case | Kind::Special | Kind::Field)
    )
}

/// Whether a child's type makes its parent's.
fn decides(query: &Query<'_, '_>, parent: NodeId, child: NodeId) -> bool {
    let (tree, statement) = (query.tree, query.statement);
    let place = || tree.children(parent).position(|other| other == child).unwrap_or(0);
    match tree.kind(parent) {
        Some(Kind::Paren | Kind::Array) => true,
        Some(Kind::Prefix) => {
            tree.head(parent).is_some_and(|head| matches!(statement.text(head), b"+" | b"-" | b"~"))
        }
        Some(Kind::Binary) => match tree.head(parent).map(|head| statement.text(head)) {
            Some(b"+" | b"-" | b"*" | b"%" | b"//" | b"|" | b"#" | b"&") => true,
            Some(b"<<" | b">>") => place() == 0,
            // Two arrays, or an array and an element.
            Some(b"||") => holds_array(tree, parent),
            _ => false,
        },
        // A result, not the operand or a condition.
        Some(Kind::Case) => tree.is(child, Kind::When) || place() > 0,
        Some(Kind::When) => place() == 1,
        Some(Kind::Special) => {
            let word = tree.first(parent);
            if statement.is(word, "IF") {
                place() > 0
            } else {
                let alike = ["COALESCE", "IFNULL", "NULLIF", "GREATEST", "LEAST"];
                statement.is_any(word, &alike)
            }
        }
        _ => false,
    }
}

fn holds_array(tree: &Tree, node: NodeId) -> bool {
    tree.children(node).any(|child| tree.is(child, Kind::Array))
}

/// Whether a client can see the type of an expression of literals, by what stands around it.
fn is_seen(
    query: &Query<'_, '_>,
    parent: NodeId,
    node: NodeId,
    computes: bool,
    known: &[Known],
) -> bool {
    let (tree, statement) = (query.tree, query.statement);
    let mut inner = node;
    while tree.is(inner, Kind::Paren) {
        let Some(child) = tree.children(inner).next() else { break };
        inner = child;
    }
    // An expression is grouped and sorted by where it equals what is selected: all alike, then.
    let group = tree.is(inner, Kind::Case) || tree.is(inner, Kind::Special);
    let beside_open =
        || tree.children(parent).any(|other| other != node && is_open(of(known, tree, other)));
    match tree.kind(parent) {
        Some(Kind::Target) => {
            !is_in_exists(tree, parent) && (group || computes || !is_insert_query(tree, parent))
        }
        Some(Kind::ValuesRow) => group || computes || !is_inserted(tree, parent),
        Some(Kind::Call) => {
            computes || tree.is(inner, Kind::Array) || is_alike(statement, tree, parent, node)
        }
        // The array; its element is what is seen.
        Some(Kind::Subscript) => computes || tree.is(inner, Kind::Array),
        Some(Kind::Binary) => {
            let operator = tree.head(parent).map(|head| statement.text(head));
            let index = matches!(operator, Some(b"->" | b"->>" | b"<<" | b">>"));
            !index && (group || computes || tree.is(inner, Kind::Array) || beside_open())
        }
        Some(Kind::Quantified | Kind::Between | Kind::IsDistinct | Kind::Like | Kind::In) => {
            group || computes || beside_open()
        }
        Some(Kind::InList) => {
            let tested = tree.parent(parent).and_then(|test| tree.children(test).next());
            let open = tested.is_some_and(|tested| is_open(of(known, tree, tested)));
            group || computes || open
        }
        Some(Kind::Tuple | Kind::Row) => group || computes || is_seen_row(tree, parent, known),
        Some(Kind::SortKey | Kind::GroupBy | Kind::PartitionBy | Kind::Distinct) => {
            group || computes || tree.is(inner, Kind::Array)
        }
        // Beside something that has a type: what is computed before is computed in 64 bits.
        Some(Kind::Special) => computes,
        Some(Kind::Frame) => false,
        _ => group || computes,
    }
}

fn is_in_exists(tree: &Tree, target: NodeId) -> bool {
    let mut around = tree.ancestors(target).skip(1);
    let select = around.next().is_some_and(|node| tree.is(node, Kind::Select));
    let query = around.next().is_some_and(|node| tree.is(node, Kind::Query));
    let bracket = around.next().is_some_and(|node| tree.is(node, Kind::Subquery));
    select && query && bracket && around.next().is_some_and(|node| tree.is(node, Kind::Exists))
}

/// Whether what is selected goes into a table as it is.
fn is_insert_query(tree: &Tree, target: NodeId) -> bool {
    let mut around = tree.ancestors(target).skip(2);
    let mut inner = around.next();
    while inner.is_some_and(|node| matches!(tree.kind(node), Some(Kind::Query | Kind::Subquery))) {
        inner = around.next();
    }
    inner.is_some_and(|node| tree.is(node, Kind::Insert))
}

/// Whether a row of VALUES goes into a table as it is.
fn is_inserted(tree: &Tree, row: NodeId) -> bool {
    tree.ancestors(row).nth(2).is_some_and(|node| tree.is(node, Kind::Insert))
}

fn is_alike(statement: &Statement<'_>, tree: &Tree, call: NodeId, argument: NodeId) -> bool {
    let Some(open) = tree.head(call) else { return false };
    let Some(name) = open.checked_sub(1).and_then(|name| statement.name(name)) else {
        return false;
    };
    let place = tree.children(call).position(|child| child == argument).unwrap_or(usize::MAX);
    ALIKE.iter().any(|(alike, arguments)| *alike == name && place < *arguments)
}
