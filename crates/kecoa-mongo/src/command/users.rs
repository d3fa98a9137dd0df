//! Commands that make, change and show users and roles.

pub mod create;
pub mod drop;
pub mod drop_all;
pub mod grant_roles;
pub mod roles_info;
pub mod settings;
pub mod update;
pub mod users_info;
