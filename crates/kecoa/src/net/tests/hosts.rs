//! Which of several hosts and addresses is connected to, and when it is given up.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use kecoa_pgmock::{Script, Server};

use super::config;
use crate::config::Target;
use crate::error::{Error, ErrorKind};
use crate::interrupt::Never;
use crate::net::address::Address;
use crate::net::deadline::Clock;
use crate::net::order::Balance;
use crate::net::search::{SearchContext, search};

/// A loopback listener whose queue is full, so that nobody who connects gets an answer: an address
/// behind a firewall that drops packets.
struct BlackHole {
    address: SocketAddr,
    _listener: socket2::Socket,
    _queued: Vec<socket2::Socket>,
}

impl BlackHole {
    fn new(ip: &str) -> BlackHole {
        let ip: std::net::IpAddr = ip.parse().unwrap();
        let domain = if ip.is_ipv4() { socket2::Domain::IPV4 } else { socket2::Domain::IPV6 };
        let listener = socket2::Socket::new(domain, socket2::Type::STREAM, None).unwrap();
        listener.bind(&SocketAddr::new(ip, 0).into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap().as_socket().unwrap();
        // One waits to be accepted, the next are not even answered.
        let queued = (0..4).map(|_| {
            let socket = socket2::Socket::new(domain, socket2::Type::STREAM, None).unwrap();
            socket.set_nonblocking(true).unwrap();
            let _ = socket.connect(&address.into());
            socket
        });
        let queued = queued.collect();
        BlackHole { address, _listener: listener, _queued: queued }
    }
}

/// A port of this address on which nobody listens, as long as the socket is kept.
fn closed(ip: &str) -> (socket2::Socket, SocketAddr) {
    let ip: std::net::IpAddr = ip.parse().unwrap();
    let domain = if ip.is_ipv4() { socket2::Domain::IPV4 } else { socket2::Domain::IPV6 };
    let socket = socket2::Socket::new(domain, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::new(ip, 0).into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    (socket, address)
}

fn at(server: &Server) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], server.port()))
}

/// What a search found: the address, or the error.
fn found(
    text: &str,
    limits: (Option<u64>, Option<u64>),
    balance: Balance,
    names: &[(&str, &[SocketAddr])],
) -> Result<SocketAddr, Error> {
    let resolve = |target: &Target| {
        let name = names.iter().find(|(name, _)| *name == target.host);
        let (_, addresses) = name.ok_or_else(|| Error::connect("no such name"))?;
        Ok(addresses.iter().copied().map(Address::Tcp).collect())
    };
    let [each, total] = [limits.0, limits.1].map(|limit| limit.map(Duration::from_millis));
    let context = SearchContext { clock: Clock::start(each, total), balance, resolve: &resolve };
    let (mut stream, mut connection) =
        search(&config(&format!("sslmode=disable {text}")), context, &mut Never)?;
    let Address::Tcp(address) = stream.peer().address else { panic!("{:?}", stream.peer()) };
    connection.terminate();
    stream.write(connection.poll_transmit().unwrap()).unwrap();
    stream.shutdown();
    Ok(address)
}

fn one(address: SocketAddr) -> [SocketAddr; 1] {
    [address]
}

#[test]
fn every_address_of_a_name_is_tried() {
    let (_closed, refusing) = closed("127.0.0.1");
    let full =
        Server::start(vec![Script::new().expect_startup().fatal("53300", "too many").close()]);
    let good = Server::start(vec![Script::new().startup().terminate()]);
    let addresses = [refusing, at(&full), at(&good)];
    let names: [(&str, &[SocketAddr]); 1] = [("db", &addresses)];
    assert_eq!(found("host=db", (None, None), Balance::Given, &names).unwrap(), at(&good));
}

#[test]
fn a_refused_password_ends_the_search() {
    let strict = Server::start(vec![
        Script::new().expect_startup().fatal("28P01", "wrong password").close(),
    ]);
    let (_closed, other) = closed("127.0.0.1");
    let addresses = [at(&strict), other];
    let names: [(&str, &[SocketAddr]); 2] = [("db", &addresses), ("more", &addresses)];
    let error = found("host=db,more", (None, None), Balance::Given, &names).unwrap_err();
    assert_eq!(error.sqlstate(), Some("28P01"));
    assert!(!error.to_string().contains("refused"), "{error}");
}

#[test]
fn an_address_that_does_not_answer_holds_up_for_its_head_start_only() {
    let hole = BlackHole::new("127.0.0.1");
    let good = Server::start(vec![Script::new().startup().terminate()]);
    let addresses = [hole.address, at(&good)];
    let names: [(&str, &[SocketAddr]); 1] = [("db", &addresses)];
    let begun = Instant::now();
    // Without a limit: only the race brings this to an end.
    assert_eq!(found("host=db", (None, None), Balance::Given, &names).unwrap(), at(&good));
    assert!(begun.elapsed() >= Duration::from_millis(250), "the first had no delay");
}

#[test]
fn what_lost_the_race_is_tried_again_when_the_winner_is_of_no_use() {
    let drains = Script::new().expect_startup().fatal("57P01", "draining").close();
    let draining = Server::start(vec![drains]);
    let hole = BlackHole::new("127.0.0.1");
    let addresses = [hole.address, at(&draining)];
    let names: [(&str, &[SocketAddr]); 1] = [("db", &addresses)];
    let error = found("host=db", (Some(1500), None), Balance::Given, &names).unwrap_err();
    let text = error.to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[0].contains("draining"), "{text}");
    let limit = "timeout expired (connect_timeout is 1.5 s)";
    assert!(lines[1].contains(&hole.address.port().to_string()) || lines[1].contains("\"db\""));
    assert!(lines[1].ends_with(limit), "{text}");
}

#[test]
fn both_families_are_tried() {
    let Ok(listener) = TcpListener::bind("[::1]:0") else {
        // A machine without IPv6 has nothing to fall back from.
        return;
    };
    drop(listener);
    let hole = BlackHole::new("::1");
    let good = Server::start(vec![Script::new().startup().terminate()]);
    // Two broken addresses of one family come before the other family in the list only.
    let addresses = [hole.address, hole.address, at(&good)];
    let names: [(&str, &[SocketAddr]); 1] = [("db", &addresses)];
    assert_eq!(found("host=db", (None, None), Balance::Given, &names).unwrap(), at(&good));
}

#[test]
fn each_address_has_its_time_and_all_have_theirs() {
    // They connect, and then say nothing.
    let silent: Vec<TcpListener> =
        (0..3).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let addresses: Vec<SocketAddr> = silent.iter().map(|l| l.local_addr().unwrap()).collect();
    let hosts = [one(addresses[0]), one(addresses[1]), one(addresses[2])];
    let names: [(&str, &[SocketAddr]); 3] = [("a", &hosts[0]), ("b", &hosts[1]), ("c", &hosts[2])];

    let error = found("host=a,b,c", (Some(100), None), Balance::Given, &names).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let text = error.to_string();
    assert_eq!(text.lines().count(), 3, "{text}");
    for (line, host) in text.lines().zip(["a", "b", "c"]) {
        assert!(line.starts_with(&format!("connection to server at \"{host}\" (127.0.0.1)")));
        assert!(line.ends_with("timeout expired (connect_timeout is 0.1 s)"), "{text}");
    }

    let error = found("host=a,b,c", (Some(200), Some(300)), Balance::Given, &names).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let text = error.to_string();
    // On a busy machine the second may not be reached any more.
    assert!(text.lines().count() <= 2, "the third was tried: {text}");
    assert!(text.ends_with("(connect_total_timeout is 0.3 s)"), "{text}");
    assert!(!text.contains("\"c\""), "{text}");
}

#[test]
fn addresses_that_do_not_even_connect_run_into_the_limits() {
    let holes = [BlackHole::new("127.0.0.1"), BlackHole::new("127.0.0.1")];
    let addresses = [holes[0].address, holes[1].address];
    let names: [(&str, &[SocketAddr]); 1] = [("db", &addresses)];
    // The second begins 250 ms after the first, and each has its own time.
    let error = found("host=db", (Some(300), None), Balance::Given, &names).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.to_string().matches("connect_timeout is 0.3 s").count(), 2, "{error}");
    let error = found("host=db", (None, Some(300)), Balance::Given, &names).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.to_string().ends_with("(connect_total_timeout is 0.3 s)"), "{error}");
}

#[test]
fn a_caller_may_stop_while_nobody_answers() {
    let hole = BlackHole::new("127.0.0.1");
    let resolve = |_: &Target| Ok(vec![Address::Tcp(hole.address)]);
    let context = SearchContext {
        clock: Clock::start(None, None),
        balance: Balance::Given,
        resolve: &resolve,
    };
    let mut stops = || std::ops::ControlFlow::Break(());
    let error = search(&config("host=db,other"), context, &mut stops).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
}

#[test]
fn the_whole_time_may_be_over_before_a_host_is_tried() {
    let (_closed, refusing) = closed("127.0.0.1");
    let hosts = one(refusing);
    let names: [(&str, &[SocketAddr]); 1] = [("a", &hosts)];
    let error = found("host=a", (None, Some(0)), Balance::Given, &names).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(
        error.to_string(),
        "timeout expired before host \"a\" was tried (connect_total_timeout is 0 s)"
    );
}

#[test]
fn a_host_that_does_not_answer_does_not_hold_up_the_next_for_ever() {
    let hole = BlackHole::new("127.0.0.1");
    let good = Server::start(vec![Script::new().startup().terminate()]);
    let hosts = [one(hole.address), one(at(&good))];
    let names: [(&str, &[SocketAddr]); 2] = [("hole", &hosts[0]), ("good", &hosts[1])];
    let wanted = found("host=hole,good", (Some(100), None), Balance::Given, &names).unwrap();
    assert_eq!(wanted, at(&good));
}

#[test]
fn hosts_and_addresses_are_spread() {
    let script = || Script::new().startup().terminate();
    let servers: Vec<Server> = (0..2).map(|_| Server::start(vec![script(); 6])).collect();
    let hosts = [one(at(&servers[0])), one(at(&servers[1]))];
    let names: [(&str, &[SocketAddr]); 2] = [("a", &hosts[0]), ("b", &hosts[1])];
    let both = [at(&servers[0]), at(&servers[1])];
    for turn in 0..4 {
        let balance = Balance::RoundRobin { turn };
        let to = found("host=a,b", (None, None), balance, &names).unwrap();
        assert_eq!(to, both[turn % 2]);
    }
    let all: [(&str, &[SocketAddr]); 1] = [("db", &both)];
    for turn in 0..4 {
        let balance = Balance::RoundRobin { turn };
        assert_eq!(found("host=db", (None, None), balance, &all).unwrap(), both[turn % 2]);
    }
    // Seeds whose first shuffle of two keeps the order, and turns it round.
    let keeps = |seed: &u64| {
        let mut pair = [0, 1];
        fastrand::Rng::with_seed(*seed).shuffle(&mut pair);
        pair == [0, 1]
    };
    let kept = (0..).find(keeps).unwrap();
    let turned = (0..).find(|seed| !keeps(seed)).unwrap();
    for (seed, wanted) in [(kept, both[0]), (turned, both[1])] {
        for (text, names) in [("host=a,b", &names[..]), ("host=db", &all[..])] {
            // With one host its shuffle draws nothing, so the addresses get the same numbers.
            let balance = Balance::Random(fastrand::Rng::with_seed(seed));
            let to = found(text, (None, None), balance, names).unwrap();
            assert_eq!(to, wanted, "{text}");
        }
    }
}

#[test]
fn a_server_that_answers_late_is_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let late = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        std::thread::sleep(Duration::from_millis(400));
        let mut startup = [0; 512];
        assert!(socket.read(&mut startup).unwrap() > 8);
        socket.write_all(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I").unwrap();
        let _ = socket.read(&mut startup);
    });
    let hosts = one(address);
    let names: [(&str, &[SocketAddr]); 1] = [("db", &hosts)];
    assert_eq!(found("host=db", (Some(20_000), None), Balance::Given, &names).unwrap(), address);
    late.join().unwrap();
}
