use async_trait::async_trait;
use shared_kernel::database::ConnectionName;

use crate::credentials::{Credentials, Freshness, SecretSource, SecretStage, SourceError};
use crate::settings::ConnectionSettings;

/// Credentials that the program itself has.
#[derive(Debug)]
pub(super) struct Fixed(pub(super) Credentials);

#[async_trait]
impl SecretSource for Fixed {
    async fn credentials(
        &self,
        _name: &ConnectionName,
        _settings: &ConnectionSettings,
        stage: SecretStage,
        _freshness: Freshness<'_>,
    ) -> Result<Option<Credentials>, SourceError> {
        Ok((stage == SecretStage::Current).then(|| self.0.clone()))
    }

    fn may_change(&self, _settings: &ConnectionSettings) -> bool {
        false
    }
}
