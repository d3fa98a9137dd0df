//! The proxy between a client and a server that are both written out, in virtual time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::connection::{ClientStream, serve};
use crate::injector::Injector;

impl ClientStream for DuplexStream {
    fn reset_when_closed(&self) {}
}

/// Both ends of a proxy.
struct Scene {
    client: DuplexStream,
    server: DuplexStream,
    log: Arc<Mutex<Vec<String>>>,
    served: JoinHandle<()>,
}

const STARTUP: &[u8] = b"\0\0\0\x10\0\x03\0\0user\0u\0\0";
const READY: &[u8] = b"Z\0\0\0\x05I";

fn injector(plan: &str, seed: u64) -> (Arc<Injector>, Arc<Mutex<Vec<String>>>) {
    let log = Arc::new(Mutex::new(Vec::new()));
    let lines = log.clone();
    let log_event =
        move |happened: &crate::FaultEvent| lines.lock().unwrap().push(happened.to_string());
    (Arc::new(Injector::new(&plan.parse().unwrap(), seed, Arc::new(log_event))), log)
}

fn open(injector: &(Arc<Injector>, Arc<Mutex<Vec<String>>>)) -> Scene {
    let (client, theirs) = duplex(1 << 16);
    let (server, behind) = duplex(1 << 16);
    let shared = injector.0.clone();
    let served = tokio::spawn(async move { serve(&shared, theirs, behind).await });
    Scene { client, server, log: injector.1.clone(), served }
}

fn scene(plan: &str) -> Scene {
    open(&injector(plan, 7))
}

fn query(sql: &str) -> Vec<u8> {
    tagged(b'Q', format!("{sql}\0").as_bytes())
}

fn complete(tag: &str) -> Vec<u8> {
    tagged(b'C', format!("{tag}\0").as_bytes())
}

fn tagged(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![tag];
    message.extend(u32::try_from(body.len() + 4).unwrap().to_be_bytes());
    message.extend(body);
    message
}

impl Scene {
    /// The client sends this, and the server gets that.
    async fn up(&mut self, sent: &[u8], expected: &[u8]) {
        self.client.write_all(sent).await.unwrap();
        get(&mut self.server, expected).await;
    }

    /// The server sends this, and the client gets that.
    async fn down(&mut self, sent: &[u8], expected: &[u8]) {
        self.server.write_all(sent).await.unwrap();
        get(&mut self.client, expected).await;
    }

    async fn start(&mut self) {
        self.up(STARTUP, STARTUP).await;
        let hello = [b"R\0\0\0\x08\0\0\0\0", READY].concat();
        self.down(&hello, &hello).await;
    }

    fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

async fn get(from: &mut DuplexStream, expected: &[u8]) {
    let mut found = vec![0; expected.len()];
    from.read_exact(&mut found).await.unwrap();
    assert_eq!(found, expected, "{:?}", String::from_utf8_lossy(&found));
}

/// What comes up to the end.
async fn rest(from: &mut DuplexStream) -> Vec<u8> {
    let mut found = Vec::new();
    from.read_to_end(&mut found).await.unwrap();
    found
}

fn is_error(message: &[u8], code: &str, severity: &str) -> bool {
    let text = String::from_utf8_lossy(message);
    message.first() == Some(&b'E') && text.contains(&format!("S{severity}\0V{severity}\0C{code}\0"))
}

#[tokio::test(start_paused = true)]
async fn without_a_fault_nothing_is_changed() {
    let mut scene = scene("drop:0");
    scene.start().await;
    let text = query("SELECT 1");
    scene.up(&text, &text).await;
    let rows = tagged(b'D', &[7; 70_000]);
    let sent = rows.clone();
    let (mut server, mut client) = (scene.server, scene.client);
    let writer = tokio::spawn(async move {
        server.write_all(&sent).await.unwrap();
        server.write_all(b"Q\0\0").await.unwrap();
        server
    });
    get(&mut client, &rows).await;
    // Half a message at the end gets through as well.
    drop(writer.await.unwrap());
    assert_eq!(rest(&mut client).await, b"Q\0\0");
    drop(client);
    scene.served.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_delay_and_a_stall_hold_back_and_then_go_on() {
    let mut scene = scene("delay:5s@client@#2, stall:7s@client@25, split@server");
    scene.start().await;
    let before = Instant::now();
    let text = query("SELECT 1");
    scene.up(&text, &text).await;
    assert_eq!(before.elapsed().as_secs(), 12);
    let log = scene.log();
    // Of the server's, AuthenticationOk and ReadyForQuery were split.
    assert_eq!(log.len(), 4, "{log:?}");
    assert_eq!(
        log[2],
        "fault seed=7 connection=1 position=client@16 message=2 what=delay:5s@client@#2"
    );
    assert_eq!(
        log[3],
        "fault seed=7 connection=1 position=client@25 message=2 what=stall:7s@client@25"
    );
}

#[tokio::test(start_paused = true)]
async fn a_stall_for_ever_ends_when_the_client_leaves() {
    let mut scene = scene("stall@client@20");
    scene.start().await;
    let text = query("SELECT 1");
    scene.client.write_all(&text).await.unwrap();
    get(&mut scene.server, &text[..4]).await;
    let waited = tokio::time::timeout(Duration::from_secs(3600), scene.server.read_u8()).await;
    assert!(waited.is_err(), "nothing comes for an hour");
    drop(scene.client);
    assert_eq!(rest(&mut scene.server).await, b"");
    drop(scene.server);
    scene.served.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_drop_ends_both_sides_and_the_servers_first() {
    let mut scene = scene("drop@commit");
    scene.start().await;
    let text = query("UPDATE t");
    scene.up(&text, &text).await;
    scene.client.write_all(&query("commit")).await.unwrap();
    assert_eq!(rest(&mut scene.server).await, b"");
    // The client hears of it once the server has ended its session, or after a second.
    let before = Instant::now();
    tokio::time::sleep(Duration::from_millis(300)).await;
    drop(scene.server);
    assert_eq!(rest(&mut scene.client).await, b"");
    assert_eq!(before.elapsed().as_millis(), 300);
}

#[tokio::test(start_paused = true)]
async fn truncation_cuts_inside_a_message_and_a_byte_in_front_of_it() {
    for (plan, least, most) in
        [("truncate@server@#3", 16, 29), ("drop@server@17", 17, 17), ("drop@server@#3", 15, 15)]
    {
        let mut scene = scene(plan);
        scene.up(STARTUP, STARTUP).await;
        let sent = [b"R\0\0\0\x08\0\0\0\0", READY, &complete("SELECT 1")[..]].concat();
        scene.server.write_all(&sent).await.unwrap();
        let found = rest(&mut scene.client).await;
        assert!((least..=most).contains(&found.len()), "{plan}: {}", found.len());
        assert!(sent.starts_with(&found));
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_at_a_statement_is_raised_by_the_server_and_renamed() {
    let mut scene = scene("error:40001@\"update  ACCOUNTS\":times=1");
    scene.start().await;
    let batch = query("BEGIN;UPDATE accounts SET x = 1");
    scene.up(&batch, &query("BEGIN;SELECT kecoa_fault_1()")).await;
    let begun = complete("BEGIN");
    scene.down(&begun, &begun).await;
    let failed = tagged(b'E', b"SERROR\0C42883\0Mfunction kecoa_fault_1() does not exist\0\0");
    scene.server.write_all(&[&failed, &b"Z\0\0\0\x05E"[..]].concat()).await.unwrap();
    let mut found = vec![0; 256];
    let mut length = 0;
    while !found[..length].ends_with(b"Z\0\0\0\x05E") {
        length += scene.client.read(&mut found[length..]).await.unwrap();
    }
    assert!(is_error(&found[..length], "40001", "ERROR"));
    // Once only.
    scene.up(&batch, &batch).await;
    assert_eq!(
        scene.log(),
        ["fault seed=7 connection=1 position=client@16 message=2 \
          what=error:40001@\"update  ACCOUNTS\":times=1"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_prepared_statement_fails_where_it_is_bound() {
    let mut scene = scene("error:40001@statement");
    scene.start().await;
    let parse = tagged(b'P', b"s\0SELECT 1\0\0\0");
    let bind = tagged(b'B', b"\0s\0\0\0\0\0\0\0");
    let sync = tagged(b'S', b"");
    let instead = tagged(b'B', b"\0kecoa_fault_1\0\0\0\0\0\0\0");
    let sent = [&parse[..], &bind, &sync].concat();
    scene.up(&sent, &[&parse[..], &instead, &sync].concat()).await;
    let failed = tagged(b'E', b"C26000\0Mprepared statement \"kecoa_fault_1\" does not exist\0\0");
    scene.server.write_all(&[&tagged(b'1', b""), &failed, READY].concat()).await.unwrap();
    get(&mut scene.client, &tagged(b'1', b"")).await;
    let mut found = vec![0; 256];
    let length = scene.client.read(&mut found).await.unwrap();
    assert!(is_error(&found[..length], "40001", "ERROR"));
}

#[tokio::test(start_paused = true)]
async fn an_error_at_commit_rolls_back() {
    let mut scene = scene("error:40001@commit");
    scene.start().await;
    scene.up(&query("COMMIT"), &query("ROLLBACK")).await;
    scene.server.write_all(&[&complete("ROLLBACK"), READY].concat()).await.unwrap();
    let mut found = vec![0; 256];
    let mut length = 0;
    while !found[..length].ends_with(READY) {
        length += scene.client.read(&mut found[length..]).await.unwrap();
    }
    assert!(is_error(&found[..length], "40001", "ERROR"));
    // The same in the extended protocol: what follows the COMMIT is not run.
    let parse = tagged(b'P', b"\0COMMIT\0\0\0");
    let bind = tagged(b'B', b"\0\0\0\0\0\0\0\0");
    let execute = tagged(b'E', b"\0\0\0\0\0");
    let sync = tagged(b'S', b"");
    let sent = [&parse[..], &bind, &execute, &parse, &bind, &execute, &sync].concat();
    scene.up(&sent, &[&parse[..], &query("ROLLBACK"), &sync].concat()).await;
    let answers = [&tagged(b'1', b"")[..], &complete("ROLLBACK"), READY, READY].concat();
    scene.server.write_all(&answers).await.unwrap();
    get(&mut scene.client, &tagged(b'1', b"")).await;
    scene.server.shutdown().await.unwrap();
    let found = rest(&mut scene.client).await;
    assert!(is_error(&found, "40001", "ERROR"));
    assert_eq!(found.windows(READY.len()).filter(|w| *w == READY).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn after_commit_the_answer_is_lost_and_the_work_is_not() {
    let mut scene = scene("error:40003@after-commit:times=1, drop@after-commit");
    scene.start().await;
    let commit = query("COMMIT");
    let done = [&complete("COMMIT"), READY].concat();
    for code in ["40003", ""] {
        scene.up(&commit, &commit).await;
        scene.server.write_all(&done).await.unwrap();
        if code.is_empty() {
            assert_eq!(rest(&mut scene.client).await, b"");
        } else {
            let mut found = vec![0; 256];
            let mut length = 0;
            while !found[..length].ends_with(READY) {
                length += scene.client.read(&mut found[length..]).await.unwrap();
            }
            assert!(is_error(&found[..length], code, "ERROR"));
        }
    }
    // A COMMIT that rolled back did no harm.
    assert_eq!(scene.log().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn errors_that_end_a_session_end_it() {
    for (plan, code) in [
        ("error:57P01@statement", "57P01"),
        ("error:57P01@commit", "57P01"),
        ("error:53300@startup", "53300"),
        ("error:40001@startup", "40001"),
    ] {
        let mut scene = scene(plan);
        if plan.contains("startup") {
            scene.client.write_all(STARTUP).await.unwrap();
        } else {
            scene.start().await;
            scene.client.write_all(&query("COMMIT; SELECT 1")).await.unwrap();
        }
        assert_eq!(rest(&mut scene.server).await, b"", "{plan}: nothing of it arrives");
        drop(scene.server);
        let received = rest(&mut scene.client).await;
        assert!(is_error(&received, code, "FATAL"), "{plan}: {received:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn connections_are_counted_and_seeds_can_be_chosen() {
    let injector = injector("drop@startup:connection=2", 7);
    let seeded = b"\0\0\0\x34\0\x03\0\0user\0u\0options\0-c kecoa.fault_seed=9\0\0";
    let seeded = [b"\0\0\0", &[u8::try_from(seeded.len()).unwrap()][..], &seeded[4..]].concat();
    let mut kept = Vec::new();
    for (message, ends) in
        [(STARTUP, false), (&seeded, false), (STARTUP, true), (&seeded, true), (STARTUP, false)]
    {
        let mut scene = open(&injector);
        scene.client.write_all(message).await.unwrap();
        if ends {
            assert_eq!(rest(&mut scene.server).await, b"");
        } else {
            // The server does not see the choice.
            get(&mut scene.server, STARTUP).await;
        }
        kept.push(scene);
    }
    assert_eq!(
        kept[0].log(),
        [
            "fault seed=7 connection=2 position=client@0 message=1 what=drop@startup:connection=2",
            "fault seed=9 connection=2 position=client@0 message=1 what=drop@startup:connection=2",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_encrypted_passes_as_bytes() {
    let mut scene = scene("drop@commit, error:40001@statement, drop@client@600");
    let ask = b"\0\0\0\x08\x04\xd2\x16\x2f";
    scene.up(ask, ask).await;
    scene.down(b"S", b"S").await;
    let text = query("COMMIT");
    scene.up(&text, &text).await;
    scene.down(b"\x16", b"\x16").await;
    scene.client.write_all(&[5; 700]).await.unwrap();
    let found = rest(&mut scene.server).await;
    assert_eq!(found.len() + text.len() + ask.len(), 600);
    assert_eq!(scene.log().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_tls_and_other_protocols_are_no_obstacle() {
    let mut scene1 = scene("split:0.5");
    let ask = b"\0\0\0\x08\x04\xd2\x16\x2f";
    scene1.up(ask, ask).await;
    scene1.down(b"N", b"N").await;
    scene1.start().await;
    let mut scene2 = scene("split");
    scene2.up(b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\n").await;
    scene2.down(b"HTTP/1.1 200", b"HTTP/1.1 200").await;
    // A request to cancel is left alone, and is not counted.
    let mut scene3 = scene("drop");
    let cancel = b"\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\x01\0\0\0\x02";
    scene3.up(cancel, cancel).await;
    assert_eq!(scene3.log(), <[String; 0]>::default());
}

/// The cutting of the bytes has no part in the decisions.
#[tokio::test(start_paused = true)]
async fn the_same_seed_does_the_same_however_bytes_arrive() {
    let plan = "stall:1ms:0.3, split:0.3, delay:2ms:0.3, truncate@client:0.05";
    let mut logs = Vec::new();
    for piece in [1, 7, 4096] {
        let mut all = Vec::new();
        for seed in 0..20 {
            let mut scene = open(&injector(plan, seed));
            let mut sent = STARTUP.to_vec();
            (0..10).for_each(|n| sent.extend(query(&format!("SELECT {n}"))));
            for chunk in sent.chunks(piece) {
                // A client that was cut off writes in vain.
                let _ = scene.client.write_all(chunk).await;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            scene.client.shutdown().await.unwrap();
            all.push((rest(&mut scene.server).await, scene.log()));
        }
        logs.push(all);
    }
    assert_eq!(logs[0], logs[1]);
    assert_eq!(logs[0], logs[2]);
    assert!(logs[0].iter().any(|(_, log)| log.iter().any(|line| line.contains("truncate"))));
    assert!(logs[0].iter().any(|(_, log)| log.iter().all(|line| !line.contains("truncate"))));
}
