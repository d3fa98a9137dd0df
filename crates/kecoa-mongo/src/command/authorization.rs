//! Who may run what.

use std::collections::BTreeSet;

use ::bson::{RawArray, RawBsonRef, RawDocument};

use crate::auth::{Access, Action, Target};
use crate::bson::field::field;
use crate::error::{Code, Error};
use crate::wire::Request;

use super::arguments::Kind;
use super::connection::{Connection, Login};
use super::context::{Definition, Privilege};
use super::gateway::Gateway;

/// Levels of pipelines within pipelines that are looked through; deeper ones are refused when they are parsed.
const MAX_PIPELINES: usize = 32;

/// Finds a command by its name.
pub type Find = fn(&str) -> Option<&'static Definition>;

/// Whether the client may run a command on a database; `find` finds the one that it explains.
///
/// # Errors
/// 13.
pub fn authorize(
    gateway: &Gateway,
    connection: &Connection,
    definition: &Definition,
    database: &str,
    request: &Request,
    find: Find,
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
    let command = Command { definition, database, body, request: Some(request), find };
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
    let allows = |access: &Access| access.allows(action, target);
    if connection.may_create_first_user || is_visible(gateway, connection, allows) {
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

/// Whether a part of a reply is for the client: what its access says; everything without authentication.
#[must_use]
pub fn is_visible(
    gateway: &Gateway,
    connection: &Connection,
    allows: impl FnOnce(&Access) -> bool,
) -> bool {
    !gateway.options.authentication
        || connection.login.as_ref().is_some_and(|login| allows(&login.access))
}

/// Stages that make documents of something else than the collection.
const OWN_SOURCES: &[&str] = &[
    "$collStats",
    "$currentOp",
    "$documents",
    "$indexStats",
    "$listLocalSessions",
    "$listSessions",
];

/// A command, as far as it matters here.
struct Command<'a> {
    definition: &'a Definition,
    database: &'a str,
    body: &'a RawDocument,
    /// Where lists may stand beside the body; `None` for a command within another.
    request: Option<&'a Request>,
    find: Find,
}

impl Command<'_> {
    fn is_allowed(&self, login: &Login) -> bool {
        let access = &*login.access;
        let all =
            |actions: &[Action]| actions.iter().all(|action| access.allows(*action, self.target()));
        let cluster = |action| access.allows(action, Target::Cluster);
        match (self.definition.privilege, self.definition.name) {
            (Privilege::None, _) => true,
            (Privilege::Read | Privilege::Write, "aggregate") => {
                (self.has_own_source() || all(&[Action::Find]))
                    && self.may_run_pipeline(access)
                    && self.may_bypass_validation(access)
            }
            (Privilege::Read, "explain") => self.may_explain(login),
            (Privilege::Read, "listCollections") => {
                let only_own = self.flag("nameOnly") && self.flag("authorizedCollections");
                all(&[Action::ListCollections])
                    || only_own && access.allows_anything_in(self.database)
            }
            (Privilege::Read, "listIndexes") => all(&[Action::ListIndexes]),
            (Privilege::Read, "collStats") => all(&[Action::CollStats]),
            (Privilege::Read, "dbStats") => all(&[Action::DbStats]),
            (Privilege::Read, "dbHash" | "dbhash") => all(&[Action::DbHash]),
            (Privilege::Read, "killCursors") => true,
            (Privilege::Read, _) => all(&[Action::Find]),
            (Privilege::Write, "insert") => {
                all(&[Action::Insert]) && self.may_bypass_validation(access)
            }
            (Privilege::Write, "update") => {
                all(&[Action::Update])
                    && (!self.has_upsert() || all(&[Action::Insert]))
                    && self.may_bypass_validation(access)
            }
            (Privilege::Write, "delete") => all(&[Action::Remove]),
            (Privilege::Write, "findAndModify" | "findandmodify") => {
                let write = if self.flag("remove") { Action::Remove } else { Action::Update };
                all(&[Action::Find, write])
                    && (!self.flag("upsert") || all(&[Action::Insert]))
                    && self.may_bypass_validation(access)
            }
            (Privilege::Write, "bulkWrite") => self.may_bulk_write(access),
            (Privilege::Write, _) => all(&[Action::Insert, Action::Update, Action::Remove]),
            (Privilege::Administrate, "renameCollection") => self.may_rename(access),
            (Privilege::Administrate, "create") => {
                all(&[Action::CreateCollection]) && self.may_view(access)
            }
            (Privilege::Administrate, "collMod") => {
                all(&[Action::CollMod]) && self.may_view(access)
            }
            (Privilege::Administrate, name) => all(&[administration(name)]),
            (Privilege::Monitor, "listDatabases") => true,
            // Everybody sees what is their own.
            (Privilege::Monitor, "currentOp") if self.flag("$ownOps") => true,
            (Privilege::Monitor, name) => cluster(monitoring(name)),
            (Privilege::Operate, name) => cluster(operation(name)),
            (Privilege::Users, name) => self.may_change_users(name, login),
        }
    }

    /// What the command's first field names, or the database.
    fn target(&self) -> Target<'_> {
        let value = self.body.iter().next().and_then(Result::ok).map(|(_, value)| value);
        match (self.definition.value, value) {
            (Kind::Collection { .. } | Kind::CollectionOrOne, Some(RawBsonRef::String(name))) => {
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

    /// Some options take numbers for booleans.
    fn flag(&self, name: &str) -> bool {
        is_true(field(self.body, name))
    }

    /// The documents of a list, in the body or beside it.
    fn documents(&self, name: &str) -> Vec<&RawDocument> {
        if let Some(list) = self.request.and_then(|request| request.sequence(name)) {
            return list.iter().collect();
        }
        let Ok(list) = self.body.get_array(name) else { return Vec::new() };
        list.into_iter().flatten().filter_map(RawBsonRef::as_document).collect()
    }

    fn has_upsert(&self) -> bool {
        self.documents("updates").iter().any(|update| is_true(field(update, "upsert")))
    }

    fn may_bypass_validation(&self, access: &Access) -> bool {
        !self.flag("bypassDocumentValidation")
            || access.allows(Action::BypassDocumentValidation, self.target())
    }

    /// What the command that is explained needs.
    fn may_explain(&self, login: &Login) -> bool {
        let Ok(body) = self.body.get_document("explain") else { return true };
        let name = body.iter().next().and_then(Result::ok).map(|(name, _)| name.as_str());
        // What there is not is refused with another code.
        let Some(definition) = name.and_then(self.find) else { return true };
        // An explain of an explain, too.
        if definition.name == "explain" {
            return true;
        }
        Command { definition, database: self.database, body, request: None, find: self.find }
            .is_allowed(login)
    }

    /// Who may read a view reads what is behind it.
    fn may_view(&self, access: &Access) -> bool {
        let Ok(source) = self.body.get_str("viewOn") else { return true };
        let may_find = |target| access.allows(Action::Find, target);
        !may_find(self.target())
            || may_find(Target::Collection(self.database, source)) && self.may_run_pipeline(access)
    }

    /// Each operation needs its own action on its own collection.
    fn may_bulk_write(&self, access: &Access) -> bool {
        let namespaces = self.documents("nsInfo");
        let mut needed = BTreeSet::new();
        for operation in self.documents("ops") {
            let Some(Ok((name, number))) = operation.iter().next() else { continue };
            let Some(number) = whole(number) else { continue };
            match name.as_str() {
                "insert" => drop(needed.insert((number, Action::Insert))),
                "update" => {
                    needed.insert((number, Action::Update));
                    if is_true(operation.get("upsert").ok().flatten()) {
                        needed.insert((number, Action::Insert));
                    }
                }
                "delete" => drop(needed.insert((number, Action::Remove))),
                _ => {}
            }
            if self.flag("bypassDocumentValidation") {
                needed.insert((number, Action::BypassDocumentValidation));
            }
        }
        needed.into_iter().all(|(number, action)| {
            // A number beyond the list is refused with another code.
            let Some(namespace) = namespaces.get(number) else { return true };
            let name = namespace.get_str("ns").ok().and_then(|name| name.split_once('.'));
            name.is_some_and(|(database, collection)| {
                access.allows(action, Target::Collection(database, collection))
            })
        })
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

    /// Making and removing needs a right in the database; the other commands look at what is given and to whom.
    fn may_change_users(&self, name: &str, login: &Login) -> bool {
        let allows = |action| login.access.allows(action, Target::Database(self.database));
        match name {
            "createUser" => allows(Action::CreateUser),
            "dropUser" | "dropAllUsersFromDatabase" => allows(Action::DropUser),
            "createRole" => allows(Action::CreateRole),
            "dropRole" | "dropAllRolesFromDatabase" => allows(Action::DropRole),
            // These look at what is asked of them.
            _ => true,
        }
    }

    /// Whether the first stage makes documents itself, so that the collection is not read.
    fn has_own_source(&self) -> bool {
        let Ok(stages) = self.body.get_array("pipeline") else { return false };
        let Some(Ok(RawBsonRef::Document(first))) = stages.into_iter().next() else { return false };
        let name = first.iter().next().and_then(Result::ok).map(|(name, _)| name.as_str());
        name.is_some_and(|name| OWN_SOURCES.contains(&name))
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
            "$currentOp" => {
                let all = value.as_document().and_then(|value| value.get("allUsers").ok()?);
                !is_true(all) || access.allows(Action::Inprog, Target::Cluster)
            }
            "$listSessions" | "$listLocalSessions" => {
                let wants = |field: &str| match value.as_document().map(|value| value.get(field)) {
                    Some(Ok(Some(value))) => !matches!(value, RawBsonRef::Boolean(false)),
                    _ => false,
                };
                !(wants("allUsers") || wants("users"))
                    || access.allows(Action::ListSessions, Target::Cluster)
            }
            "$indexStats" => access.allows(Action::IndexStats, self.target()),
            "$collStats" => access.allows(Action::CollStats, self.target()),
            "$changeStream" => {
                let options = value.as_document();
                let all = options.and_then(|options| options.get_bool("allChangesForCluster").ok());
                // No database is called so: what covers it covers all of them.
                let target = if all == Some(true) { Target::Database("\0") } else { self.target() };
                access.allows(Action::ChangeStream, target) && access.allows(Action::Find, target)
            }
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

/// Whether an option is on; `null` is off.
fn is_true(value: Option<RawBsonRef<'_>>) -> bool {
    match value {
        None | Some(RawBsonRef::Null | RawBsonRef::Undefined | RawBsonRef::Boolean(false)) => false,
        Some(RawBsonRef::Int32(number)) => number != 0,
        Some(RawBsonRef::Int64(number)) => number != 0,
        Some(RawBsonRef::Double(number)) => number != 0.0,
        // Whatever else it may be: better a right too many.
        Some(_) => true,
    }
}

/// A number of a list's element.
fn whole(value: RawBsonRef<'_>) -> Option<usize> {
    let number = match value {
        RawBsonRef::Int32(number) => i64::from(number),
        RawBsonRef::Int64(number) => number,
        #[allow(clippy::cast_possible_truncation, reason = "it saturates, and is compared")]
        RawBsonRef::Double(number) => number as i64,
        _ => return None,
    };
    usize::try_from(number).ok()
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
