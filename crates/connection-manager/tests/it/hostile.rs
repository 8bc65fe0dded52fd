//! Servers that mean ill are survived, in bounded time and memory: the limits that are configured are what ends it.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as expected")]

use std::time::Duration;

use connection_manager::egress::{EgressConfig, SessionLimits};
use connection_manager::{ConnectionSettings, PasswordSource, PoolSettings, TlsSettings};
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, Engine, RawStatement};
use testkit::eventually;
use testkit::rogue::{Malice, Rogue, Speech};
use testkit::tds::{Admission, Column, Length, Reply, ResultSet, TdsServer, TdsType, TdsValue};

/// What a test may cost at most, whatever a server announces. Each runs in a process of its own.
const MODEST: u64 = 200 << 20;
/// What a server may say at a stretch.
const ANSWER: usize = 4 << 20;
/// What lies between a rogue and whoever stops listening to it.
const SOCKETS: usize = 32 << 20;

const LIMIT: Duration = Duration::from_secs(30);

fn settings(engine: Engine, port: u16, tls: TlsSettings) -> ConnectionSettings {
    answering(ANSWER, engine, port, tls)
}

/// The same for a server that may answer with so many bytes.
fn answering(answer: usize, engine: Engine, port: u16, tls: TlsSettings) -> ConnectionSettings {
    let limits = SessionLimits { answer, ..SessionLimits::default() };
    let pool = PoolSettings {
        connect_timeout: Duration::from_millis(700),
        acquire_timeout: Duration::from_secs(2),
        ..PoolSettings::sized(0, 1)
    };
    let is_dynamodb = engine == Engine::DYNAMODB;
    let settings = ConnectionSettings::new(engine)
        .with_host("127.0.0.1")
        .with_port(port)
        .with_username("ann")
        .with_password(PasswordSource::Literal("secret".into()))
        .with_tls(tls)
        .with_egress(EgressConfig::open().egress([]).with_limits(limits))
        .with_pool(pool);
    if is_dynamodb { settings.with_option("region", "eu-central-1") } else { settings }
}

fn engine(speech: Speech) -> Engine {
    match speech {
        Speech::MySql => Engine::MYSQL,
        Speech::Postgres => Engine::POSTGRES,
        Speech::Redis => Engine::REDIS,
        Speech::Http => Engine::DYNAMODB,
    }
}

/// The most memory that this process has had, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

/// Connects, and asks for a value where a server only then gets to do what it does.
async fn visit(settings: ConnectionSettings) -> Result<(), DatabaseError> {
    let context = RequestContext::system().within(Duration::from_secs(2));
    let connection = testkit::connect(settings).await?;
    if let Ok(values) = connection.key_value() {
        values.get(b"key", &context).await?;
    }
    if let Ok(sql) = connection.sql() {
        sql.query(&RawStatement::everywhere("SELECT", "SELECT 1").into(), &context).await?;
    }
    connection.close(Duration::from_secs(1)).await;
    Ok(())
}

/// Visits a rogue, which is to end in one of these ways, cost little, and leave nothing open.
async fn survives(speech: Speech, malice: Malice, tls: bool) -> Rogue {
    let before = peak();
    let (rogue, tls) = if tls {
        (Rogue::start_with_tls(speech, malice).await, TlsSettings::required())
    } else {
        (Rogue::start(speech, malice).await, TlsSettings::disabled())
    };
    let error = visit(settings(engine(speech), rogue.address().port(), tls)).await.unwrap_err();
    let ends = [DatabaseErrorKind::Unreachable, DatabaseErrorKind::Timeout, DatabaseErrorKind::Saturated];
    assert!(ends.contains(error.kind()), "{speech:?}, {malice:?}: {error:?}");
    eventually(LIMIT, || rogue.open() == 0).await;
    assert!(rogue.accepted() > 0, "{speech:?}, {malice:?}: {error:?}");
    let cost = peak() - before;
    assert!(cost < MODEST, "{speech:?}, {malice:?}: {} MiB", cost >> 20);
    rogue
}

const ALL: [Speech; 4] = [Speech::MySql, Speech::Postgres, Speech::Redis, Speech::Http];

#[test]
fn a_server_that_says_nothing_is_left() {
    testkit::run(async {
        for speech in ALL {
            survives(speech, Malice::Silent, false).await;
        }
    });
}

#[test]
fn a_server_that_takes_its_time_is_left() {
    testkit::run(async {
        for speech in ALL {
            let rogue = survives(speech, Malice::Dripping(Duration::from_secs(1)), false).await;
            assert!(rogue.sent() > 0, "{speech:?}: it was not silent");
        }
    });
}

#[test]
fn nobody_makes_room_for_a_message_that_was_only_announced() {
    testkit::run(async {
        for tls in [false, true] {
            for length in [i32::MAX as u64, u32::MAX.into(), ANSWER as u64 + 5, 0] {
                survives(Speech::Postgres, Malice::Announcing(length), tls).await;
            }
        }
        for length in [1 << 30, i64::MAX as u64] {
            survives(Speech::Redis, Malice::Announcing(length), false).await;
            survives(Speech::Redis, Malice::AnnouncingElements(length), false).await;
        }
        survives(Speech::Http, Malice::Announcing(1 << 30), false).await;
    });
}

/// The driver makes room for the columns of a result before it has seen one; without the relay's look at their number, the
/// process ends here.
#[test]
fn nobody_makes_room_for_columns_that_were_only_announced() {
    testkit::run(async {
        for tls in [false, true] {
            for columns in [1 << 17, 1 << 24, 1 << 36, u64::MAX] {
                survives(Speech::MySql, Malice::Announcing(columns), tls).await;
            }
        }
    });
}

#[test]
fn an_answer_without_end_is_not_listened_to_for_ever() {
    testkit::run(async {
        for (speech, tls) in [
            (Speech::MySql, false),
            (Speech::MySql, true),
            (Speech::Postgres, false),
            (Speech::Postgres, true),
            (Speech::Redis, false),
            (Speech::Redis, true),
            (Speech::Http, false),
        ] {
            let rogue = survives(speech, Malice::Endless, tls).await;
            let sent = rogue.sent();
            assert!((ANSWER - (64 << 10)..ANSWER + SOCKETS).contains(&sent), "{speech:?}: {sent} bytes");
        }
    });
}

/// On the way they are little: a bit for each value, or seven bytes for each row.
#[test]
fn rows_are_kept_as_long_as_there_is_room_for_them() {
    testkit::run(async {
        for (speech, columns, answer) in [(Speech::MySql, 4096, ANSWER), (Speech::Postgres, 0, 2 * ANSWER)] {
            let before = peak();
            let rogue = Rogue::start(speech, Malice::Rows(columns)).await;
            let settings = answering(answer, engine(speech), rogue.address().port(), TlsSettings::disabled());
            let error = visit(settings.with_option("cancel", "false")).await.unwrap_err();
            assert_eq!(*error.kind(), DatabaseErrorKind::Unreachable, "{speech:?}: {error}");
            assert!(error.to_string().contains("running a query"), "{speech:?}: it is asked nothing more: {error}");
            let cost = peak() - before;
            assert!(cost < MODEST / 2, "{speech:?}: {} MiB", cost >> 20);
            eventually(LIMIT, || rogue.open() == 0).await;
        }
    });
}

#[test]
fn who_asks_for_tls_says_nothing_to_a_server_without() {
    testkit::run(async {
        for speech in [Speech::MySql, Speech::Postgres] {
            let rogue = Rogue::start(speech, Malice::Endless).await;
            let settings = settings(engine(speech), rogue.address().port(), TlsSettings::required());
            let error = visit(settings).await.unwrap_err();
            assert_eq!(*error.kind(), DatabaseErrorKind::TlsFailed, "{speech:?}: {error}");
            eventually(LIMIT, || rogue.open() == 0).await;
            assert!(rogue.accepted() > 0 && !rogue.was_told("ann"), "{speech:?}: {rogue:?}");
        }
    });
}

#[test]
fn a_server_of_mysql_is_given_no_file() {
    testkit::run(async {
        for tls in [false, true] {
            let rogue = survives(Speech::MySql, Malice::AskingForFile("/etc/passwd"), tls).await;
            assert_eq!(rogue.heard(), b"", "not even a no");
        }
    });
}

#[test]
fn nobody_follows_dynamodb_elsewhere() {
    testkit::run(async {
        let canary = Rogue::start(Speech::Http, Malice::Silent).await;
        survives_redirection(canary.address()).await;
        assert_eq!(canary.accepted(), 0);
    });
}

async fn survives_redirection(canary: std::net::SocketAddr) {
    let rogue = Rogue::start(Speech::Http, Malice::Redirecting(canary)).await;
    let settings = settings(Engine::DYNAMODB, rogue.address().port(), TlsSettings::disabled());
    let error = visit(settings).await.unwrap_err();
    assert!(!error.to_string().contains(&canary.to_string()), "{error}");
    assert!(rogue.accepted() > 0);
}

#[test]
fn a_tds_server_that_means_ill_is_survived_too() {
    testkit::run(async {
        let before = peak();
        let server = TdsServer::builder().user("ann", "secret").start().await.unwrap();
        let settings = || settings(Engine::SQLSERVER, server.address().port(), TlsSettings::disabled());
        server.set_admission(Admission::Silent);
        let error = visit(settings()).await.unwrap_err();
        assert_eq!(*error.kind(), DatabaseErrorKind::Unreachable, "{error}");
        server.set_admission(Admission::Normal);
        let long = vec![7_u8; 4 * ANSWER];
        let row = || {
            Reply::rows(ResultSet::new([Column::new("v", TdsType::VarBinary(Length::Max))]).row([long.clone().into()]))
        };
        server.on("SELECT 1", row());
        let error = visit(settings()).await.unwrap_err();
        assert_eq!(*error.kind(), DatabaseErrorKind::Unreachable, "more than is listened to: {error}");
        server.on("SELECT 1", row().dripping(1, Duration::from_secs(1)));
        let error = visit(settings()).await.unwrap_err();
        assert_eq!(*error.kind(), DatabaseErrorKind::Timeout, "{error}");
        eventually(LIMIT, || server.connections().open == 0).await;
        assert!(peak() - before < MODEST + 10 * long.len() as u64);
    });
}

/// Two bytes each.
#[test]
fn rows_of_a_tds_server_are_kept_as_long_as_there_is_room_for_them() {
    testkit::run(async {
        let server = TdsServer::builder().user("ann", "secret").start().await.unwrap();
        let settings = || answering(1 << 20, Engine::SQLSERVER, server.address().port(), TlsSettings::disabled());
        let rows = |count: usize| {
            let none = ResultSet::new([Column::new("n", TdsType::Int)]);
            Reply::rows((0..count).fold(none, |result, _| result.row([TdsValue::Null])))
        };
        server.on("SELECT 1", rows(13_000));
        visit(settings()).await.unwrap();
        server.on("SELECT 1", rows(14_000));
        let error = visit(settings()).await.unwrap_err();
        assert_eq!(*error.kind(), DatabaseErrorKind::Unreachable, "{error}");
        eventually(LIMIT, || server.connections().open == 0).await;
    });
}
