//! Commands that make, change and show users and roles.

pub mod create;
pub mod create_role;
pub mod drop;
pub mod drop_all;
pub mod drop_role;
pub mod grant_roles;
pub mod grant_to_role;
mod role_settings;
pub mod roles_info;
pub mod settings;
pub mod update;
pub mod update_role;
pub mod users_info;
