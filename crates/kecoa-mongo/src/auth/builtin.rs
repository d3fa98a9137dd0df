//! The roles that are always there, as MongoDB's manual lists them.

use super::action::Action;
use super::names::RoleName;
use super::privilege::{Privilege, Resource};
use Action::*;

/// A role that is always there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Builtin {
    /// Its name.
    pub name: &'static str,
    /// Whether it is there in the database `admin` only.
    pub is_admin_only: bool,
    grants: &'static [Grant],
}

/// Where a role allows something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grant {
    /// In the role's own database.
    Own(&'static [Action]),
    /// In one collection of the role's own database.
    OwnCollection(&'static str, &'static [Action]),
    /// In every database but the server's own.
    Any(&'static [Action]),
    /// In collections of this name in every database.
    AnyCollection(&'static str, &'static [Action]),
    /// In this database.
    Named(&'static str, &'static [Action]),
    /// In this collection.
    NamedCollection(&'static str, &'static str, &'static [Action]),
    /// On the server as a whole.
    Cluster(&'static [Action]),
    /// On everything.
    Anything(&'static [Action]),
}

/// The role of this name, if there is one.
#[must_use]
pub fn builtin(role: &RoleName) -> Option<&'static Builtin> {
    BUILTIN_ROLES.iter().find(|builtin| {
        builtin.name == role.name && (!builtin.is_admin_only || role.database == "admin")
    })
}

impl Builtin {
    /// What the role of `database` allows; a resource may come twice.
    #[must_use]
    pub fn privileges(&self, database: &str) -> Vec<Privilege> {
        let privilege = |grant: &Grant| {
            let (resource, actions) = match *grant {
                Grant::Own(actions) => (Resource::database(database), actions),
                Grant::OwnCollection(name, actions) => {
                    (Resource::collection(database, name), actions)
                }
                Grant::Any(actions) => (Resource::database(""), actions),
                Grant::AnyCollection(name, actions) => (Resource::collection("", name), actions),
                Grant::Named(name, actions) => (Resource::database(name), actions),
                Grant::NamedCollection(database, name, actions) => {
                    (Resource::collection(database, name), actions)
                }
                Grant::Cluster(actions) => (Resource::Cluster, actions),
                Grant::Anything(actions) => (Resource::Anything, actions),
            };
            Privilege { resource, actions: actions.to_vec() }
        };
        self.grants.iter().map(privilege).collect()
    }
}

const READ: &[Action] = &[
    ChangeStream,
    CollStats,
    DbHash,
    DbStats,
    Find,
    KillCursors,
    ListCollections,
    ListIndexes,
    ListSearchIndexes,
    PlanCacheRead,
];

const WRITE: &[Action] = &[
    ConvertToCapped,
    CreateCollection,
    CreateIndex,
    DropCollection,
    DropIndex,
    Insert,
    Remove,
    RenameCollectionSameDB,
    Update,
];

const DB_ADMIN: &[Action] = &[
    BypassDocumentValidation,
    CollMod,
    CollStats,
    Compact,
    ConvertToCapped,
    CreateCollection,
    CreateIndex,
    DbHash,
    DbStats,
    DropCollection,
    DropDatabase,
    DropIndex,
    EnableProfiler,
    IndexStats,
    ListCollections,
    ListIndexes,
    ListSearchIndexes,
    PlanCacheIndexFilter,
    PlanCacheRead,
    PlanCacheWrite,
    ReIndex,
    RenameCollectionSameDB,
    StorageDetails,
    Validate,
];

const PROFILE: &[Action] = &[
    ChangeStream,
    CollStats,
    ConvertToCapped,
    CreateCollection,
    DbHash,
    DbStats,
    DropCollection,
    Find,
    KillCursors,
    ListCollections,
    ListIndexes,
    PlanCacheRead,
];

const USER_ADMIN: &[Action] = &[
    ChangeCustomData,
    ChangePassword,
    CreateRole,
    CreateUser,
    DropRole,
    DropUser,
    GrantRole,
    RevokeRole,
    SetAuthenticationRestriction,
    ViewRole,
    ViewUser,
];

const MONITOR: &[Action] = &[
    ConnPoolStats,
    GetCmdLineOpts,
    GetDefaultRWConcern,
    GetLog,
    GetParameter,
    GetShardMap,
    HostInfo,
    Inprog,
    ListDatabases,
    ListSessions,
    ListShards,
    Netstat,
    OperationMetrics,
    ReplSetGetConfig,
    ReplSetGetStatus,
    ServerStatus,
    ShardingState,
    Top,
];

const MONITOR_DATABASES: &[Action] =
    &[CollStats, DbStats, GetShardMap, IndexStats, ListCollections, UseUUID];

const MANAGE: &[Action] = &[
    AddShard,
    AppendOplogNote,
    ApplyOps,
    CleanupOrphaned,
    FlushRouterConfig,
    GetDefaultRWConcern,
    ListSessions,
    ListShards,
    ReplSetConfigure,
    ReplSetGetConfig,
    ReplSetGetStatus,
    ReplSetStateChange,
    Resync,
    SetDefaultRWConcern,
    SetFeatureCompatibilityVersion,
    SetUserWriteBlockMode,
];

const MANAGE_HOST: &[Action] = &[
    ApplyOps,
    ConnPoolSync,
    DropConnections,
    FlushRouterConfig,
    Fsync,
    InvalidateUserCache,
    KillAnyCursor,
    KillAnySession,
    Killop,
    LogRotate,
    ReplSetGetConfig,
    SetParameter,
    Shutdown,
    Touch,
    TrafficRecord,
    Unlock,
];

const BACKUP: &[Action] = &[CollStats, Find, ListCollections, ListIndexes, ListSearchIndexes];

const RESTORE: &[Action] = &[
    BypassDocumentValidation,
    ChangeCustomData,
    ChangePassword,
    CollMod,
    ConvertToCapped,
    CreateCollection,
    CreateIndex,
    CreateRole,
    CreateUser,
    DropCollection,
    DropIndex,
    DropRole,
    DropUser,
    GrantRole,
    Insert,
    ListCollections,
    RenameCollectionSameDB,
    RevokeRole,
    ViewRole,
    ViewUser,
];

const ANY_USER: &[Grant] = &[
    Grant::Any(USER_ADMIN),
    Grant::Named("local", USER_ADMIN),
    Grant::Named("config", USER_ADMIN),
    Grant::Cluster(&[AuthSchemaUpgrade, InvalidateUserCache, ListDatabases]),
];

/// Every role that is always there, in the order of their names.
pub const BUILTIN_ROLES: &[Builtin] = &[
    Builtin {
        name: "backup",
        is_admin_only: true,
        grants: &[
            Grant::Any(BACKUP),
            Grant::Named("local", BACKUP),
            Grant::Named("config", BACKUP),
            Grant::AnyCollection("system.views", &[Find]),
            Grant::Cluster(&[
                AppendOplogNote,
                GetParameter,
                ListDatabases,
                ServerStatus,
                SetUserWriteBlockMode,
            ]),
        ],
    },
    Builtin {
        name: "clusterAdmin",
        is_admin_only: true,
        grants: &[
            Grant::Cluster(MONITOR),
            Grant::Cluster(MANAGE),
            Grant::Cluster(MANAGE_HOST),
            Grant::Any(MONITOR_DATABASES),
            Grant::Any(&[DropDatabase, EnableSharding, KillCursors]),
            Grant::Named("config", READ),
            Grant::Named("config", WRITE),
            Grant::Named("local", READ),
            Grant::Named("local", WRITE),
        ],
    },
    Builtin {
        name: "clusterManager",
        is_admin_only: true,
        grants: &[
            Grant::Cluster(MANAGE),
            Grant::Any(&[EnableSharding]),
            Grant::Named("config", READ),
            Grant::Named("config", WRITE),
            Grant::Named("local", READ),
            Grant::Named("local", WRITE),
        ],
    },
    Builtin {
        name: "clusterMonitor",
        is_admin_only: true,
        grants: &[
            Grant::Cluster(MONITOR),
            Grant::Any(MONITOR_DATABASES),
            Grant::Named("config", READ),
            Grant::Named("local", READ),
            Grant::AnyCollection("system.profile", &[Find]),
        ],
    },
    Builtin {
        name: "dbAdmin",
        is_admin_only: false,
        grants: &[Grant::Own(DB_ADMIN), Grant::OwnCollection("system.profile", PROFILE)],
    },
    Builtin {
        name: "dbAdminAnyDatabase",
        is_admin_only: true,
        grants: &[
            Grant::Any(DB_ADMIN),
            Grant::AnyCollection("system.profile", PROFILE),
            Grant::Cluster(&[ApplyOps, ListDatabases]),
        ],
    },
    Builtin {
        name: "dbOwner",
        is_admin_only: false,
        grants: &[
            Grant::Own(READ),
            Grant::Own(WRITE),
            Grant::Own(DB_ADMIN),
            Grant::OwnCollection("system.profile", PROFILE),
            Grant::Own(USER_ADMIN),
        ],
    },
    Builtin {
        name: "enableSharding",
        is_admin_only: false,
        grants: &[Grant::Own(&[EnableSharding])],
    },
    Builtin {
        name: "hostManager",
        is_admin_only: true,
        grants: &[Grant::Cluster(MANAGE_HOST), Grant::Any(&[KillCursors])],
    },
    Builtin { name: "read", is_admin_only: false, grants: &[Grant::Own(READ)] },
    Builtin {
        name: "readAnyDatabase",
        is_admin_only: true,
        grants: &[Grant::Any(READ), Grant::Cluster(&[ListDatabases])],
    },
    Builtin {
        name: "readWrite",
        is_admin_only: false,
        grants: &[Grant::Own(READ), Grant::Own(WRITE)],
    },
    Builtin {
        name: "readWriteAnyDatabase",
        is_admin_only: true,
        grants: &[Grant::Any(READ), Grant::Any(WRITE), Grant::Cluster(&[ListDatabases])],
    },
    Builtin {
        name: "restore",
        is_admin_only: true,
        grants: &[
            Grant::Any(RESTORE),
            Grant::NamedCollection("admin", "system.users", &[Find, Insert, Remove, Update]),
            Grant::NamedCollection("admin", "system.roles", &[Find, Insert, Remove, Update]),
            Grant::Cluster(&[GetParameter, ListDatabases, SetUserWriteBlockMode, UseUUID]),
        ],
    },
    Builtin {
        name: "root",
        is_admin_only: true,
        grants: &[
            Grant::Any(READ),
            Grant::Any(WRITE),
            Grant::Any(DB_ADMIN),
            Grant::Any(USER_ADMIN),
            Grant::Any(MONITOR_DATABASES),
            Grant::Any(RESTORE),
            Grant::Any(&[EnableSharding]),
            Grant::AnyCollection("system.profile", PROFILE),
            Grant::AnyCollection("system.views", &[Find]),
            Grant::Named("config", READ),
            Grant::Named("config", WRITE),
            Grant::Named("config", USER_ADMIN),
            Grant::Named("config", DB_ADMIN),
            Grant::Named("local", READ),
            Grant::Named("local", WRITE),
            Grant::Named("local", USER_ADMIN),
            Grant::Named("local", DB_ADMIN),
            Grant::NamedCollection("admin", "system.users", &[Find, Insert, Remove, Update]),
            Grant::NamedCollection("admin", "system.roles", &[Find, Insert, Remove, Update]),
            Grant::Anything(&[Validate]),
            Grant::Cluster(MONITOR),
            Grant::Cluster(MANAGE),
            Grant::Cluster(MANAGE_HOST),
            Grant::Cluster(&[AuthSchemaUpgrade, UseUUID]),
        ],
    },
    Builtin { name: "userAdmin", is_admin_only: false, grants: &[Grant::Own(USER_ADMIN)] },
    Builtin { name: "userAdminAnyDatabase", is_admin_only: true, grants: ANY_USER },
    Builtin { name: "__system", is_admin_only: true, grants: &[Grant::Anything(&[AnyAction])] },
];
