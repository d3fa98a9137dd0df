//! Which views of a database read which names: no view may lead back to itself, nor too deep.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ::bson::RawDocument;

use crate::aggregate::{Options, Pipeline};
use crate::collation::Collator;
use crate::error::{Code, Error};
use crate::store::{CollectionKind, Namespace};

use super::context::Context;
use super::views::{MAX_DEPTH, too_deep};

/// The views of a database, each with what it reads.
struct ViewGraph {
    database: String,
    views: BTreeMap<String, Node>,
}

/// A view.
struct Node {
    /// The names that it reads: the one that it is on, and those in its pipeline.
    reads: BTreeSet<String>,
    collator: Collator,
}

/// Check what a view, new or changed, makes of the views of its database.
///
/// # Errors
///
/// 5 where it leads back to itself, 165 where too many views lie one on the other, 167 where one of them compares
/// strings in another way; those of its pipeline and of the store.
pub async fn check(
    context: &mut Context<'_>,
    namespace: &Namespace,
    options: &RawDocument,
) -> Result<(), Error> {
    let database = namespace.database();
    let mut graph = ViewGraph { database: database.to_owned(), views: BTreeMap::new() };
    for collection in context.handle().collections(database).await? {
        if collection.kind() == CollectionKind::View {
            let name = collection.namespace().collection().to_owned();
            graph.views.insert(name, Node::of(context, database, collection.options())?);
        }
    }
    let name = namespace.collection();
    graph.views.insert(name.to_owned(), Node::of(context, database, options)?);
    let below = graph.below(&mut vec![name], &mut HashMap::new())?;
    let above = graph.above(name, 0, &mut HashMap::new())?;
    // The view itself is counted on both sides.
    if below + above - 1 > MAX_DEPTH {
        return Err(too_deep());
    }
    Ok(())
}

impl Node {
    fn of(context: &Context<'_>, database: &str, options: &RawDocument) -> Result<Self, Error> {
        let mut reads = BTreeSet::from([options.get_str("viewOn").unwrap_or_default().to_owned()]);
        if let Ok(stages) = options.get_array("pipeline") {
            let pipeline = Pipeline::parse(stages, &context.scope, &Options::new(database))?;
            let others = pipeline.reads().into_iter().filter(|other| &*other.database == database);
            reads.extend(others.map(|other| other.collection.to_string()));
        }
        let collator = match options.get_document("collation") {
            Ok(collation) => Collator::parse(collation)?,
            Err(_) => Collator::default(),
        };
        Ok(Self { reads, collator })
    }
}

impl ViewGraph {
    /// How many views lie one on the other from the last of `path` down; that one is counted.
    fn below<'g>(
        &'g self,
        path: &mut Vec<&'g str>,
        known: &mut HashMap<&'g str, usize>,
    ) -> Result<usize, Error> {
        let Some((name, node)) = path.last().and_then(|name| self.views.get_key_value(*name))
        else {
            return Ok(0);
        };
        if path.len() > MAX_DEPTH {
            return Err(too_deep());
        }
        let mut height = 0;
        for other in &node.reads {
            if path.first().is_some_and(|first| first == other) {
                return Err(self.cycle(path));
            }
            self.check_collation(name, other)?;
            let below = match known.get(&**other) {
                Some(below) => *below,
                None => {
                    path.push(other);
                    let below = self.below(path, known)?;
                    path.pop();
                    below
                }
            };
            height = height.max(below);
        }
        known.insert(name, height + 1);
        Ok(height + 1)
    }

    /// How many views lie one on the other from one up; that one is counted.
    fn above<'g>(
        &'g self,
        name: &str,
        depth: usize,
        known: &mut HashMap<&'g str, usize>,
    ) -> Result<usize, Error> {
        if depth > MAX_DEPTH {
            return Err(too_deep());
        }
        let mut height = 0;
        for (other, _) in self.views.iter().filter(|(_, node)| node.reads.contains(name)) {
            self.check_collation(name, other)?;
            let above = match known.get(&**other) {
                Some(above) => *above,
                None => self.above(other, depth + 1, known)?,
            };
            known.insert(other, above);
            height = height.max(above);
        }
        Ok(height + 1)
    }

    fn check_collation(&self, name: &str, other: &str) -> Result<(), Error> {
        match (self.views.get(name), self.views.get(other)) {
            (Some(one), Some(two)) if one.collator != two.collator => Err(Error::new(
                Code::OPTION_NOT_SUPPORTED_ON_VIEW,
                format!(
                    "View {0}.{name} has conflicting collation with view {0}.{other}",
                    self.database
                ),
            )),
            _ => Ok(()),
        }
    }

    /// The error of a way that leads back to its begin.
    fn cycle(&self, path: &[&str]) -> Error {
        let names: Vec<String> = (path.iter().chain(path.first()))
            .map(|name| format!("{}.{name}", self.database))
            .collect();
        let text = format!("View cycle detected: {}", names.join(" => "));
        Error::new(Code::GRAPH_CONTAINS_CYCLE, text)
    }
}
