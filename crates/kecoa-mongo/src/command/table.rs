//! All commands.

use super::context::Definition;
use super::users::{create, drop, drop_all, grant_roles, roles_info, update, users_info};
use super::{
    authenticate, build_info, configure_fail_point, connection_status, current_op, get_parameter,
    hello, list_commands, logout, ping, replica_set, sasl_continue, sasl_start, search_indexes,
    server_status, sessions, test_versions, transactions,
};

/// All commands.
pub static COMMANDS: &[&Definition] = &[
    &authenticate::AUTHENTICATE,
    &build_info::BUILD_INFO,
    &build_info::FEATURES,
    &build_info::GET_CMD_LINE_OPTS,
    &build_info::GET_FREE_MONITORING_STATUS,
    &build_info::GET_LOG,
    &build_info::HOST_INFO,
    &build_info::WHATSMYURI,
    &configure_fail_point::CONFIGURE_FAIL_POINT,
    &connection_status::CONNECTION_STATUS,
    &create::CREATE_USER,
    &current_op::CURRENT_OP,
    &current_op::KILL_OP,
    &drop::DROP_USER,
    &drop_all::DROP_ALL_USERS_FROM_DATABASE,
    &get_parameter::GET_PARAMETER,
    &get_parameter::SET_PARAMETER,
    &grant_roles::GRANT_ROLES_TO_USER,
    &grant_roles::REVOKE_ROLES_FROM_USER,
    &hello::HELLO,
    &hello::IS_MASTER,
    &list_commands::LIST_COMMANDS,
    &logout::LOGOUT,
    &ping::PING,
    &replica_set::GET_DEFAULT_RW_CONCERN,
    &replica_set::IS_DB_GRID,
    &replica_set::LIST_SHARDS,
    &replica_set::REPL_SET_FREEZE,
    &replica_set::REPL_SET_GET_CONFIG,
    &replica_set::REPL_SET_GET_STATUS,
    &replica_set::REPL_SET_STEP_DOWN,
    &roles_info::ROLES_INFO,
    &sasl_continue::SASL_CONTINUE,
    &sasl_start::SASL_START,
    &search_indexes::CREATE_SEARCH_INDEXES,
    &search_indexes::DROP_SEARCH_INDEX,
    &search_indexes::LIST_SEARCH_INDEXES,
    &search_indexes::UPDATE_SEARCH_INDEX,
    &server_status::CONN_POOL_STATS,
    &server_status::PROFILE,
    &server_status::SERVER_STATUS,
    &server_status::TOP,
    &sessions::END_SESSIONS,
    &sessions::KILL_ALL_SESSIONS,
    &sessions::KILL_ALL_SESSIONS_BY_PATTERN,
    &sessions::KILL_SESSIONS,
    &sessions::REFRESH_SESSIONS,
    &sessions::START_SESSION,
    &test_versions::TEST_DEPRECATION,
    &test_versions::TEST_DEPRECATION_IN_VERSION_2,
    &test_versions::TEST_VERSION_2,
    &transactions::ABORT_TRANSACTION,
    &transactions::COMMIT_TRANSACTION,
    &update::UPDATE_USER,
    &users_info::USERS_INFO,
];

/// The command of this name; names are case-sensitive.
#[must_use]
pub fn find(name: &str) -> Option<&'static Definition> {
    COMMANDS.iter().copied().find(|command| command.name == name || command.aliases.contains(&name))
}
