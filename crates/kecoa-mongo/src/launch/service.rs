//! What the gateway is called.

use kecoa_server::Service;

/// The gateway as a service.
pub static SERVICE: Service = Service {
    title: "MongoDB gateway",
    data: "the gateway's password and state",
    command: "kecoa mongo",
    directory: "mongo",
    log: "mongo.log",
};
