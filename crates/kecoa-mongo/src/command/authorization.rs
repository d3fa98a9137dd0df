//! Who may run what.

use ::bson::{RawArray, RawBsonRef, RawDocument};

use crate::auth::{Access, Action, Target};
use crate::error::{Code, Error};
use crate::wire::Request;

use super::arguments::Kind;
use super::connection::{Connection, Login};
use super::context::{Definition, Privilege};
use super::gateway::Gateway;

/// Levels of pipelines within pipelines that are looked through; deeper ones are refused when they are parsed.
const MAX_PIPELINES: usize = 32;

/// Whether the client may run a command on a database.
///
/// # Errors
/// 13.
pub fn authorize(
    gateway: &Gateway,
    connection: &Connection,
    definition: &Definition,
    database: &str,
    request: &Request,
) -> Result<(), Error> {
    if !gateway.options.authentication || definition.anonymous {
        return Ok(());
    }
    let Some(login) = &connection.login else {
        let is_first = connection.may_create_first_user && database == "admin";
        if is_first && definition.name == "createUser" {
            return Ok(());
        }
        let message = format!("Command {} requires authentication", definition.name);
        return Err(Error::new(Code::UNAUTHORIZED, message));
    };
    let body = request.body();
    let command = Command { definition, database, body, request };
    if command.is_allowed(login) { Ok(()) } else { Err(refusal(definition.name, database, body)) }
}

/// Whether who is logged in may do something; everybody may without authentication.
///
/// # Errors
/// 13.
pub fn demand(
    gateway: &Gateway,
    connection: &Connection,
    action: Action,
    target: Target<'_>,
) -> Result<(), Error> {
    let is_allowed = !gateway.options.authentication
        || connection.may_create_first_user
        || connection.login.as_ref().is_some_and(|login| login.access.allows(action, target));
    if is_allowed {
        return Ok(());
    }
    let place = match target {
        Target::Cluster => "the cluster".to_owned(),
        Target::Database(database) => database.to_owned(),
        Target::Collection(database, collection) => format!("{database}.{collection}"),
    };
    let message = format!("not authorized on {place} for action {}", action.name());
    Err(Error::new(Code::UNAUTHORIZED, message))
}

/// A command, as far as it matters here.
struct Command<'a> {
    definition: &'a Definition,
    database: &'a str,
    body: &'a RawDocument,
    request: &'a Request,
}

impl Command<'_> {
    fn is_allowed(&self, login: &Login) -> bool {
        let access = &*login.access;
        let all =
            |actions: &[Action]| actions.iter().all(|action| access.allows(*action, self.target()));
        let cluster = |action| access.allows(action, Target::Cluster);
        match (self.definition.privilege, self.definition.name) {
            (Privilege::None | Privilege::Own, _) => true,
            (Privilege::Read | Privilege::Write, "aggregate") => {
                all(&[Action::Find]) && self.may_run_pipeline(access)
            }
            (Privilege::Read, "listCollections") => {
                all(&[Action::ListCollections])
                    || self.flag("nameOnly") && self.flag("authorizedCollections")
            }
            (Privilege::Read, "listIndexes") => all(&[Action::ListIndexes]),
            (Privilege::Read, "collStats") => all(&[Action::CollStats]),
            (Privilege::Read, "dbStats") => all(&[Action::DbStats]),
            (Privilege::Read, "dbHash" | "dbhash") => all(&[Action::DbHash]),
            (Privilege::Read, "killCursors") => true,
            (Privilege::Read, _) => all(&[Action::Find]),
            (Privilege::Write, "insert") => all(&[Action::Insert]),
            (Privilege::Write, "update") => {
                all(&[Action::Update]) && (!self.has_upsert() || all(&[Action::Insert]))
            }
            (Privilege::Write, "delete") => all(&[Action::Remove]),
            (Privilege::Write, "findAndModify" | "findandmodify") => {
                let write = if self.flag("remove") { Action::Remove } else { Action::Update };
                all(&[Action::Find, write]) && (!self.flag("upsert") || all(&[Action::Insert]))
            }
            (Privilege::Write, "bulkWrite") => self.may_bulk_write(access),
            (Privilege::Write, _) => all(&[Action::Insert, Action::Update, Action::Remove]),
            (Privilege::Administrate, "renameCollection") => self.may_rename(access),
            (Privilege::Administrate, name) => all(&[administration(name)]),
            (Privilege::Monitor, "listDatabases") => true,
            (Privilege::Monitor, name) => cluster(monitoring(name)),
            (Privilege::Operate, name) => cluster(operation(name)),
            (Privilege::Users, name) => self.may_change_users(name, login),
        }
    }

    /// What the command's first field names, or the database.
    fn target(&self) -> Target<'_> {
        let value = self.body.iter().next().and_then(Result::ok).map(|(_, value)| value);
        match (self.definition.value, value) {
            (Kind::Collection | Kind::CollectionOrOne, Some(RawBsonRef::String(name))) => {
                Target::Collection(self.database, name)
            }
            _ => match self.body.get("collection") {
                Ok(Some(RawBsonRef::String(name))) if self.definition.name == "getMore" => {
                    Target::Collection(self.database, name)
                }
                _ => Target::Database(self.database),
            },
        }
    }

    fn flag(&self, name: &str) -> bool {
        matches!(self.body.get(name), Ok(Some(RawBsonRef::Boolean(true))))
    }

    fn has_upsert(&self) -> bool {
        let is_upsert = |update: &RawDocument| update.get_bool("upsert").unwrap_or(false);
        if let Some(list) = self.request.sequence("updates") {
            return list.iter().any(is_upsert);
        }
        let Ok(updates) = self.body.get_array("updates") else { return false };
        updates.into_iter().flatten().any(|one| one.as_document().is_some_and(is_upsert))
    }

    fn may_bulk_write(&self, access: &Access) -> bool {
        let actions = [Action::Insert, Action::Update, Action::Remove];
        let may_write = |namespace: &RawDocument| {
            let name = namespace.get_str("ns").ok().and_then(|name| name.split_once('.'));
            name.is_some_and(|(database, collection)| {
                let target = Target::Collection(database, collection);
                actions.iter().all(|action| access.allows(*action, target))
            })
        };
        if let Some(list) = self.request.sequence("nsInfo") {
            return list.iter().all(may_write);
        }
        let Ok(list) = self.body.get_array("nsInfo") else { return true };
        list.into_iter().flatten().all(|one| one.as_document().is_some_and(may_write))
    }

    fn may_rename(&self, access: &Access) -> bool {
        let name = |field: &str| self.body.get_str(field).ok()?.split_once('.');
        let (Some(from), Some(to)) = (name("renameCollection"), name("to")) else { return true };
        let (source, target) = (Target::Collection(from.0, from.1), Target::Collection(to.0, to.1));
        let may_drop = !self.flag("dropTarget") || access.allows(Action::DropCollection, target);
        if from.0 == to.0 && access.allows(Action::RenameCollectionSameDB, source) && may_drop {
            return true;
        }
        let takes = [Action::Find, Action::DropCollection];
        let makes = [Action::Insert, Action::CreateIndex];
        takes.iter().all(|action| access.allows(*action, source))
            && makes.iter().all(|action| access.allows(*action, target))
            && may_drop
    }

    /// Users may look at themselves, and change what is their own.
    fn may_change_users(&self, name: &str, login: &Login) -> bool {
        let allows = |action| login.access.allows(action, Target::Database(self.database));
        let is_self = self.body.get_str(name).is_ok_and(|user| user == login.user)
            && login.database == self.database;
        match name {
            "createUser" => allows(Action::CreateUser),
            "dropUser" | "dropAllUsersFromDatabase" => allows(Action::DropUser),
            "grantRolesToUser" | "createRole" | "grantRolesToRole" => allows(Action::GrantRole),
            "revokeRolesFromUser" => allows(Action::RevokeRole),
            // These look at what is asked of them.
            "updateUser" | "usersInfo" | "rolesInfo" => true,
            _ => is_self || allows(Action::CreateRole),
        }
    }

    /// Stages that read or write other collections need the right to.
    fn may_run_pipeline(&self, access: &Access) -> bool {
        match self.body.get_array("pipeline") {
            Ok(stages) => self.may_run_stages(stages, access, 1),
            Err(_) => true,
        }
    }

    fn may_run_stages(&self, stages: &RawArray, access: &Access, depth: usize) -> bool {
        depth <= MAX_PIPELINES
            && stages.into_iter().flatten().all(|stage| {
                let fields = stage.as_document().into_iter().flatten().flatten();
                fields
                    .into_iter()
                    .all(|(name, value)| self.may_run_stage(name.as_str(), value, access, depth))
            })
    }

    fn may_run_stage(
        &self,
        name: &str,
        value: RawBsonRef<'_>,
        access: &Access,
        depth: usize,
    ) -> bool {
        let allows = |action, place: &Place<'_>| {
            access.allows(action, Target::Collection(place.database, place.collection))
        };
        let within = |field: &str| match value.as_document().map(|value| value.get_array(field)) {
            Some(Ok(stages)) => self.may_run_stages(stages, access, depth + 1),
            _ => true,
        };
        let named = |field: &str| match value.as_document().map(|value| value.get(field)) {
            Some(Ok(Some(value))) => Place::read(value, self.database),
            _ => None,
        };
        match name {
            "$lookup" | "$graphLookup" => {
                named("from").is_none_or(|place| allows(Action::Find, &place)) && within("pipeline")
            }
            "$unionWith" => {
                let place = Place::read(value, self.database).or_else(|| named("coll"));
                place.is_none_or(|place| allows(Action::Find, &place)) && within("pipeline")
            }
            "$out" => Place::read(value, self.database).is_none_or(|place| {
                allows(Action::Insert, &place) && allows(Action::Remove, &place)
            }),
            "$merge" => {
                let place = Place::read(value, self.database).or_else(|| named("into"));
                place.is_none_or(|place| {
                    allows(Action::Insert, &place) && allows(Action::Update, &place)
                })
            }
            "$facet" => value.as_document().into_iter().flatten().flatten().all(|(_, inner)| {
                inner.as_array().is_none_or(|stages| self.may_run_stages(stages, access, depth + 1))
            }),
            "$currentOp" => access.allows(Action::Inprog, Target::Cluster),
            "$listSessions" => access.allows(Action::ListSessions, Target::Cluster),
            "$indexStats" => access.allows(Action::IndexStats, self.target()),
            "$collStats" => access.allows(Action::CollStats, self.target()),
            "$changeStream" => access.allows(Action::ChangeStream, self.target()),
            _ => true,
        }
    }
}

/// A collection that a stage names: by its name, or as `{db, coll}`.
struct Place<'a> {
    database: &'a str,
    collection: &'a str,
}

impl<'a> Place<'a> {
    fn read(value: RawBsonRef<'a>, database: &'a str) -> Option<Self> {
        match value {
            RawBsonRef::String(collection) => Some(Self { database, collection }),
            RawBsonRef::Document(place) => Some(Self {
                database: place.get_str("db").unwrap_or(database),
                collection: place.get_str("coll").ok()?,
            }),
            _ => None,
        }
    }
}

fn administration(command: &str) -> Action {
    match command {
        "create" => Action::CreateCollection,
        "drop" => Action::DropCollection,
        "dropDatabase" => Action::DropDatabase,
        "createIndexes" => Action::CreateIndex,
        "dropIndexes" | "deleteIndexes" => Action::DropIndex,
        "convertToCapped" | "cloneCollectionAsCapped" => Action::ConvertToCapped,
        "compact" => Action::Compact,
        "validate" => Action::Validate,
        "reIndex" => Action::ReIndex,
        "profile" => Action::EnableProfiler,
        "collStats" => Action::CollStats,
        "dbStats" => Action::DbStats,
        _ => Action::CollMod,
    }
}

fn monitoring(command: &str) -> Action {
    match command {
        "getCmdLineOpts" => Action::GetCmdLineOpts,
        "getLog" => Action::GetLog,
        "getParameter" => Action::GetParameter,
        "getDefaultRWConcern" => Action::GetDefaultRWConcern,
        "hostInfo" => Action::HostInfo,
        "currentOp" => Action::Inprog,
        "replSetGetStatus" => Action::ReplSetGetStatus,
        "replSetGetConfig" => Action::ReplSetGetConfig,
        "top" => Action::Top,
        "connPoolStats" => Action::ConnPoolStats,
        "listShards" => Action::ListShards,
        _ => Action::ServerStatus,
    }
}

fn operation(command: &str) -> Action {
    match command {
        "killOp" => Action::Killop,
        "killAllSessions" | "killAllSessionsByPattern" => Action::KillAnySession,
        "fsync" => Action::Fsync,
        "fsyncUnlock" => Action::Unlock,
        "setDefaultRWConcern" => Action::SetDefaultRWConcern,
        "setFeatureCompatibilityVersion" => Action::SetFeatureCompatibilityVersion,
        "replSetFreeze" | "replSetStepDown" => Action::ReplSetStateChange,
        "logRotate" => Action::LogRotate,
        "shutdown" => Action::Shutdown,
        _ => Action::SetParameter,
    }
}

/// What a user who may not is told, with the command's first field.
fn refusal(name: &str, database: &str, body: &RawDocument) -> Error {
    let value = match body.iter().next() {
        Some(Ok((_, RawBsonRef::String(text)))) => format!("\"{text}\""),
        Some(Ok((_, RawBsonRef::Int32(number)))) => number.to_string(),
        Some(Ok((_, RawBsonRef::Int64(number)))) => number.to_string(),
        Some(Ok((_, RawBsonRef::Double(number)))) => number.to_string(),
        _ => "...".to_owned(),
    };
    let message = format!("not authorized on {database} to execute command {{ {name}: {value} }}");
    Error::new(Code::UNAUTHORIZED, message)
}
