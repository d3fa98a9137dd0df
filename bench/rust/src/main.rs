//! Rust clients side by side on one server: rounds interleaved, medians, one run.
//!
//! usage: kecoa-bench [--dsn DSN] [--only workload,…] [--clients name,…] [--connections N]
//!                    [--rounds N] [--secs S] [--threads N]
//!
//! DSN is of key=value pairs that all clients understand; `KECOA_TEST_DSN` unless given. Two tables
//! come out: microseconds a call, and the median of what each round is as a multiple of the same round of
//! tokio-postgres (below 1 is faster).
//! Two processes of a server are never equally fast, so every client connects anew N times, and its
//! rounds on all connections count. The asynchronous clients share one runtime of one thread, or of N.

mod blocking;
mod sqlx_peer;
mod tokio_kecoa;
mod tokio_postgres_peer;
mod workloads;

use std::error::Error;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use workloads::{Client, WORKLOADS};

pub type Any = Box<dyn Error + Send + Sync>;

struct Options {
    dsn: String,
    only: Option<Vec<String>>,
    clients: Option<Vec<String>>,
    connections: usize,
    rounds: usize,
    secs: f64,
    threads: usize,
}

fn options() -> Result<Options, Any> {
    let mut options = Options {
        dsn: std::env::var("KECOA_TEST_DSN").unwrap_or_default(),
        only: None,
        clients: None,
        connections: 12,
        rounds: 5,
        secs: 0.05,
        threads: 1,
    };
    let list = |value: String| Some(value.split(',').map(str::to_owned).collect());
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("expected a value behind {name}"))?;
        match name.as_str() {
            "--dsn" => options.dsn = value,
            "--only" => options.only = list(value),
            "--clients" => options.clients = list(value),
            "--connections" => options.connections = value.parse()?,
            "--rounds" => options.rounds = value.parse()?,
            "--secs" => options.secs = value.parse()?,
            "--threads" => options.threads = value.parse()?,
            _ => return Err(format!("unknown argument {name}").into()),
        }
    }
    Ok(options)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Microseconds a call, over at least `secs`.
fn measure(work: &mut dyn FnMut() -> Result<(), Any>, secs: f64) -> Result<f64, Any> {
    let (started, limit) = (Instant::now(), Duration::from_secs_f64(secs));
    let mut calls = 0_u32;
    while started.elapsed() < limit {
        work()?;
        calls += 1;
    }
    Ok(started.elapsed().as_secs_f64() * 1e6 / f64::from(calls))
}

fn main() -> Result<(), Any> {
    let options = options()?;
    let runtime = match options.threads {
        1 => tokio::runtime::Builder::new_current_thread().enable_all().build()?,
        n => tokio::runtime::Builder::new_multi_thread().worker_threads(n).enable_all().build()?,
    };
    let wanted =
        |name: &str| options.only.as_ref().is_none_or(|only| only.iter().any(|o| o == name));
    let workloads: Vec<_> = WORKLOADS.iter().copied().filter(|name| wanted(name)).collect();
    let mut names = Vec::new();
    let mut seen = vec![Vec::new(); workloads.len()];
    for _ in 0..options.connections {
        let mut clients = connect(&options, &runtime)?;
        names = clients.iter().map(|client| client.name()).collect();
        run(&options, &mut clients, &workloads, &mut seen)?;
    }
    show(&names, &workloads, &seen);
    Ok(())
}

fn connect<'a>(options: &Options, runtime: &'a Runtime) -> Result<Vec<Box<dyn Client + 'a>>, Any> {
    let mut clients: Vec<Box<dyn Client>> = vec![
        Box::new(blocking::Kecoa::connect(&options.dsn)?),
        Box::new(tokio_kecoa::Kecoa::connect(&options.dsn, runtime)?),
        Box::new(tokio_postgres_peer::Peer::connect(&options.dsn, runtime)?),
        Box::new(blocking::Postgres::connect(&options.dsn)?),
        Box::new(sqlx_peer::Peer::connect(&options.dsn, runtime)?),
    ];
    clients[0].setup(workloads::SETUP)?;
    if let Some(names) = &options.clients {
        clients.retain(|client| names.iter().any(|name| name == client.name()));
    }
    Ok(clients)
}

/// Adds what each round takes, in microseconds a call, to `seen`: for each workload and client.
fn run(
    options: &Options,
    clients: &mut [Box<dyn Client + '_>],
    workloads: &[&str],
    seen: &mut [Vec<Vec<f64>>],
) -> Result<(), Any> {
    for round in 0..=options.rounds {
        for (workload, seen) in workloads.iter().zip(&mut *seen) {
            seen.resize(clients.len(), Vec::new());
            // They take turns at going first. Nobody goes twice in a row, as whoever ends one round and
            // begins the next would: the scheduler wakes a server that has just worked later than one
            // that has rested.
            let mut order: Vec<_> = (0..clients.len()).collect();
            order.rotate_left(round % clients.len());
            for number in order {
                let client = &mut clients[number];
                client.setup(workloads::EMPTY)?;
                let secs = if round == 0 { options.secs / 3.0 } else { options.secs };
                let took = measure(&mut || client.run(workload), secs)?;
                if round > 0 {
                    seen[number].push(took);
                }
            }
        }
    }
    Ok(())
}

fn show(names: &[&str], workloads: &[&str], seen: &[Vec<Vec<f64>>]) {
    let header: String = names.iter().map(|name| format!("{name:>16}")).collect();
    println!("{:<34}{header}", "microseconds a call, median");
    for (workload, seen) in workloads.iter().zip(seen) {
        let row: String =
            seen.iter().map(|took| format!("{:>16.1}", median(took.clone()))).collect();
        println!("{workload:<34}{row}");
    }
    let Some(base) = names.iter().position(|name| *name == "tokio-postgres") else { return };
    println!("\n{:<34}{header}", "as a multiple of tokio-postgres");
    for (workload, seen) in workloads.iter().zip(seen) {
        // Round by round: what slows the whole machine down for a while slows both.
        let multiple = |took: &Vec<f64>| {
            median(took.iter().zip(&seen[base]).map(|(took, base)| took / base).collect())
        };
        let row: String = seen.iter().map(|took| format!("{:>16.2}", multiple(took))).collect();
        println!("{workload:<34}{row}");
    }
}
