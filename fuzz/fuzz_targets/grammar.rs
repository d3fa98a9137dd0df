//! Any SQL through the grammar: no panic, and a tree that has every token once and in order.
#![no_main]

use kecoa_grammar::{Element, parse, shape};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    for statement in kecoa_sql::split(data, false) {
        let Ok(tree) = parse(&statement) else { continue };
        let mut next = 0;
        let mut open = vec![tree.elements(tree.root().unwrap()).into_iter()];
        while let Some(elements) = open.last_mut() {
            match elements.next() {
                Some(Element::Token(token)) => {
                    assert_eq!(token, next);
                    next += 1;
                }
                Some(Element::Node(child)) => open.push(tree.elements(child).into_iter()),
                None => drop(open.pop()),
            }
        }
        assert_eq!(next, statement.len());
        assert!(!shape(&tree, &statement).is_empty());
    }
});
