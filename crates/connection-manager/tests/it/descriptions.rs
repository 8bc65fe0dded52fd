//! What connectors tell of their engines is what they accept.

use connection_manager::{ConnectionFactory, ConnectionSettings, PasswordSource};
use shared_kernel::database::{EngineDescription, OptionKind, Presence};

type Change<'a> = &'a dyn Fn(&mut ConnectionSettings);

/// Settings with everything that is required and nothing else.
fn least(description: &EngineDescription) -> ConnectionSettings {
    let mut settings = ConnectionSettings::new(description.engine.clone());
    let given = |presence, value: &str| (presence == Presence::Required).then(|| value.to_owned());
    settings.host = given(description.host, "db.example");
    settings.database = given(description.database, "1");
    settings.username = given(description.username, "ann");
    settings.path = given(description.path, "file.db").map(Into::into);
    settings
}

fn descriptions() -> Vec<(ConnectionFactory, EngineDescription)> {
    let factory = ConnectionFactory::compiled();
    let engines: Vec<_> = factory.engines().cloned().collect();
    assert!(engines.len() >= 7, "{engines:?}");
    let described = engines.iter().map(|engine| factory.connector(engine).expect("compiled in").describe());
    described.map(|description| (factory.clone(), description)).collect()
}

#[test]
fn what_is_described_as_required_is_enough_and_needed() {
    for (factory, description) in descriptions() {
        let connector = factory.connector(&description.engine).expect("compiled in");
        let settings = least(&description);
        assert_eq!(connector.validate(&settings), [], "{}", description.engine);
        assert_eq!(description.default_port, connector.default_port());
        for (key, presence) in
            [("host", description.host), ("username", description.username), ("path", description.path)]
        {
            let mut without = settings.clone();
            match key {
                "host" => without.host = None,
                "username" => without.username = None,
                _ => without.path = None,
            }
            let refused = connector.validate(&without).iter().any(|fault| fault.key == key);
            assert_eq!(refused, presence == Presence::Required, "{} {key}", description.engine);
        }
    }
}

#[test]
fn what_is_described_as_unused_is_refused() {
    for (factory, description) in descriptions() {
        let connector = factory.connector(&description.engine).expect("compiled in");
        let least = least(&description);
        let with = |change: &dyn Fn(&mut ConnectionSettings)| {
            let mut settings = least.clone();
            change(&mut settings);
            connector.validate(&settings)
        };
        let cases: [(Presence, &str, Change<'_>); 6] = [
            (description.host, "host", &|settings| settings.host = Some("db.example".to_owned())),
            (description.port, "port", &|settings| settings.port = Some(1)),
            (description.database, "database", &|settings| settings.database = Some("1".to_owned())),
            (description.path, "path", &|settings| settings.path = Some("file.db".into())),
            (description.username, "username", &|settings| settings.username = Some("ann".to_owned())),
            (description.password, "password", &|settings| {
                settings.password = PasswordSource::Literal("p".to_owned().into());
            }),
        ];
        for (presence, key, change) in cases {
            if presence == Presence::Unused {
                assert!(with(change).iter().any(|fault| fault.key == key), "{} {key}", description.engine);
            }
        }
    }
}

#[test]
fn every_described_option_is_known_and_no_other() {
    for (factory, description) in descriptions() {
        let connector = factory.connector(&description.engine).expect("compiled in");
        for option in &description.options {
            let values: Vec<&str> = match &option.kind {
                OptionKind::Text => continue,
                OptionKind::Switch => vec!["true", "false"],
                OptionKind::Choice(words) => words.iter().map(AsRef::as_ref).collect(),
                OptionKind::Duration => vec!["5s"],
            };
            for value in values {
                let mut settings = least(&description).with_option(option.name.clone(), value);
                settings.tls.mode = connection_manager::TlsMode::VerifyFull;
                assert_eq!(connector.validate(&settings), [], "{} {}={value}", description.engine, option.name);
            }
            let settings = least(&description).with_option(option.name.clone(), "neither this nor that");
            assert_eq!(connector.validate(&settings).len(), 1, "{} {}", description.engine, option.name);
        }
        let settings = least(&description).with_option("no_such_option", "x");
        assert_eq!(connector.validate(&settings).len(), 1, "{}", description.engine);
    }
}
