//! A tree as text, for tests and for people.

use kecoa_sql::Statement;

use crate::kind::Kind;
use crate::tree::{Element, NodeId, Tree};

/// The tree as an s-expression: kinds, and the tokens that are their own. A node of one token that has
/// no children is the token alone; expressions that only hold another one are left out.
pub fn shape(tree: &Tree, statement: &Statement<'_>) -> String {
    let mut text = String::new();
    if let Some(root) = tree.root() {
        write(tree, statement, root, &mut text);
    }
    text
}

fn write(tree: &Tree, statement: &Statement<'_>, id: NodeId, text: &mut String) {
    let elements = tree.elements(id);
    let kind = tree.kind(id);
    let plain = matches!(
        kind,
        Some(
            Kind::Column
                | Kind::Name
                | Kind::Integer
                | Kind::Decimal
                | Kind::Text
                | Kind::Bytes
                | Kind::Boolean
                | Kind::Null
                | Kind::Parameter
                | Kind::Type
                | Kind::Star
        )
    );
    if plain {
        let (from, to) = tree.tokens(id);
        for index in from..to {
            text.push_str(&String::from_utf8_lossy(statement.text(index)));
        }
        return;
    }
    text.push('(');
    text.push_str(kind.map_or("", Kind::name));
    for element in elements {
        match element {
            Element::Node(child) => {
                text.push(' ');
                write(tree, statement, child, text);
            }
            Element::Token(index) => {
                let token = statement.text(index);
                if !matches!(token, b"," | b"(" | b")") {
                    text.push(' ');
                    text.push_str(&String::from_utf8_lossy(token));
                }
            }
        }
    }
    text.push(')');
}
