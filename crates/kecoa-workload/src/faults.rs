//! The fault proxy in front of the server.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use kecoa::{Config, Error};
use kecoa_faults::{Background, FaultEvent, ProxyOptions};

use crate::event::Event;
use crate::options::Faults;
use crate::shared::Report;

/// Starts the proxy, which reports its faults as events.
pub(crate) fn start(
    faults: &Faults,
    seed: u64,
    start: Instant,
    report: Report,
) -> io::Result<Background> {
    Background::start(ProxyOptions {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        upstream: faults.upstream.clone(),
        plan: faults.plan.clone(),
        seed,
        log: Arc::new(move |fault: &FaultEvent| {
            report(Event::Fault { at: start.elapsed(), what: fault.what.clone() });
        }),
    })
}

/// The way to the server through the proxy. TLS only where it was asked for, since statements cannot be seen in
/// it; certificates are still those of the server's host.
pub(crate) fn through(direct: &Config, proxy: SocketAddr) -> Result<Config, Error> {
    let mut config = direct.clone();
    let targets = direct.targets()?;
    let host = targets.first().filter(|target| target.socket_path().is_none());
    let host = host.map(|target| target.host.clone()).filter(|host| !host.is_empty());
    config.set("host", host.unwrap_or_else(|| proxy.ip().to_string()))?;
    config.set("hostaddr", proxy.ip().to_string())?;
    config.set("port", proxy.port().to_string())?;
    if direct.get("sslmode").is_none_or(str::is_empty) {
        config.set("sslmode", "disable")?;
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proxy_stands_for_the_first_host() {
        let proxy = SocketAddr::from(([127, 0, 0, 1], 5));
        let direct = Config::parse("postgresql://me:secret@a,b:1/d?sslmode=verify-full").unwrap();
        let through = super::through(&direct, proxy).unwrap();
        let targets = through.targets().unwrap();
        assert_eq!(targets.len(), 1);
        assert_eq!(
            targets.first().map(|target| (target.host.as_str(), target.port)),
            Some(("a", 5))
        );
        assert_eq!(through.get("hostaddr"), Some("127.0.0.1"));
        assert_eq!(through.get("sslmode"), Some("verify-full"));
        assert_eq!(through.password(), Some("secret"));
        let direct = Config::parse("host=/tmp user=me").unwrap();
        let through = super::through(&direct, proxy).unwrap();
        assert_eq!(through.host(), Some("127.0.0.1"));
        assert_eq!(through.get("sslmode"), Some("disable"));
    }
}
