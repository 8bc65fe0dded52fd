//! Keys that are hard to tell of.

use connection_manager::redis::driver_crate::{Cmd, cmd};
use shared_kernel::database::DatabaseConnection;
use testkit::redis::OwnRedis;

use super::tell;

/// What nobody may find in an answer: parts of keys, names of fields and values.
pub(super) const SECRETS: [&str; 8] = [
    "5f1c2a3e-0000-4000-8000",
    "ann.smith@example.com",
    "Xk9dL2mQpR7vT1b",
    "10.1.2.3",
    "hunter2",
    "2031-05",
    "777123",
    "member-of-",
];

fn words(words: &[&str]) -> Cmd {
    let mut command = Cmd::new();
    for word in words {
        command.arg(*word);
    }
    command
}

pub(super) async fn fill(server: &OwnRedis) {
    let connection = server.connection().await;
    let connection = &*connection;
    for number in 0..40_u32 {
        let session = format!("session:5f1c2a3e-0000-4000-8000-{number:012}");
        let fields = ["user", &number.to_string(), "token", "hunter2", "customer-name", "hunter2"];
        let count = if number % 4 == 0 { 6 } else { 4 };
        run(connection, words(&[&["HSET", &session][..], &fields[..count]].concat())).await;
        run(connection, cmd("EXPIRE").arg(&session).arg(1_000 + number).take()).await;
    }
    for number in 0..12_u32 {
        run(connection, cmd("SET").arg(format!("user:{}:name", 777_123 + number)).arg("hunter2").take()).await;
        run(connection, cmd("RPUSH").arg(format!("queue{number}")).arg("hunter2").arg("hunter2").take()).await;
        run(connection, cmd("SADD").arg(format!("seen:2031-05-{:02}", number + 1)).arg("hunter2").take()).await;
        run(connection, cmd("SET").arg(format!("sess:Xk9dL2mQpR7vT1b{number}")).arg("hunter2").take()).await;
        run(connection, cmd("HSET").arg("by-day").arg(format!("2031-05-{:02}", number + 1)).arg(number).take()).await;
    }
    for command in [
        &["SET", "counter", "17"][..],
        &["SET", "config", &"x".repeat(100)],
        &["SET", "mail:ann.smith@example.com", "hunter2"],
        &["ZADD", "board:{10.1.2.3}", "1", "hunter2"],
        &["XADD", "events", "*", "kind", "hunter2"],
        &["XADD", "events", "*", "kind", "hunter2"],
        &["PFADD", "visitors", "hunter2"],
        &["SETBIT", "bits", "7", "1"],
        &["GEOADD", "places", "13.4", "52.5", "hunter2"],
        &["SET", "Robert'); --\n\u{1f600}", "hunter2"],
        &["SET", "", "hunter2"],
    ] {
        run(connection, words(command)).await;
    }
    run(connection, cmd("SET").arg(b"blob:\xff\xfe\x00".as_slice()).arg(b"\xff".as_slice()).take()).await;
    run(connection, cmd("SET").arg(b"pi\xf1a:menu".as_slice()).arg("hunter2").take()).await;
    run(
        connection,
        cmd("HSET").arg("odd").arg(b"\xff\x00".as_slice()).arg("hunter2").arg("score:777123").arg(1).take(),
    )
    .await;
    let mut large = cmd("SADD");
    large.arg("large");
    for number in 0..2_000 {
        large.arg(format!("member-of-{number}"));
    }
    run(connection, large).await;
    let mut wide = cmd("HSET");
    wide.arg("wide");
    for number in 0..500 {
        wide.arg(format!("5f1c2a3e-0000-4000-8000-{number:012}")).arg("hunter2");
    }
    run(connection, wide).await;
    // Another database, over a connection that ends with it.
    let settings = server.settings().with_database("3");
    let third = testkit::connect(settings).await.expect("connected");
    run(&*third, cmd("SET").arg("flag:5f1c2a3e-0000-4000-8000-000000000000").arg("hunter2").take()).await;
    run(&*third, cmd("SETEX").arg("lock").arg(600).arg("hunter2").take()).await;
}

async fn run(connection: &dyn DatabaseConnection, command: Cmd) {
    tell::<connection_manager::redis::driver_crate::Value>(connection, command).await;
}
