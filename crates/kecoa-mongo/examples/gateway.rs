//! A gateway without a home: `gateway DATABASE-URL PORT [NAME]`, for trying and for tests. Without authentication; with
//! test commands; as a replica set if NAME is given.
#![allow(clippy::print_stdout)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use kecoa_mongo::command::{self, Gateway, ReplicaSet};
use kecoa_mongo::server;
use kecoa_mongo::store::{self, Store};
use kecoa_server::listener::Listener;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve())
}

async fn serve() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().ok_or("expected the URL of a database")?;
    let port: u16 = arguments.next().unwrap_or_else(|| "27017".to_owned()).parse()?;
    let config = url.parse::<kecoa::Config>()?;
    let store = Store::open(&config, store::Options::default()).await?;
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let listener = Listener::bind(address).await?;
    let host = listener.local_addr()?.to_string();
    let options = command::Options {
        replica_set: arguments.next().map(|name| ReplicaSet { name, host: host.clone() }),
        authentication: false,
        test_commands: true,
        argv: vec!["gateway".to_owned()],
        number: fastrand::u16(..32_768),
    };
    let gateway = Gateway::with_store(options, store);
    let reaped = gateway.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            reaped.reap().await;
        }
    });
    println!("mongodb://{host}/");
    let forever = std::future::pending();
    server::serve(&listener, Arc::new(gateway), server::Options::default(), forever).await;
    Ok(())
}
