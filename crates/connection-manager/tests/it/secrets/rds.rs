//! Tokens of AWS's IAM at servers that know a token as a password, and at one that asks for it as it is.

mod clear;

use std::sync::Arc;
use std::time::Duration;

use aws_config::{Region, SdkConfig};
use aws_sdk_secretsmanager::config::{Credentials, SharedCredentialsProvider};
use connection_manager::credentials::SecretStage;
use connection_manager::credentials::rds_iam::{RdsTokenSettings, RdsTokens};
use connection_manager::{
    ConfiguredSecrets, ConnectionFactory, ConnectionManager, ConnectionSettings, Freshness, PasswordSource,
    PoolSettings, SecretSource, TlsSettings,
};
use secrecy::{ExposeSecret, SecretString};
use shared_kernel::RequestContext;
use shared_kernel::database::{Access, Connections, DatabaseErrorKind, Engine, RawStatement, Statement};
use testkit::{FakeClock, Server};

use self::clear::ClearServer;
use super::desk::name;
use crate::rotation::accounts::Accounts;

fn tokens(clock: &Arc<FakeClock>) -> RdsTokens {
    let keys = Credentials::new("akid", "canary", None, None, "test");
    let config = SdkConfig::builder()
        .region(Region::new("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(keys))
        .build();
    RdsTokens::with_config(config, RdsTokenSettings { region: None, timeout: Duration::from_secs(5) }, clock.clone())
}

fn manager(settings: ConnectionSettings, tokens: &RdsTokens) -> ConnectionManager {
    let secrets = ConfiguredSecrets::local().with_tokens(tokens.clone());
    let builder = ConnectionManager::builder(ConnectionFactory::compiled()).secrets(Arc::new(secrets));
    builder.connection("users", settings).build().unwrap()
}

fn context() -> RequestContext {
    RequestContext::system().within(Duration::from_secs(30))
}

fn question() -> Statement {
    RawStatement::everywhere("SELECT", "SELECT 1").into()
}

/// The user's password at the server is the token of the moment, and later the next one.
async fn tokens_come_and_go_while_a_connection_lives_on(server: Server) {
    let (clock, accounts, user) = (Arc::<FakeClock>::default(), Accounts::of(server).await, Accounts::name("iam"));
    let mut settings = server.admin().with_username(&user).with_password(PasswordSource::RdsIam { region: None });
    if server != Server::Postgres {
        settings = settings.with_database("information_schema");
    }
    let settings = settings
        .with_tls(TlsSettings::verify_full(server.certificate_authority()))
        .with_pool(PoolSettings::sized(0, 4));
    let tokens = tokens(&clock);
    let token = async || {
        let found = tokens.credentials(&name(), &settings, SecretStage::Current, Freshness::Cached).await;
        found.unwrap().unwrap().password.expose_secret().to_owned()
    };
    accounts.create(&user, &token().await).await;
    let manager = manager(settings.clone(), &tokens);
    let connection = manager.get("users", Access::Write, &context()).await.unwrap();
    let sql = connection.sql().unwrap();
    let pinned = sql.session(&context()).await.unwrap();
    pinned.query(&question(), &context()).await.unwrap();
    clock.advance(Duration::from_mins(10));
    accounts.change(&user, &token().await).await;
    // The only session is taken, so that this is a login, and the server no longer knows the first token.
    sql.query(&question(), &context()).await.unwrap();
    assert_eq!(connection.stats().opened_total, 2);
    pinned.query(&question(), &context()).await.unwrap();
    drop(pinned);
    manager.close(Duration::from_secs(5)).await;
    accounts.remove(&user).await;
}

mod on_engines {
    mod mariadb {
        #[test]
        fn tokens_come_and_go_while_a_connection_lives_on() {
            testkit::run(super::super::tokens_come_and_go_while_a_connection_lives_on(testkit::Server::MariaDb));
        }
    }

    mod postgres {
        #[test]
        fn tokens_come_and_go_while_a_connection_lives_on() {
            testkit::run(super::super::tokens_come_and_go_while_a_connection_lives_on(testkit::Server::Postgres));
        }
    }
}

#[test]
fn a_server_that_asks_for_it_gets_the_token_readable_and_no_other_password() {
    testkit::run(async {
        let server = ClearServer::start().await;
        let clock = Arc::<FakeClock>::default();
        let tokens = tokens(&clock);
        let settings = ConnectionSettings::new(Engine::MYSQL)
            .with_host("localhost")
            .with_port(server.port())
            .with_database("users")
            .with_username("svc")
            .with_tls(TlsSettings::verify_full(server.authority()))
            .with_pool(PoolSettings::sized(0, 1))
            .with_option("cancel", "false");
        let with_token = settings.clone().with_password(PasswordSource::RdsIam { region: None });
        let manager_of_tokens = manager(with_token.clone(), &tokens);
        manager_of_tokens.get("users", Access::Write, &context()).await.unwrap();
        let token = tokens.credentials(&name(), &with_token, SecretStage::Current, Freshness::Cached).await;
        let token = token.unwrap().unwrap().password.expose_secret().to_owned();
        assert!(token.starts_with(&format!("localhost:{}/?Action=connect&DBUser=svc&", server.port())), "{token}");
        assert_eq!(server.received(), std::slice::from_ref(&token));
        manager_of_tokens.close(Duration::ZERO).await;

        let password = PasswordSource::Literal(SecretString::from("canary"));
        let refused = manager(settings.with_password(password), &tokens).get("users", Access::Write, &context()).await;
        assert!(refused.is_err());
        assert_eq!(server.received(), [token]);

        for tls in [TlsSettings::required(), TlsSettings::disabled()] {
            let unsafe_way = manager(with_token.clone().with_tls(tls), &tokens);
            let error = unsafe_way.get("users", Access::Write, &context()).await.err().unwrap();
            assert_eq!(*error.kind(), DatabaseErrorKind::Misconfigured);
            assert!(error.to_string().contains("tls.mode"), "{error}");
        }
    });
}
