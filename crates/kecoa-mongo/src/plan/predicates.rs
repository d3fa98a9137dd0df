//! The conditions that all hold, by the paths they are on.

use crate::query::{Node, Test};

/// A test that every matching document passes.
#[derive(Clone, Debug)]
pub(super) struct Predicate<'f> {
    /// The path, with that of the `$elemMatch` around it.
    pub(super) path: String,
    pub(super) test: Tested<'f>,
    /// The `$elemMatch` around it, and the first name of the path within.
    pub(super) element: Option<(usize, &'f str)>,
}

/// What is known of a value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Tested<'f> {
    /// It passes the test.
    Passes(&'f Test),
    /// It is missing.
    Missing,
}

/// The conditions of a filter.
#[derive(Clone, Debug, Default)]
pub(super) struct Predicates<'f> {
    pub(super) tests: Vec<Predicate<'f>>,
    /// The alternatives of each `$or`, of which one holds.
    pub(super) alternatives: Vec<&'f [Node]>,
    elements: usize,
}

impl<'f> Predicates<'f> {
    /// Those of a filter's tree.
    pub(super) fn of(root: &'f Node) -> Self {
        let mut predicates = Self::default();
        predicates.add(root, "", None);
        predicates
    }

    /// The same with those of one alternative.
    pub(super) fn with(&self, alternative: &'f Node) -> Self {
        let mut predicates = self.clone();
        predicates.alternatives.clear();
        predicates.add(alternative, "", None);
        predicates
    }

    /// The tests of a path.
    pub(super) fn on<'p>(&'p self, path: &'p str) -> impl Iterator<Item = &'p Predicate<'f>> {
        self.tests.iter().filter(move |predicate| predicate.path == path)
    }

    fn add(&mut self, node: &'f Node, base: &str, element: Option<usize>) {
        match node {
            Node::And(parts) => parts.iter().for_each(|part| self.add(part, base, element)),
            Node::Or(parts) => match parts.as_slice() {
                [only] => self.add(only, base, element),
                several if base.is_empty() => self.alternatives.push(several),
                _ => {}
            },
            Node::Field(field) => {
                let name = field.path.as_str();
                let path = if base.is_empty() { name.to_owned() } else { format!("{base}.{name}") };
                if let Test::ElementDocument(inner) = &field.test {
                    let element = element.unwrap_or_else(|| {
                        self.elements += 1;
                        self.elements
                    });
                    self.add(inner, &path, Some(element));
                    return;
                }
                let first = name.split('.').next().unwrap_or_default();
                self.tests.push(Predicate {
                    path,
                    test: Tested::Passes(&field.test),
                    element: element.map(|element| (element, first)),
                });
            }
            Node::Not(inner) => {
                if let Node::Field(field) = &**inner
                    && matches!(field.test, Test::Exists)
                    && base.is_empty()
                {
                    self.tests.push(Predicate {
                        path: field.path.as_str().to_owned(),
                        test: Tested::Missing,
                        element: None,
                    });
                }
            }
            Node::Nor(_)
            | Node::Expr(_)
            | Node::JsonSchema(_)
            | Node::Constant(_)
            | Node::Sample(_) => {}
        }
    }
}
