//! Rust clients side by side on one server: rounds interleaved, medians, one run.
//!
//! usage: kecoa-bench [--dsn DSN] [--only workload,…] [--rounds N] [--secs S] [--threads N]
//!
//! DSN is of key=value pairs that all clients understand; `KECOA_TEST_DSN` unless given. Two tables
//! come out: microseconds a call, and the same as a multiple of tokio-postgres' (below 1 is faster).
//! The asynchronous clients share one runtime of one thread, or of N.

mod blocking;
mod sqlx_peer;
mod tokio_kecoa;
mod tokio_postgres_peer;
mod workloads;

use std::error::Error;
use std::time::{Duration, Instant};

use workloads::{Client, WORKLOADS};

pub type Any = Box<dyn Error + Send + Sync>;

struct Options {
    dsn: String,
    only: Option<Vec<String>>,
    clients: Option<Vec<String>>,
    rounds: usize,
    secs: f64,
    threads: usize,
}

fn options() -> Result<Options, Any> {
    let mut options = Options {
        dsn: std::env::var("KECOA_TEST_DSN").unwrap_or_default(),
        only: None,
        clients: None,
        rounds: 7,
        secs: 0.3,
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
    let runtime = &runtime;
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
    let wanted =
        |name: &str| options.only.as_ref().is_none_or(|only| only.iter().any(|o| o == name));
    let names: Vec<_> = WORKLOADS.iter().copied().filter(|name| wanted(name)).collect();
    let mut seen = vec![vec![Vec::new(); clients.len()]; names.len()];
    for round in 0..=options.rounds {
        for (workload, seen) in names.iter().zip(&mut seen) {
            // Every second round the other way round: what comes first has no advantage.
            let mut order: Vec<_> = (0..clients.len()).collect();
            if round % 2 == 1 {
                order.reverse();
            }
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
    let header: String = clients.iter().map(|client| format!("{:>16}", client.name())).collect();
    println!("{:<34}{header}", "microseconds a call, median");
    let medians: Vec<Vec<f64>> =
        seen.into_iter().map(|row| row.into_iter().map(median).collect()).collect();
    for (name, row) in names.iter().zip(&medians) {
        let row: String = row.iter().map(|took| format!("{took:>16.1}")).collect();
        println!("{name:<34}{row}");
    }
    let base = clients.iter().position(|client| client.name() == "tokio-postgres");
    if let Some(base) = base {
        println!("\n{:<34}{header}", "as a multiple of tokio-postgres");
        for (name, row) in names.iter().zip(&medians) {
            let row: String =
                row.iter().map(|took| format!("{:>16.2}", took / row_base(row, base))).collect();
            println!("{name:<34}{row}");
        }
    }
    Ok(())
}

fn row_base(row: &[f64], base: usize) -> f64 {
    row.get(base).copied().unwrap_or(f64::NAN)
}
