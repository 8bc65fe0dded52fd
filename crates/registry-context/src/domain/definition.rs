use shared_kernel::database::{Engine, EngineDescription, Presence};
use shared_kernel::validation::Violations;

use super::{
    DatabaseName, DisplayName, FilePath, Host, Labels, Notes, Options, Port, SecretName, Tls, TlsMode, Username,
};

/// What a caller says about a connection, apart from its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// What it is called; no other connection is.
    pub name: DisplayName,
    /// The product behind it.
    pub engine: Engine,
    /// The server.
    pub host: Option<Host>,
    /// The server's port; `None` is the engine's usual one.
    pub port: Option<Port>,
    /// The database on the server.
    pub database: Option<DatabaseName>,
    /// The file of an embedded database.
    pub path: Option<FilePath>,
    /// The user to log in as.
    pub username: Option<Username>,
    /// The name of the secret that holds the password, in the place of one that is kept here.
    pub secret: Option<SecretName>,
    /// How the way to the server is protected; `None` where the engine knows no TLS.
    pub tls: Option<Tls>,
    /// What only this engine knows.
    pub options: Options,
    /// What people sort connections by.
    pub labels: Labels,
    /// What people want to know of it.
    pub notes: Option<Notes>,
}

/// Which secrets a connection has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Held {
    /// A password of its own.
    pub password: bool,
    /// The key of its client certificate.
    pub client_key: bool,
}

impl Definition {
    /// Fills in what goes without saying: a server is reached with all of TLS unless something else is said.
    pub fn complete(&mut self, engine: &EngineDescription) {
        if engine.tls && self.tls.is_none() {
            self.tls = Some(Tls::default());
        }
    }

    /// What does not fit the engine or does not fit together, with pointers into the definition.
    pub fn faults(&self, held: Held, engine: &EngineDescription) -> Violations {
        let mut violations = Violations::new();
        let has_password = held.password || self.secret.is_some();
        let parts = [
            ("host", engine.host, self.host.is_some()),
            ("port", engine.port, self.port.is_some()),
            ("database", engine.database, self.database.is_some()),
            ("path", engine.path, self.path.is_some()),
            // Such a secret holds the user as well.
            ("username", engine.username, self.username.is_some() || self.secret.is_some()),
            ("password", engine.password, has_password),
        ];
        for (part, presence, given) in parts {
            match presence {
                Presence::Required if !given => {
                    violations.add(
                        format!("/{part}"),
                        "required",
                        format!("`{part}` is missing: {} needs it", engine.title),
                    );
                }
                Presence::Unused if given => {
                    // A user that is not there comes along with a secret.
                    let part = match part {
                        "username" if self.username.is_none() => continue,
                        "password" if self.secret.is_some() => "secret",
                        other => other,
                    };
                    violations.add(format!("/{part}"), "not_applicable", format!("{} has no {part}", engine.title));
                }
                _ => {}
            }
        }
        if held.password && self.secret.is_some() {
            violations.add(
                "/secret",
                "conflict",
                "`secret` is given besides a password; a connection has one or the other",
            );
        }
        if engine.ambient_login && (self.username.is_none() || !held.password) && self.secret.is_none() {
            // Anybody could otherwise use what the service is allowed to.
            let part = if self.username.is_none() { "username" } else { "password" };
            let message =
                format!("`{part}` is missing: without a login of its own the connection would use that of the service");
            violations.add(format!("/{part}"), "required", message);
        }
        self.check_tls(held, engine, &mut violations);
        self.options.check(engine, &mut violations);
        violations
    }

    fn check_tls(&self, held: Held, engine: &EngineDescription, violations: &mut Violations) {
        let Some(tls) = &self.tls else {
            if held.client_key {
                violations.add("/tls/client_key", "not_applicable", format!("{} has no TLS", engine.title));
            }
            return;
        };
        if !engine.tls {
            violations.add("/tls", "not_applicable", format!("{} has no TLS", engine.title));
            return;
        }
        if tls.mode == TlsMode::Disabled && tls.ca.is_some() {
            violations.add("/tls/ca", "not_applicable", "`tls.ca` is of no use while the mode is disabled");
        }
        if tls.mode == TlsMode::Disabled && tls.client_certificate.is_some() {
            let message = "`tls.client_certificate` is of no use while the mode is disabled";
            violations.add("/tls/client_certificate", "not_applicable", message);
        }
        match (&tls.client_certificate, held.client_key) {
            (Some(_), false) => {
                let message = "`tls.client_key` is missing: a client certificate is of no use without its key, and a key that \
                               was stored is dropped when the connection leads elsewhere";
                violations.add("/tls/client_key", "required", message);
            }
            (None, true) => {
                let message = "`tls.client_certificate` is missing: the key is of no use without it";
                violations.add("/tls/client_certificate", "required", message);
            }
            _ => {}
        }
    }

    /// Whether the secrets that go with this definition would go elsewhere, or to somebody else, with the other one.
    ///
    /// Where they go is the engine, the host, the port, all of TLS, the user, the file, and every option that is not known to
    /// have no say in it. The database is not part of it: whoever answers has seen the password before it is named.
    pub fn leads_elsewhere_than(&self, other: &Self, engine: &EngineDescription) -> bool {
        self.engine != other.engine
            || self.host != other.host
            || self.port_of(engine) != other.port_of(engine)
            || self.path != other.path
            || self.username != other.username
            || self.tls != other.tls
            || self.options.lead_elsewhere(&other.options, engine)
    }

    /// The engine's usual port, named or not, is the same port.
    fn port_of(&self, engine: &EngineDescription) -> Option<u16> {
        self.port.map(Port::get).or(engine.default_port)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use shared_kernel::database::{OptionDescription, OptionKind};

    use super::*;
    use crate::domain::{Certificates, OptionValue};

    const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nAAEC\n-----END CERTIFICATE-----\n";
    const PASSWORD: Held = Held { password: true, client_key: false };

    fn server() -> EngineDescription {
        EngineDescription::server(Engine::POSTGRES, "PostgreSQL", 5432)
            .with(OptionDescription::new("application_name", OptionKind::Text, "A name.").harmless())
            .with(OptionDescription::new("encryption", OptionKind::Choice(vec!["a".into(), "b".into()]), "How."))
            .with(OptionDescription::new("cancel", OptionKind::Switch, "Whether.").harmless())
            .with(OptionDescription::new("create", OptionKind::Switch, "Whether.").for_operators())
    }

    fn definition() -> Definition {
        Definition {
            name: DisplayName::parse("Sales").expect("a name"),
            engine: Engine::POSTGRES,
            host: Host::parse("db.example").ok(),
            port: None,
            database: DatabaseName::parse("sales").ok(),
            path: None,
            username: Username::parse("ann").ok(),
            secret: None,
            tls: Some(Tls::default()),
            options: Options::default(),
            labels: Labels::default(),
            notes: None,
        }
    }

    fn options(pairs: &[(&str, &str)]) -> Options {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), OptionValue::parse(value).expect("a value"));
        Options::new(pairs.iter().map(pair).collect::<BTreeMap<_, _>>())
    }

    #[track_caller]
    fn faults(definition: &Definition, held: Held, engine: &EngineDescription, expected: &[&str]) {
        let faults = definition.faults(held, engine);
        let found: Vec<String> = faults.iter().map(|fault| format!("{} {}", fault.pointer, fault.code)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_server_needs_a_host_and_a_user_and_has_no_file() {
        faults(&definition(), Held::default(), &server(), &[]);
        let wrong = Definition { host: None, username: None, path: FilePath::parse("a.db").ok(), ..definition() };
        faults(&wrong, PASSWORD, &server(), &["/host required", "/path not_applicable", "/username required"]);
        let by_secret = Definition { username: None, secret: SecretName::parse("team/sales").ok(), ..definition() };
        faults(&by_secret, Held::default(), &server(), &[]);
        faults(&by_secret, PASSWORD, &server(), &["/secret conflict"]);
    }

    #[test]
    fn a_file_has_nothing_of_a_server() {
        let file = EngineDescription::embedded(Engine::SQLITE, "SQLite");
        let least = Definition {
            host: None,
            database: None,
            username: None,
            tls: None,
            path: FilePath::parse("a.db").ok(),
            ..definition()
        };
        faults(&least, Held::default(), &file, &[]);
        faults(
            &definition(),
            PASSWORD,
            &file,
            &[
                "/host not_applicable",
                "/database not_applicable",
                "/path required",
                "/username not_applicable",
                "/password not_applicable",
                "/tls not_applicable",
            ],
        );
        let by_secret = Definition { secret: SecretName::parse("x").ok(), ..least.clone() };
        faults(&by_secret, Held::default(), &file, &["/secret not_applicable"]);
        faults(&least, Held { client_key: true, password: false }, &file, &["/tls/client_key not_applicable"]);
    }

    #[test]
    fn nobody_is_lent_the_identity_of_the_service() {
        let ambient = EngineDescription { username: Presence::Optional, ambient_login: true, ..server() };
        faults(&Definition { username: None, ..definition() }, Held::default(), &ambient, &["/username required"]);
        faults(&definition(), Held::default(), &ambient, &["/password required"]);
        faults(&definition(), PASSWORD, &ambient, &[]);
    }

    #[test]
    fn a_certificate_and_its_key_go_together() {
        let certificates = || Certificates::parse(CERTIFICATE).ok();
        let with = |tls| Definition { tls: Some(tls), ..definition() };
        let both = with(Tls { client_certificate: certificates(), ..Tls::default() });
        faults(&both, Held { client_key: true, password: true }, &server(), &[]);
        faults(&both, PASSWORD, &server(), &["/tls/client_key required"]);
        faults(
            &definition(),
            Held { client_key: true, password: true },
            &server(),
            &["/tls/client_certificate required"],
        );
        let off = with(Tls { mode: TlsMode::Disabled, ca: certificates(), client_certificate: certificates() });
        faults(
            &off,
            Held { client_key: true, password: true },
            &server(),
            &["/tls/ca not_applicable", "/tls/client_certificate not_applicable"],
        );
    }

    #[test]
    fn options_are_the_engines_own() {
        let with = |pairs| Definition { options: options(pairs), ..definition() };
        faults(&with(&[("cancel", "false"), ("encryption", "b")]), PASSWORD, &server(), &[]);
        let wrong = [("cancel", "no"), ("create", "true"), ("encryption", "c"), ("sslkey", "/etc/x")];
        faults(
            &with(&wrong),
            PASSWORD,
            &server(),
            &[
                "/options/cancel unknown_value",
                "/options/create not_allowed",
                "/options/encryption unknown_value",
                "/options/sslkey unknown_option",
            ],
        );
        let none = EngineDescription { options: Vec::new(), ..server() };
        faults(&with(&[("a/b", "x")]), PASSWORD, &none, &["/options/a~1b unknown_option"]);
    }

    #[test]
    fn what_leads_elsewhere_is_known() {
        let leads = |change: &dyn Fn(&mut Definition)| {
            let mut other = definition();
            change(&mut other);
            definition().leads_elsewhere_than(&other, &server())
        };
        assert!(leads(&|other| other.host = Host::parse("evil.example").ok()));
        assert!(leads(&|other| other.port = Port::try_new(5433).ok()));
        assert!(leads(&|other| other.engine = Engine::MYSQL));
        assert!(leads(&|other| other.username = Username::parse("eve").ok()));
        assert!(leads(&|other| other.path = FilePath::parse("other.db").ok()));
        assert!(leads(&|other| other.tls = None));
        assert!(leads(&|other| other.tls = Some(Tls { mode: TlsMode::Required, ..Tls::default() })));
        assert!(leads(&|other| other.options = options(&[("encryption", "a")])));
        assert!(leads(&|other| other.options = options(&[("nobody_knows", "a")])));
        assert!(!leads(&|other| other.options = options(&[("application_name", "a")])));
        assert!(!leads(&|other| other.port = Port::try_new(5432).ok()), "it is the usual port");
        assert!(!leads(&|other| {
            other.name = DisplayName::parse("Other").expect("a name");
            other.database = DatabaseName::parse("other").ok();
            other.notes = Notes::parse("x").ok();
        }));
    }
}
