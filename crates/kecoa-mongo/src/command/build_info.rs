//! `buildInfo`, `features`, `hostInfo`, `getCmdLineOpts`: what this server is and runs on.

use ::bson::{DateTime, RawArrayBuf, RawDocumentBuf, rawdoc};
use bson::raw::cstr;

use crate::bson::limits::MAX_DOCUMENT_BYTES;

use super::arguments::Argument;
use super::context::{Context, Definition, Privilege, Running};

/// The version of MongoDB whose behaviour this is.
pub const VERSION: &str = "8.0.0";

/// `buildInfo`.
pub const BUILD_INFO: Definition = Definition::new("buildInfo", build_info)
    .aliases(&["buildinfo"])
    .open()
    .anonymous()
    .help("the version of the server");

/// `features`.
pub const FEATURES: Definition =
    Definition::new("features", features).open().help("what the server was built with");

/// `hostInfo`.
pub const HOST_INFO: Definition = Definition::new("hostInfo", host_info)
    .open()
    .admin()
    .needs(Privilege::Monitor)
    .help("the machine");

/// `getCmdLineOpts`.
pub const GET_CMD_LINE_OPTS: Definition = Definition::new("getCmdLineOpts", command_line)
    .open()
    .admin()
    .needs(Privilege::Monitor)
    .help("how the server was started");

/// `getFreeMonitoringStatus`.
pub const GET_FREE_MONITORING_STATUS: Definition =
    Definition::new("getFreeMonitoringStatus", free_monitoring)
        .open()
        .admin()
        .help("there is no free monitoring");

fn build_info<'a>(_context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async {
        let mut numbers = RawArrayBuf::new();
        for number in [8, 0, 0, 0] {
            numbers.push(number);
        }
        let mut engines = RawArrayBuf::new();
        engines.push("wiredTiger");
        Ok(rawdoc! {
            "version": VERSION,
            "gitVersion": concat!("kecoa-", env!("CARGO_PKG_VERSION")),
            "modules": RawArrayBuf::new(),
            "allocator": "system",
            "javascriptEngine": "none",
            "sysInfo": "deprecated",
            "versionArray": numbers,
            "openssl": { "running": "none", "compiled": "none" },
            "buildEnvironment": { "target_arch": std::env::consts::ARCH, "target_os": std::env::consts::OS },
            "bits": 64,
            "debug": false,
            "maxBsonObjectSize": i32::try_from(MAX_DOCUMENT_BYTES).unwrap_or(i32::MAX),
            "storageEngines": engines,
        })
    })
}

fn features<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        let id = context.gateway.process;
        Ok(
            rawdoc! { "js": { "utf8": true }, "oidMachine": i32::from(id.bytes().first().copied().unwrap_or(0)) },
        )
    })
}

fn host_info<'a>(_context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let cores = i32::try_from(cores).unwrap_or(i32::MAX);
        Ok(rawdoc! {
            "system": {
                "currentTime": DateTime::now(),
                "hostname": "localhost",
                "cpuAddrSize": 64,
                "memSizeMB": 0_i64,
                "memLimitMB": 0_i64,
                "numCores": cores,
                "numCoresAvailableToProcess": cores,
                "cpuArch": std::env::consts::ARCH,
                "numaEnabled": false,
            },
            "os": { "type": std::env::consts::OS, "name": std::env::consts::OS, "version": "" },
            "extra": RawDocumentBuf::new(),
        })
    })
}

fn command_line<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        let options = &context.gateway.options;
        let mut words = RawArrayBuf::new();
        for word in &options.argv {
            words.push(word.as_str());
        }
        let mut parsed = RawDocumentBuf::new();
        if options.authentication {
            parsed.append(cstr!("security"), rawdoc! { "authorization": "enabled" });
        }
        if let Some(set) = &options.replica_set {
            parsed.append(cstr!("replication"), rawdoc! { "replSet": set.name.as_str() });
        }
        if options.test_commands {
            parsed.append(cstr!("setParameter"), rawdoc! { "enableTestCommands": "1" });
        }
        Ok(rawdoc! { "argv": words, "parsed": parsed })
    })
}

fn free_monitoring<'a>(_context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async {
        Ok(rawdoc! { "state": "disabled", "message": "", "url": "", "userReminder": "" })
    })
}

/// `whatsmyuri`.
pub const WHATSMYURI: Definition =
    Definition::new("whatsmyuri", my_address).open().anonymous().help("the client's address");

fn my_address<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        let address = context
            .connection
            .peer
            .map_or_else(|| "anonymous unix socket:0".to_owned(), |peer| peer.to_string());
        Ok(rawdoc! { "you": address })
    })
}

/// `getLog`.
pub const GET_LOG: Definition = Definition::new("getLog", log)
    .value(super::arguments::Kind::String)
    .arguments(&[Argument::any("help")])
    .open()
    .admin()
    .needs(Privilege::Monitor)
    .help("messages of the server's log");

fn log<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        match context.value.as_str().unwrap_or_default() {
            "*" => {
                let mut names = RawArrayBuf::new();
                names.push("global");
                names.push("startupWarnings");
                Ok(rawdoc! { "names": names })
            }
            "global" | "startupWarnings" => {
                Ok(rawdoc! { "totalLinesWritten": 0, "log": RawArrayBuf::new() })
            }
            name => Err(crate::error::Error::new(
                crate::error::Code::OPERATION_FAILED,
                format!("no RamLog named: {name}"),
            )),
        }
    })
}
