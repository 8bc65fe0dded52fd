//! A source of credentials from outside the crate: no line of `connection-manager` changes for it.
//!
//! It stands for any place that the crate does not know, such as a vault behind an interface of its own. It knows the
//! stages of a rotation, so a login that the server rejects goes on with the next version. Run it with
//! `cargo run -p connection-manager --example own_secret_source`.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use connection_manager::{ConnectionSettings, Credentials, Freshness, Keyring, SecretSource, SecretStage, SourceError};
use secrecy::{ExposeSecret, SecretString};
use shared_kernel::database::{ConnectionName, DatabaseError, DatabaseErrorKind};

/// Versions by stage. `Debug` prints no password, because [`SecretString`] does not.
#[derive(Debug, Default)]
struct Vault(Mutex<Vec<(SecretStage, Credentials)>>);

impl Vault {
    fn put(&self, stage: SecretStage, version: &str, password: &str) {
        let credentials = Credentials {
            username: "svc".to_owned(),
            password: SecretString::from(password),
            version: version.to_owned(),
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((stage, credentials));
    }
}

#[async_trait]
impl SecretSource for Vault {
    async fn credentials(
        &self,
        _name: &ConnectionName,
        _settings: &ConnectionSettings,
        stage: SecretStage,
        // A source with a cache looks behind it when a version was rejected; this one has none.
        _freshness: Freshness<'_>,
    ) -> Result<Option<Credentials>, SourceError> {
        let versions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(versions.iter().rev().find(|(known, _)| *known == stage).map(|(_, credentials)| credentials.clone()))
    }

    fn may_change(&self, _settings: &ConnectionSettings) -> bool {
        true
    }
}

/// Logs in to a server that a rotation has just given the pending password. With a whole manager, the source is handed to
/// `ConnectionManager::builder(…).secrets(…)`, and the login is the connector's.
async fn version_that_got_in() -> Result<Option<String>, DatabaseError> {
    let vault = Vault::default();
    vault.put(SecretStage::Current, "one", "old password");
    vault.put(SecretStage::Pending, "two", "new password");
    let settings = ConnectionSettings::sqlite(":memory:");
    let name: ConnectionName =
        "users".parse().map_err(|_| DatabaseError::new(DatabaseErrorKind::Misconfigured, "name"))?;
    let keyring = Keyring::new(Arc::new(vault), name, settings.clone());
    let server = |credentials: Arc<Credentials>| async move {
        if credentials.password.expose_secret() == "new password" {
            Ok(())
        } else {
            Err(DatabaseError::new(DatabaseErrorKind::AuthRejected, "wrong password"))
        }
    };
    keyring.login(settings.pool.connect_timeout, server).await?;
    Ok(keyring.version())
}

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "an example shows what it does")]
async fn main() -> Result<(), DatabaseError> {
    println!("{:?}", version_that_got_in().await?);
    Ok(())
}

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn a_source_from_outside_leads_a_login_through_a_rotation() {
        assert_eq!(super::version_that_got_in().await.unwrap().as_deref(), Some("two"));
    }
}
