//! The way to the server: names, sockets, TLS.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use kecoa::config::{SslMode, Target};
use kecoa::server_probe::{self, Certificate, TlsReport};
use kecoa_local::Status;
use serde_json::json;

use super::configuration::Setup;
use super::report::{Report, Step};

/// How long one address is waited for at most.
const TIMEOUT: Duration = Duration::from_secs(5);
/// A certificate that ends sooner is to be renewed.
const RENEW_DAYS: i64 = 21;

/// A place that took a connection; without an address it is a unix socket.
pub(super) struct Reached {
    pub(super) target: Target,
    pub(super) address: Option<SocketAddr>,
}

pub(super) fn examine(setup: &Setup, report: &mut Report) -> Option<Reached> {
    let mut step = Step::new("name");
    let places = resolve(setup, &mut step);
    if !report.add(step) {
        return None;
    }
    let mut step = Step::new("connection");
    let reached = connect(&places, setup, &mut step);
    if !report.add(step) {
        return None;
    }
    let reached = reached?;
    let mut step = Step::new("TLS");
    tls(setup, &reached, &mut step);
    report.add(step).then_some(reached)
}

/// How long one address is waited for.
fn limit(setup: &Setup) -> Duration {
    setup.config.connect_timeout().map_or(TIMEOUT, |given| given.min(TIMEOUT))
}

/// Targets with what they resolve to; nothing is a unix socket.
fn resolve(setup: &Setup, step: &mut Step) -> Vec<(Target, Option<SocketAddr>)> {
    let mut places = Vec::new();
    let mut failures = Vec::new();
    for target in &setup.targets {
        if let Some(path) = target.socket_path() {
            step.finding(format!("{path}: a unix socket, no name to look up"));
            places.push((target.clone(), None));
            continue;
        }
        let shown = target.hostaddr.as_deref().unwrap_or(&target.host);
        if let Ok(address) = shown.parse::<IpAddr>() {
            step.finding(format!("{shown} is an address: there is no name to look up"));
            step.fact(shown, vec![address.to_string()]);
            places.push((target.clone(), Some(SocketAddr::new(address, target.port))));
            continue;
        }
        match (shown, target.port).to_socket_addrs() {
            Ok(found) => {
                let found: Vec<_> = found.collect();
                let addresses: Vec<_> = found.iter().map(|a| a.ip().to_string()).collect();
                step.finding(format!("{shown}: {}", addresses.join(", ")));
                step.fact(shown, addresses);
                places.extend(found.into_iter().map(|address| (target.clone(), Some(address))));
            }
            Err(error) => {
                let error = error.to_string();
                let reason = error.rsplit_once("information: ").map_or(&*error, |(_, why)| why);
                failures.push(format!("{shown}: {reason}"));
            }
        }
    }
    let change = "check the spelling of the host, and the name server of this machine; an address \
                  can be given as hostaddr";
    if places.is_empty() {
        step.fail(failures.join("\n"), change);
    } else if !failures.is_empty() {
        step.finding(failures.join("\n"));
        step.warn(change);
    }
    places
}

fn connect(
    places: &[(Target, Option<SocketAddr>)],
    setup: &Setup,
    step: &mut Step,
) -> Option<Reached> {
    let limit = limit(setup);
    let mut reached = None;
    let mut refused = Vec::new();
    let mut facts = Vec::new();
    for (target, address) in places {
        let started = Instant::now();
        let (shown, result) = match (address, target.socket_path()) {
            (Some(address), _) => {
                (address.to_string(), TcpStream::connect_timeout(address, limit).map(drop))
            }
            (None, path) => {
                let path = path.unwrap_or_default();
                (path.clone(), UnixStream::connect(path).map(drop))
            }
        };
        let took = milliseconds(started.elapsed());
        match result {
            Ok(()) => {
                step.finding(format!("{shown}: connected in {took:.1} ms"));
                facts.push(json!({ "address": shown, "ms": took }));
                if reached.is_none() {
                    step.summarize(format!("{shown} in {took:.1} ms"));
                    reached = Some(Reached { target: target.clone(), address: *address });
                }
            }
            Err(error) => {
                let reason = error.to_string();
                let reason = reason.split(" (os error").next().unwrap_or_default();
                facts.push(json!({ "address": shown, "error": reason }));
                refused.push((error.kind(), format!("{shown}: {reason}")));
            }
        }
    }
    step.fact("addresses", facts);
    let stopped = if reached.is_none() { stopped_endpoint(places) } else { None };
    let change = match refused.first().map(|(kind, _)| *kind) {
        _ if stopped.is_some() => stopped.as_deref().unwrap_or_default(),
        _ if setup.unnamed => {
            "nobody listens there, and nobody named another place: start the local endpoint with `kecoa local \
             start`, or give a URL or DATABASE_URL"
        }
        Some(ErrorKind::NotFound) => {
            "there is no such socket: check the folder and the port (the file is named .s.PGSQL. and the port), \
             whether the server runs, and its unix_socket_directories"
        }
        Some(ErrorKind::PermissionDenied) => {
            "this user may not use the socket: look at the permissions of its folder, and at the server's \
             unix_socket_permissions"
        }
        Some(ErrorKind::ConnectionRefused) => {
            "nobody listens there: check the port (PostgreSQL 5432, CockroachDB 26257), whether the \
             server runs, and whether it listens on this address (listen_addresses)"
        }
        _ => "no answer: look for a firewall, an allow-list of addresses, or a VPN that is off",
    };
    let lines = refused.iter().map(|(_, line)| line.as_str()).collect::<Vec<_>>().join("\n");
    if reached.is_none() {
        step.fail(lines, change);
    } else if !refused.is_empty() {
        step.finding(lines);
        step.warn(change);
    }
    reached
}

/// What to do where nobody listens at the place of a local endpoint.
fn stopped_endpoint(places: &[(Target, Option<SocketAddr>)]) -> Option<String> {
    let near = places.iter().filter_map(|(_, address)| *address).find(|a| a.ip().is_loopback())?;
    let instances = kecoa_local::instances(&kecoa_local::Options::default()).ok()?;
    let instance = instances.into_iter().find(|it| it.kept_port == Some(near.port()))?;
    let name = if instance.current { String::new() } else { format!(" --name {}", instance.name) };
    match instance.status {
        Status::Stopped => Some(format!(
            "that is where the local endpoint `{}` was, and it is stopped: start it with `kecoa local start{name}`, \
             which brings the same URL back",
            instance.name
        )),
        Status::Broken { reason } => {
            Some(format!("that is where the local endpoint `{}` was: {reason}", instance.name))
        }
        status @ (Status::Starting | Status::Stopping) => {
            kecoa_local::usable(status, &kecoa_local::Options::default())
                .err()
                .map(|error| error.to_string())
        }
        Status::Running(_) => None,
    }
}

fn tls(setup: &Setup, reached: &Reached, step: &mut Step) {
    let mode = setup.config.ssl_mode();
    step.fact("sslmode", mode.as_str());
    let Some(address) = reached.address else {
        step.finding("not used over a unix socket: nobody is between its ends");
        step.summarize("a unix socket");
        return;
    };
    let near = address.ip().is_loopback();
    step.finding(format!("sslmode={}: {}", mode.as_str(), protection(setup, mode)));
    step.summarize(if near { "without TLS, on this machine" } else { "without TLS" });
    if mode == SslMode::Disable {
        if !near {
            step.warn("use sslmode=verify-full, or at least sslmode=require");
        }
        return;
    }
    let limit = limit(setup);
    let report = server_probe::tls(&setup.config, &reached.target, address, limit);
    let report = match report {
        Ok(report) => report,
        Err(error) if is_timeout(&error) => {
            step.fail(
                format!("asked for TLS: no answer within {limit:?}"),
                "something takes connections there and does not answer: look at the server's load, for a \
                 firewall in between, and whether it is PostgreSQL or CockroachDB at all",
            );
            return;
        }
        Err(error) if source(&error).is_some_and(|io| has_hung_up(io.kind())) => {
            step.fail(
                "asked for TLS: the server hung up",
                "see the server's log; it may take no more connections, something in between may end them, or it \
                 is no PostgreSQL or CockroachDB server: check host and port",
            );
            return;
        }
        Err(error) => {
            let found = match std::error::Error::source(&error) {
                Some(source) => format!("asked for TLS: {source}"),
                None => error.to_string(),
            };
            step.fail(
                found,
                "this is no PostgreSQL or CockroachDB server, or something in between \
                does not let its protocol pass: check host and port",
            );
            return;
        }
    };
    describe(&report, step);
    judge(&report, setup, near, step);
}

fn source(error: &kecoa::Error) -> Option<&std::io::Error> {
    std::error::Error::source(error).and_then(|source| source.downcast_ref())
}

fn has_hung_up(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::UnexpectedEof
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
    )
}

/// Whether the server did not answer in time: what the system says of it depends on the system.
fn is_timeout(error: &kecoa::Error) -> bool {
    source(error)
        .is_some_and(|source| matches!(source.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
}

fn protection(setup: &Setup, mode: SslMode) -> &'static str {
    let roots = setup.config.get("sslrootcert").is_some_and(|roots| !roots.is_empty());
    // As libpq: who gives roots wants them used.
    let mode = if mode == SslMode::Require && roots { SslMode::VerifyCa } else { mode };
    mode.protection()
}

fn describe(report: &TlsReport, step: &mut Step) {
    step.fact("offered", report.offered);
    if let (Some(version), Some(cipher)) = (&report.version, &report.cipher) {
        step.summarize(version.as_str());
        step.finding(format!("{version}, {cipher}"));
        step.fact("version", version.as_str());
        step.fact("cipher", cipher.as_str());
    }
    let Some(certificate) = &report.certificate else { return };
    let Certificate { subject, issuer, names, .. } = certificate;
    let days = days_left(certificate);
    let signer = if subject == issuer { "itself" } else { issuer.as_str() };
    step.finding(format!("certificate of {subject}, for {}", names.join(", ")));
    step.finding(format!("signed by {signer}"));
    step.finding(if days < 0 {
        format!("expired {} days ago", -days)
    } else {
        format!("expires in {days} days")
    });
    step.fact(
        "certificate",
        json!({ "subject": subject, "issuer": issuer, "names": names, "days_left": days }),
    );
}

fn days_left(certificate: &Certificate) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    certificate.not_after.saturating_sub(now).div_euclid(86_400)
}

fn judge(report: &TlsReport, setup: &Setup, near: bool, step: &mut Step) {
    let mode = setup.config.ssl_mode();
    let insists = matches!(mode, SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull);
    if !report.offered {
        let change = "switch TLS on in the server (ssl=on, certificates); without it nothing is \
                      encrypted";
        if insists {
            step.fail(
                "the server has no TLS",
                format!("{change}, and no sslmode above prefer connects"),
            );
        } else if near {
            step.finding("the server has no TLS, and is on this machine");
        } else {
            step.finding("the server has no TLS");
            step.warn(change);
        }
        return;
    }
    if let Some(failure) = &report.failure {
        let found = format!("the TLS handshake failed: {failure}");
        let change = if setup.config.get("sslnegotiation") == Some("direct") {
            "sslnegotiation=direct takes PostgreSQL 17 or newer, with TLS switched on; \
             sslnegotiation=postgres is understood by all"
        } else if report.is_tls {
            "the server's TLS is broken or too old: TLS 1.2 and 1.3 are spoken"
        } else {
            "what answers there speaks no TLS, and may be no PostgreSQL or CockroachDB server: check host and port"
        };
        step.fail_if(insists, found, change);
        return;
    }
    if let Some(refusal) = &report.refusal {
        let (found, change) = refusal
            .split_once("\nHINT: ")
            .unwrap_or((refusal, "check sslrootcert, sslcrl, sslcert and sslkey"));
        step.fail_if(insists, found, change);
        return;
    }
    match report.certificate.as_ref().map(days_left) {
        Some(days) if days < 0 => step.warn("renew the server's certificate: it has expired"),
        Some(days) if days < RENEW_DAYS => step.warn("renew the server's certificate soon"),
        _ => {}
    }
    if !near && mode != SslMode::VerifyFull {
        step.warn(
            "use sslmode=verify-full: with sslrootcert=system for a certificate of a public \
             authority, else with the authority's file as sslrootcert",
        );
    }
}

pub(super) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Whether two ends are on the same machine.
pub(super) fn is_near(reached: &Reached) -> bool {
    reached.address.is_none_or(|address| IpAddr::is_loopback(&address.ip()))
}
