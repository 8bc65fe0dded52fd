use registry_context::application::{CreateConnectionCommand, CreateConnectionError};
use registry_context::domain::{
    Certificates, DatabaseName, Definition, FilePath, GivenSecrets, Host, Notes, OptionValue, Options, Port,
    SecretName, StoredConnection, Tls, TlsMode, Username,
};
use shared_kernel::database::{Engine, EngineDescription};
use shared_kernel::idempotency::{Creation, IdempotencyError, Idempotent};
use shared_kernel::validation::Violations;
use testkit::Server;

use crate::fixture::{Fixture, definition, labels, password, password_of};

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nAAEC\n-----END CERTIFICATE-----\n";

/// A definition with all that there is, each as long as it may be and of characters that take the most room.
fn everything(name: &str) -> Definition {
    let wide = |count: usize| "\u{1f600}".repeat(count);
    let many: Vec<(String, String)> = (0..32).map(|number| (format!("{number:0>63}"), wide(200))).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    Definition {
        host: Host::parse(&format!("{}.example", "a".repeat(245))).ok(),
        port: Port::try_new(65_535).ok(),
        database: DatabaseName::parse(&wide(255)).ok(),
        path: None,
        username: Username::parse(&wide(255)).ok(),
        tls: Some(Tls {
            mode: TlsMode::Required,
            ca: Certificates::parse(&CERTIFICATE.repeat(900)).ok(),
            client_certificate: None,
        }),
        labels: labels(&many),
        notes: Notes::parse(&wide(10_000)).ok(),
        ..definition(name)
    }
}

async fn a_connection_reads_back_as_it_was_stored(server: Server) {
    let fixture = Fixture::new(server).await;
    let stored = fixture.store(everything(&"\u{1fb7}".repeat(100)), password("p@ss/w:rd%?#\"'\\ \u{1f600}")).await;
    let read = fixture.stored(stored.id()).await.expect("it is there");
    assert_eq!(read.record(), stored.record());
    assert_eq!(password_of(&read).as_deref(), Some("p@ss/w:rd%?#\"'\\ \u{1f600}"));
    let least = fixture.store(definition("least"), GivenSecrets::default()).await;
    assert_eq!(fixture.stored(least.id()).await.as_ref(), Some(&least));
}

async fn what_another_engine_needs_is_kept_too(server: Server) {
    let fixture = Fixture::new(server).await;
    let options = [("a/b".to_owned(), OptionValue::parse("x y=\u{e9}").expect("a value"))];
    let file = Definition {
        engine: Engine::new("scratch"),
        host: None,
        path: FilePath::parse("team/b\u{fc}cher.db").ok(),
        username: None,
        secret: SecretName::parse("bindery/registry/sales").ok(),
        tls: None,
        options: Options::new(options.into()),
        ..definition("file")
    };
    let described = EngineDescription::unknown(&file.engine, None);
    assert!(!described.tls);
    let id = registry_context::domain::ConnectionId::new(uuid::Uuid::from_u128(7));
    let now = shared_kernel::Clock::now(&*fixture.clock);
    let stored = StoredConnection::register(id, file, None, now);
    fixture.repository.add(&stored, None, &fixture.context).await.expect("it is kept");
    assert_eq!(fixture.stored(id).await, Some(stored));
}

async fn a_name_is_taken_whatever_its_case(server: Server) {
    let fixture = Fixture::new(server).await;
    let sales = fixture.store(definition("Stra\u{df}e"), GivenSecrets::default()).await;
    for taken in ["STRASSE", "strasse", "Stra\u{df}e"] {
        let refused = fixture.try_store(definition(taken), GivenSecrets::default()).await;
        assert!(matches!(refused, Err(CreateConnectionError::NameTaken)), "{taken}: {refused:?}");
    }
    fixture.store(definition("Str\u{e4}sse"), GivenSecrets::default()).await;
    // Its owner may write it in another way.
    let name = definition("STRASSE").name;
    let renamed = fixture.change(&sales, GivenSecrets::default(), |definition| definition.name = name).await;
    assert_eq!(fixture.stored(sales.id()).await, Some(renamed));
}

async fn a_creation_with_a_key_happens_once(server: Server) {
    let fixture = Fixture::new(server).await;
    let render = |stored: &StoredConnection| stored.id().to_string().into_bytes();
    let wish = |digest: u8| Idempotent { key: "first".parse().expect("a key"), digest: [digest; 32], render: &render };
    let command = || CreateConnectionCommand {
        definition: definition("Sales"),
        secrets: password("canary"),
        found: Violations::new(),
    };
    let create = fixture.create();
    let first = create.execute(command(), Some(&wish(1)), &fixture.context).await.expect("stored");
    let first = first.created().expect("it is new");
    let again = create.execute(command(), Some(&wish(1)), &fixture.context).await.expect("replayed");
    assert_eq!(again, Creation::Replayed(first.id().to_string().into_bytes()));
    let other = create.execute(command(), Some(&wish(2)), &fixture.context).await;
    assert!(matches!(other, Err(CreateConnectionError::Idempotency(IdempotencyError::Mismatch))), "{other:?}");
}

async fn it_can_share_a_database_with_the_others(server: Server) {
    let fixture = Fixture::new(server).await;
    fixture.database.migrate("users").await;
    fixture.database.migrate("books").await;
    let stored = fixture.store(definition("Sales"), GivenSecrets::default()).await;
    assert_eq!(fixture.stored(stored.id()).await, Some(stored));
}

testkit::on_every_engine!(
    a_connection_reads_back_as_it_was_stored,
    what_another_engine_needs_is_kept_too,
    a_name_is_taken_whatever_its_case,
    a_creation_with_a_key_happens_once,
    it_can_share_a_database_with_the_others,
);
