use std::fmt;
use std::sync::Arc;

use shared_kernel::database::{DatabaseError, EngineDescription};
use shared_kernel::validation::Violations;
use shared_kernel::{Clock, RequestContext, Version};

use super::{check, completed};
use crate::domain::{
    ConnectionId, ConnectionRepository, Definition, Engines, Given, GivenSecrets, Held, Sealer, SealerError, Secrets,
    SecretsChange, SecretsWrite, StoredConnection, UpdateConnectionError,
};

/// Puts new values in the place of all that a caller may set of a connection.
///
/// Secrets cannot be read, so one of which nothing is said stays. Where the connection leads elsewhere from now on, none stays:
/// whoever changes that must know the password, or they could have it sent to themselves.
#[derive(Clone)]
pub struct ReplaceConnection {
    connections: Arc<dyn ConnectionRepository>,
    engines: Arc<dyn Engines>,
    sealer: Arc<dyn Sealer>,
    clock: Arc<dyn Clock>,
}

/// Which connection, as last read, and what it shall be.
#[derive(Debug, Clone)]
pub struct ReplaceConnectionCommand {
    /// Which connection.
    pub id: ConnectionId,
    /// The version that the caller read.
    pub expected: Version,
    /// Where it shall lead.
    pub definition: Definition,
    /// What shall become of its secrets.
    pub secrets: GivenSecrets,
    /// What was found wrong before; it is told together with what is found here, and nothing is changed.
    pub found: Violations,
}

/// Why a connection was not changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ChangeConnectionError {
    /// There is no connection of this id.
    #[error("there is no connection {0}")]
    NotFound(ConnectionId),
    /// The connection was written since the caller read it.
    #[error("connection {id} is no longer at version {expected}")]
    Stale {
        /// Which connection.
        id: ConnectionId,
        /// The version that the caller knew.
        expected: Version,
    },
    /// The definition does not fit its engine.
    #[error("the definition does not fit: {0}")]
    Invalid(Violations),
    /// Another connection has the name.
    #[error("the name is taken")]
    NameTaken,
    /// The secrets could not be opened or sealed.
    #[error("the secrets could not be kept")]
    Sealing(#[from] SealerError),
    /// The database failed.
    #[error("the connection could not be changed")]
    Database(#[from] DatabaseError),
}

impl From<UpdateConnectionError> for ChangeConnectionError {
    fn from(error: UpdateConnectionError) -> Self {
        match error {
            UpdateConnectionError::NameTaken => Self::NameTaken,
            UpdateConnectionError::Database(error) => Self::Database(error),
        }
    }
}

impl ReplaceConnection {
    /// The use case over its ports.
    pub fn new(
        connections: Arc<dyn ConnectionRepository>,
        engines: Arc<dyn Engines>,
        sealer: Arc<dyn Sealer>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { connections, engines, sealer, clock }
    }

    /// Replaces the connection and returns it as it is now. When it is already so, its version stays.
    ///
    /// # Errors
    /// [`ChangeConnectionError`]; of two callers with the same version exactly one succeeds in changing it.
    pub async fn execute(
        &self,
        command: ReplaceConnectionCommand,
        context: &RequestContext,
    ) -> Result<StoredConnection, ChangeConnectionError> {
        let ReplaceConnectionCommand { id, expected, mut definition, secrets, found } = command;
        let stored = self.connections.load(id, context).await?;
        let mut connection = stored.ok_or(ChangeConnectionError::NotFound(id))?;
        if connection.version() != expected {
            return Err(ChangeConnectionError::Stale { id, expected });
        }
        let engine = completed(&*self.engines, &mut definition, &found).map_err(ChangeConnectionError::Invalid)?;
        let wish = settled(&connection, &definition, secrets, &engine);
        let held = connection.held();
        let will_hold =
            Held { password: wish.password.leaves(held.password), client_key: wish.client_key.leaves(held.client_key) };
        check(&*self.engines, &definition, will_hold, &engine, &found).map_err(ChangeConnectionError::Invalid)?;
        let sealed = self.sealed(&connection, wish)?;
        let write = match sealed {
            SecretsChange::Keep => SecretsWrite::Leave,
            SecretsChange::Clear | SecretsChange::Put(_) => SecretsWrite::Write,
        };
        if !connection.replace(definition, sealed, self.clock.now())
            || self.connections.update(&connection, write, expected, context).await?
        {
            return Ok(connection);
        }
        // Somebody wrote between the two statements: it matters to the caller whether there is still something to read.
        match self.connections.load(id, context).await? {
            Some(_) => Err(ChangeConnectionError::Stale { id, expected }),
            None => Err(ChangeConnectionError::NotFound(id)),
        }
    }

    /// What becomes of the secrets.
    fn sealed(&self, connection: &StoredConnection, wish: GivenSecrets) -> Result<SecretsChange, SealerError> {
        if wish.password == Given::Nothing && wish.client_key == Given::Nothing {
            return Ok(SecretsChange::Keep);
        }
        // Opened only where one of them stays: what cannot be opened any more can still be replaced as a whole.
        let held = connection.held();
        let stays =
            held.password && wish.password == Given::Nothing || held.client_key && wish.client_key == Given::Nothing;
        let present = match connection.sealed().filter(|_| stays) {
            Some(sealed) => self.sealer.open(connection.id(), sealed)?,
            None => Secrets::default(),
        };
        let secrets = Secrets {
            password: wish.password.applied_to(present.password),
            client_key: wish.client_key.applied_to(present.client_key),
        };
        let sealed = self.sealer.seal(connection.id(), &secrets)?;
        Ok(sealed.map_or(SecretsChange::Clear, SecretsChange::Put))
    }
}

/// The wish about the secrets, with what follows from the definition in it.
fn settled(
    connection: &StoredConnection,
    definition: &Definition,
    wish: GivenSecrets,
    engine: &EngineDescription,
) -> GivenSecrets {
    let held = connection.held();
    let elsewhere = connection.definition().leads_elsewhere_than(definition, engine);
    let settle = |wish: Given, held: bool, goes: bool| match wish {
        Given::Nothing if held && goes => Given::Removed,
        // What is not there need not be taken away.
        Given::Removed if !held => Given::Nothing,
        wish => wish,
    };
    GivenSecrets {
        // A secret in a secrets manager takes the place of a password that was kept here.
        password: settle(wish.password, held.password, elsewhere || definition.secret.is_some()),
        client_key: settle(wish.client_key, held.client_key, elsewhere),
    }
}

impl fmt::Debug for ReplaceConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplaceConnection").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::application::test_support::{Bench, CANARY, CERTIFICATE, Fault, KEY, definition, password};
    use crate::domain::{Certificates, DisplayName, Host, SecretName, Tls, Username};

    fn command(stored: &StoredConnection, change: impl FnOnce(&mut Definition)) -> ReplaceConnectionCommand {
        let mut definition = stored.definition().clone();
        change(&mut definition);
        ReplaceConnectionCommand {
            id: stored.id(),
            expected: stored.version(),
            definition,
            secrets: GivenSecrets::default(),
            found: Violations::new(),
        }
    }

    fn rename(stored: &StoredConnection, name: &str) -> ReplaceConnectionCommand {
        command(stored, |definition| definition.name = DisplayName::parse(name).expect("a name"))
    }

    #[tokio::test]
    async fn a_password_of_which_nothing_is_said_stays() {
        let bench = Bench::default();
        let stored = bench.store("Sales", password(CANARY)).await;
        let renamed = bench.replace().execute(rename(&stored, "Sales 2"), &bench.context).await.expect("renamed");
        assert_eq!((renamed.version().get(), bench.password_of(&renamed).as_deref()), (2, Some(CANARY)));
        assert_eq!(renamed.sealed(), stored.sealed(), "it was not sealed anew");
        let same = bench.replace().execute(rename(&renamed, "Sales 2"), &bench.context).await.expect("nothing to do");
        assert_eq!(same.version(), renamed.version());
    }

    #[tokio::test]
    async fn what_leads_elsewhere_drops_the_password_unless_a_new_one_comes_along() {
        let bench = Bench::default();
        let stored = bench.store("Sales", password(CANARY)).await;
        let changes: [&dyn Fn(&mut Definition); 3] = [
            &|definition| definition.host = Host::parse("evil.example").ok(),
            &|definition| definition.username = Username::parse("eve").ok(),
            &|definition| definition.tls = Some(Tls { mode: crate::domain::TlsMode::Disabled, ..Tls::default() }),
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let stored = bench.store(&format!("Sales {number}"), password(CANARY)).await;
            let moved = bench.replace().execute(command(&stored, change), &bench.context).await.expect("moved");
            assert!(moved.sealed().is_none() && !moved.held().password);
        }
        let along = ReplaceConnectionCommand { secrets: password("new"), ..command(&stored, changes[0]) };
        let moved = bench.replace().execute(along, &bench.context).await.expect("moved");
        assert_eq!(bench.password_of(&moved).as_deref(), Some("new"));
    }

    #[tokio::test]
    async fn secrets_are_set_removed_and_traded_one_by_one() {
        let bench = Bench::default();
        let mut tls = definition("With a key");
        let client_certificate = Certificates::parse(CERTIFICATE).ok();
        tls.tls = Some(Tls { client_certificate, ..Tls::default() });
        let secrets = GivenSecrets { client_key: Given::client_key(KEY).expect("a key"), ..password("old") };
        let stored = bench.store_as(tls, secrets).await;
        let set = ReplaceConnectionCommand { secrets: password("new"), ..command(&stored, |_| {}) };
        let stored = bench.replace().execute(set, &bench.context).await.expect("set");
        assert_eq!(bench.password_of(&stored).as_deref(), Some("new"));
        assert!(stored.held().client_key, "the other secret stays");
        let removed = GivenSecrets { password: Given::Removed, ..GivenSecrets::default() };
        let remove = ReplaceConnectionCommand { secrets: removed.clone(), ..command(&stored, |_| {}) };
        let stored = bench.replace().execute(remove, &bench.context).await.expect("removed");
        assert_eq!((stored.held().password, stored.held().client_key), (false, true));
        let again = ReplaceConnectionCommand { secrets: removed, ..command(&stored, |_| {}) };
        let again = bench.replace().execute(again, &bench.context).await.expect("nothing to do");
        assert_eq!(again.version(), stored.version());
        // The key of a certificate that would be shown elsewhere has to be given again.
        let moved = command(&stored, |definition| definition.host = Host::parse("other.example").ok());
        let refused = bench.replace().execute(moved, &bench.context).await;
        assert!(
            matches!(&refused, Err(ChangeConnectionError::Invalid(faults)) if faults.to_string().contains("dropped"))
        );
        let with_password = ReplaceConnectionCommand { secrets: password("p"), ..command(&stored, |_| {}) };
        let stored = bench.replace().execute(with_password, &bench.context).await.expect("set");
        let traded = command(&stored, |definition| definition.secret = SecretName::parse("team/sales").ok());
        let traded = bench.replace().execute(traded, &bench.context).await.expect("traded");
        assert_eq!((traded.held().password, traded.held().client_key), (false, true));
    }

    #[tokio::test]
    async fn secrets_that_no_longer_open_can_be_replaced_and_nothing_else() {
        let bench = Bench::default();
        let stored = bench.store("Sales", password(CANARY)).await;
        bench.sealer.forget();
        let renamed =
            bench.replace().execute(rename(&stored, "Other"), &bench.context).await.expect("nothing is opened");
        let set = ReplaceConnectionCommand { secrets: password("new"), ..command(&renamed, |_| {}) };
        let stored = bench.replace().execute(set, &bench.context).await.expect("replaced as a whole");
        assert_eq!(bench.password_of(&stored).as_deref(), Some("new"));
        bench.sealer.forget();
        let mut with_key = command(&stored, |definition| {
            let client_certificate = Certificates::parse(CERTIFICATE).ok();
            definition.tls = Some(Tls { client_certificate, ..Tls::default() });
        });
        with_key.secrets.client_key = Given::client_key(KEY).expect("a key");
        let moved =
            bench.replace().execute(with_key, &bench.context).await.expect("the password is dropped, not opened");
        assert!(!moved.held().password && moved.held().client_key);
        bench.sealer.forget();
        let set = ReplaceConnectionCommand { secrets: password("new"), ..command(&moved, |_| {}) };
        let refused = bench.replace().execute(set, &bench.context).await;
        assert!(matches!(refused, Err(ChangeConnectionError::Sealing(_))), "{refused:?}");
    }

    #[tokio::test]
    async fn refusals_say_what_stands_in_the_way() {
        let bench = Bench::default();
        let replace = bench.replace();
        let stored = bench.store("Sales", GivenSecrets::default()).await;
        bench.store("Other", GivenSecrets::default()).await;
        let taken = replace.execute(rename(&stored, "OTHER"), &bench.context).await;
        assert!(matches!(taken, Err(ChangeConnectionError::NameTaken)), "{taken:?}");
        let unknown = command(&stored, |definition| definition.engine = shared_kernel::database::Engine::new("oracle"));
        let unknown = replace.execute(unknown, &bench.context).await;
        assert!(matches!(unknown, Err(ChangeConnectionError::Invalid(_))), "{unknown:?}");
        let absent = ReplaceConnectionCommand { id: ConnectionId::new(Uuid::nil()), ..rename(&stored, "X") };
        let absent = replace.execute(absent, &bench.context).await;
        assert!(matches!(absent, Err(ChangeConnectionError::NotFound(_))), "{absent:?}");
        bench.connections.fail_with(Fault::Overtaken);
        let overtaken = replace.execute(rename(&stored, "X"), &bench.context).await;
        assert!(matches!(overtaken, Err(ChangeConnectionError::Stale { .. })), "{overtaken:?}");
        let stale = replace.execute(rename(&stored, "X"), &bench.context).await;
        assert!(matches!(stale, Err(ChangeConnectionError::Stale { expected, .. }) if expected == stored.version()));
        let now = bench.connections.load(stored.id(), &bench.context).await.expect("there").expect("there");
        bench.connections.fail_with(Fault::Deleted);
        let deleted = replace.execute(rename(&now, "X"), &bench.context).await;
        assert!(matches!(deleted, Err(ChangeConnectionError::NotFound(_))), "{deleted:?}");
        bench.connections.fail_with(Fault::Away);
        let away = replace.execute(rename(&now, "X"), &bench.context).await;
        assert!(matches!(&away, Err(ChangeConnectionError::Database(error)) if error.is_unavailable()), "{away:?}");
        assert_eq!(format!("{replace:?}"), "ReplaceConnection { .. }");
    }
}
