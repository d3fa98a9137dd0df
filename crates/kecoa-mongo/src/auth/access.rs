//! What a user may do, all its roles taken together.

use std::collections::{BTreeMap, BTreeSet};

use super::action::Action;
use super::builtin::builtin;
use super::names::RoleName;
use super::privilege::{Privilege, Resource, Target};
use super::role::Role;

/// What a user may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access(BTreeMap<Resource, BTreeSet<Action>>);

impl Access {
    /// What these roles allow that are always there; of others, see [`add`](Self::add). A role that does not exist
    /// allows nothing.
    #[must_use]
    pub fn of<'a>(roles: impl IntoIterator<Item = &'a RoleName>) -> Self {
        let mut access = Self::default();
        for role in roles {
            let Some(builtin) = builtin(role) else { continue };
            access.extend(builtin.privileges(&role.database));
        }
        access
    }

    /// Adds what a role allows by itself that users have made.
    pub fn add(&mut self, role: &Role) {
        self.extend(role.privileges.iter().cloned());
    }

    fn extend(&mut self, privileges: impl IntoIterator<Item = Privilege>) {
        for Privilege { resource, actions } in privileges {
            self.0.entry(resource).or_default().extend(actions);
        }
    }

    /// Whether `action` is allowed on `target`.
    #[must_use]
    pub fn allows(&self, action: Action, target: Target<'_>) -> bool {
        self.0.iter().any(|(resource, actions)| {
            resource.covers(target)
                && (actions.contains(&action) || actions.contains(&Action::AnyAction))
        })
    }

    /// Whether anything is allowed on the database or one of its collections: it may be shown in a list of those
    /// that the user may use.
    #[must_use]
    pub fn allows_anything_in(&self, database: &str) -> bool {
        self.0.iter().any(|(resource, actions)| {
            !actions.is_empty()
                && match resource {
                    Resource::Collections { database: covered, .. } if !covered.is_empty() => {
                        covered == database
                    }
                    resource => resource.covers(Target::Database(database)),
                }
        })
    }

    /// Whether anything is allowed on a collection.
    #[must_use]
    pub fn allows_anything_on(&self, database: &str, collection: &str) -> bool {
        let target = Target::Collection(database, collection);
        self.0.iter().any(|(resource, actions)| !actions.is_empty() && resource.covers(target))
    }

    /// All privileges, as replies list them.
    #[must_use]
    pub fn privileges(&self) -> Vec<Privilege> {
        let list = self.0.iter().map(|(resource, actions)| Privilege {
            resource: resource.clone(),
            actions: actions.iter().copied().collect(),
        });
        list.collect()
    }
}
