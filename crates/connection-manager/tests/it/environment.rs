//! Drivers read the environment of their process. Who defines a connection is given nothing of it: no login, no database, no
//! server, and no way around the egress policy.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as expected")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use connection_manager::egress::EgressConfig;
use connection_manager::{ConnectionSettings, PasswordSource, PoolSettings, TlsSettings};
use shared_kernel::RequestContext;
use shared_kernel::database::Engine;
use testkit::rogue::{Malice, Rogue, Speech};

/// The test that is the program of the process whose environment is read.
const PROGRAM: &str = "environment::one_connection_from_outside";
const VARIABLE: &str = "BINDERY_TEST_ENVIRONMENT";
const CANARY: &str = "c4nary";

/// The program: opens a connection from outside as it is told, and says how that ended. Without an order it has nothing to say.
#[test]
fn one_connection_from_outside() {
    #[expect(clippy::disallowed_methods, reason = "a test's process is told through the environment what to do")]
    let Ok(order) = std::env::var(VARIABLE) else { return };
    let [engine, port, password] = order.split(' ').collect::<Vec<_>>().try_into().unwrap();
    let pool = PoolSettings { connect_timeout: Duration::from_secs(5), ..PoolSettings::sized(0, 1) };
    let mut settings = ConnectionSettings::new(Engine::from(engine.to_owned()))
        .with_host("127.0.0.1")
        .with_port(port.parse().unwrap())
        .with_username("ann")
        .with_tls(TlsSettings::disabled())
        .with_egress(EgressConfig::open().egress([]))
        .with_pool(pool);
    if !password.is_empty() {
        settings = settings.with_password(PasswordSource::Literal(password.into()));
    }
    if engine == "dynamodb" {
        settings = settings.with_option("region", "eu-central-1");
    }
    testkit::run(async {
        let context = RequestContext::system().within(Duration::from_secs(5));
        let outcome = match testkit::connect(settings).await {
            Ok(connection) => match connection.key_value() {
                Ok(values) => values.get(b"key", &context).await.map(drop),
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        };
        match outcome {
            Ok(()) => println!("it ended well"),
            Err(error) => println!("it ended with {}: {error}", error.kind().as_str()),
        }
    });
}

/// How it ends in a process with these variables.
fn opened(engine: &Engine, port: u16, password: &str, variables: &[(&str, String)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", PROGRAM, "--nocapture"]).env(VARIABLE, format!("{engine} {port} {password}"));
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    let end = text.lines().find(|line| line.contains("it ended ")).map(str::to_owned);
    end.unwrap_or_else(|| panic!("{text}"))
}

/// As [`opened`], while the rogue of the test answers.
async fn opens(engine: Engine, port: u16, password: &'static str, variables: Vec<(&'static str, String)>) -> String {
    tokio::task::spawn_blocking(move || opened(&engine, port, password, &variables)).await.unwrap()
}

/// A file of passwords for whoever asks, at its usual place in a home and with the rights that it has to have.
fn passwords(home: &Path) -> String {
    let file = home.join(".pgpass");
    std::fs::write(&file, format!("*:*:*:*:{CANARY}\n")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    file.display().to_string()
}

#[test]
fn a_server_of_postgres_is_told_nothing_of_it() {
    testkit::run(async {
        let home = tempfile::tempdir().unwrap();
        let canary = Rogue::start(Speech::Postgres, Malice::Silent).await;
        let variables = || {
            let elsewhere = canary.address();
            let mut variables = vec![
                ("PGHOST", elsewhere.ip().to_string()),
                ("PGHOSTADDR", elsewhere.ip().to_string()),
                ("PGPORT", elsewhere.port().to_string()),
                ("PGPASSFILE", passwords(home.path())),
                ("HOME", home.path().display().to_string()),
                ("PGSSLMODE", "require".to_owned()),
                ("DATABASE_URL", format!("postgres://{CANARY}:{CANARY}@{elsewhere}/{CANARY}")),
            ];
            let names = ["PGUSER", "PGPASSWORD", "PGDATABASE", "PGAPPNAME", "PGSERVICE", "PGCLIENTENCODING"];
            variables.extend(names.map(|name| (name, CANARY.to_owned())));
            variables
        };
        for password in ["secret", ""] {
            // The announcement ends the session as soon as the login is over.
            let rogue = Rogue::start(Speech::Postgres, Malice::Announcing(0)).await;
            let end = opens(Engine::POSTGRES, rogue.address().port(), password, variables()).await;
            let told = rogue.told();
            let text = String::from_utf8_lossy(&told);
            assert_eq!(told.get(4..8), Some(&[0, 3, 0, 0][..]), "{end}: it asks for no TLS: {text}");
            assert!(rogue.was_told("user\0ann\0") && rogue.was_told("database\0postgres\0"), "{end}: {text}");
            assert!(rogue.was_told(&format!("{password}\0")) && rogue.was_told("p\0\0\0"), "{end}: {text}");
            assert!(!rogue.was_told(CANARY) && !end.contains(CANARY), "{end}: {text}");
        }
        assert_eq!(canary.accepted(), 0);
    });
}

/// Its driver reads these whatever it is told, so that nobody is connected while one is there.
#[test]
fn what_a_driver_cannot_be_kept_from_lending_keeps_connections_from_being_opened() {
    testkit::run(async {
        let rogue = Rogue::start(Speech::Postgres, Malice::Announcing(0)).await;
        for name in ["PGSSLCERT", "PGSSLKEY", "PGSSLROOTCERT", "PGOPTIONS"] {
            let variables = vec![(name, CANARY.to_owned())];
            let end = opens(Engine::POSTGRES, rogue.address().port(), "secret", variables).await;
            assert!(end.contains("misconfigured") && end.contains(name) && !end.contains(CANARY), "{name}: {end}");
        }
        assert_eq!(rogue.accepted(), 0);
    });
}

#[test]
fn dynamodb_is_told_nothing_of_it_and_reached_without_a_detour() {
    testkit::run(async {
        let canary = Rogue::start(Speech::Http, Malice::Silent).await;
        let elsewhere = format!("http://{}", canary.address());
        let mut variables = Vec::new();
        let detours = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
        let endpoints = ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_CONTAINER_CREDENTIALS_FULL_URI"];
        variables.extend(detours.into_iter().chain(endpoints).map(|name| (name, elsewhere.clone())));
        let identity = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_PROFILE"];
        variables.extend(identity.map(|name| (name, CANARY.to_owned())));
        let rogue = Rogue::start(Speech::Http, Malice::Announcing(1 << 30)).await;
        let end = opens(Engine::DYNAMODB, rogue.address().port(), "secret", variables).await;
        let told = rogue.told();
        let text = String::from_utf8_lossy(&told);
        assert!(text.contains("Credential=ann/") && text.contains("eu-central-1"), "{end}: {text}");
        assert!(!rogue.was_told(CANARY) && !end.contains(CANARY), "{end}: {text}");
        assert_eq!(canary.accepted(), 0);
    });
}
