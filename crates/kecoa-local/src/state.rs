//! The state file by which a later process finds, reports and stops a running endpoint.
