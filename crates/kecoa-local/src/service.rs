//! The endpoint as a service.

use kecoa_server::Service;

/// Its names.
pub static SERVICE: Service = Service {
    title: "local endpoint",
    data: "the local database",
    command: "kecoa local",
    directory: "instances",
    log: "local.log",
};
