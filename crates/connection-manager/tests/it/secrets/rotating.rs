//! Passwords and users change under load, in a secret that an emulator keeps and a cache holds for an hour.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use connection_manager::credentials::ManagedSecrets;
use connection_manager::{ConnectionSettings, Credentials, SecretSource};
use secrecy::ExposeSecret;
use shared_kernel::database::Engine;
use testkit::Server;

use super::desk::{Desk, settings};
use crate::rotation::accounts::Accounts;
use crate::rotation::source::Secret;
use crate::rotation::{credentials, passwords_of, postgres, users_of};

/// What the cache holds a copy for. Time is the test's.
const TTL: Duration = Duration::from_hours(1);

struct Managed {
    desk: Desk,
    source: ManagedSecrets,
    /// The current version and the one that is pending.
    versions: Mutex<(String, Option<String>)>,
}

impl Managed {
    async fn new(first: &Credentials) -> Self {
        let desk = Desk::open().await;
        let (_, version) = desk.create("svc", &content(first)).await;
        let source = desk.source();
        Self { desk, source, versions: Mutex::new((version, None)) }
    }

    fn current(&self) -> String {
        self.versions.lock().unwrap().0.clone()
    }
}

fn content(credentials: &Credentials) -> String {
    let Credentials { username, password, .. } = credentials;
    format!(r#"{{"username":"{username}","password":"{}"}}"#, password.expose_secret())
}

impl Secret for Managed {
    fn source(&self) -> Arc<dyn SecretSource> {
        Arc::new(self.source.clone())
    }

    fn settings(&self) -> ConnectionSettings {
        settings(Engine::POSTGRES, self.desk.id("svc"))
    }

    async fn add(&self, credentials: Credentials) -> String {
        // Rotations are further apart than a copy lives, so that none is begun with a copy from before the last one.
        self.desk.clock.advance(TTL);
        let version = self.desk.put("svc", "AWSPENDING", &content(&credentials)).await;
        self.versions.lock().unwrap().1 = Some(version.clone());
        version
    }

    async fn make_current(&self) {
        let (old, new) = self.versions.lock().unwrap().clone();
        let new = new.unwrap();
        self.desk.promote("svc", &old, &new).await;
        *self.versions.lock().unwrap() = (new, None);
    }

    fn is_cached(&self) -> bool {
        true
    }

    fn outlast(&self) {
        self.desk.clock.advance(TTL);
    }
}

mod on_engines {
    mod postgres {
        use super::super::*;

        /// The new password is at the server before it is promoted, and the old one is rejected: the store is asked at once,
        /// whatever the cache holds.
        #[test]
        fn a_password_in_a_secret_that_is_cached_changes_under_load_without_a_failed_statement() {
            testkit::run(async {
                let user = Accounts::name("managed");
                let secret = Managed::new(&credentials(&user, 0)).await;
                let first = secret.current();
                passwords_of(&secret, first, Accounts::of(Server::Postgres).await, &user, 1, postgres()).await;
            });
        }

        #[test]
        fn users_in_a_secret_that_is_cached_take_turns_when_its_copy_is_renewed() {
            testkit::run(async {
                let pair = [Accounts::name("even"), Accounts::name("odd")];
                let secret = Managed::new(&credentials(&pair[0], 0)).await;
                users_of(&secret, Accounts::of(Server::Postgres).await, &pair, postgres()).await;
                assert!(secret.source.cache().snapshot().fetches > 1);
            });
        }
    }
}
