use std::fmt;
use std::sync::Arc;

use shared_kernel::RequestContext;
use shared_kernel::database::DatabaseError;
use shared_kernel::paging::Limit;

use crate::domain::{ConnectionRepository, Sealer, SealerError};

/// How often all records are gone through: a writer that knows the old key alone may come in between.
const PASSES: usize = 5;

/// Seals the secrets of every connection with the present key. It can be broken off and run again, while others read and write.
#[derive(Clone)]
pub struct ResealSecrets {
    connections: Arc<dyn ConnectionRepository>,
    sealer: Arc<dyn Sealer>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResealReport {
    /// How many connections were sealed anew.
    pub resealed: u64,
    /// Those whose secrets do not open with any key at hand; they are as they were.
    pub unreadable: Vec<SealerError>,
    /// How many are still sealed with another key although they open: somebody who knows that key alone keeps writing.
    pub left: u64,
}

/// Why it was broken off. What was done until then stays.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ResealSecretsError {
    /// The present key does not seal.
    #[error("the present key does not seal")]
    Sealing(#[from] SealerError),
    /// The database failed.
    #[error("the connections could not be gone through")]
    Database(#[from] DatabaseError),
}

impl ResealSecrets {
    /// The use case over its ports.
    pub fn new(connections: Arc<dyn ConnectionRepository>, sealer: Arc<dyn Sealer>) -> Self {
        Self { connections, sealer }
    }

    /// Goes through all connections that another key has sealed.
    ///
    /// # Errors
    /// [`ResealSecretsError`]
    pub async fn execute(&self, context: &RequestContext) -> Result<ResealReport, ResealSecretsError> {
        let mut report = ResealReport::default();
        for _ in 0..PASSES {
            report.unreadable.clear();
            report.left = 0;
            self.pass(&mut report, context).await?;
            if report.left == 0 {
                break;
            }
        }
        Ok(report)
    }

    async fn pass(&self, report: &mut ResealReport, context: &RequestContext) -> Result<(), ResealSecretsError> {
        let mut after = None;
        loop {
            let limit = Limit::default();
            let batch = self.connections.sealed_otherwise(self.sealer.key_name(), after, limit, context).await?;
            let Some(last) = batch.last() else { return Ok(()) };
            after = Some(last.id);
            for record in &batch {
                let secrets = match self.sealer.open(record.id, &record.sealed) {
                    Ok(secrets) => secrets,
                    Err(error) => {
                        report.unreadable.push(error);
                        continue;
                    }
                };
                let Some(sealed) = self.sealer.seal(record.id, &secrets)? else { continue };
                if self.connections.reseal(record.id, record.version, &sealed, context).await? {
                    report.resealed += 1;
                } else {
                    // Written or deleted meanwhile; the next pass sees what it is like now.
                    report.left += 1;
                }
            }
        }
    }
}

impl fmt::Debug for ResealSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResealSecrets").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::test_support::{Bench, CANARY, Fault, password};
    use crate::domain::GivenSecrets;

    #[tokio::test]
    async fn every_record_is_sealed_with_the_present_key_and_nothing_else_changes() {
        let bench = Bench::default();
        let mut stored = Vec::new();
        for number in 0..120 {
            stored.push(bench.store(&format!("Sales {number}"), password(CANARY)).await);
        }
        bench.store("Plain", GivenSecrets::default()).await;
        bench.sealer.rotate("two");
        let reseal = ResealSecrets::new(bench.connections.clone(), bench.sealer.clone());
        let report = reseal.execute(&bench.context).await.expect("sealed anew");
        assert_eq!(report, ResealReport { resealed: 120, ..ResealReport::default() });
        for before in &stored {
            let now = bench.connections.load(before.id(), &bench.context).await.expect("there").expect("there");
            assert_eq!((now.version(), now.definition()), (before.version(), before.definition()));
            assert_eq!(now.sealed().map(|sealed| sealed.key_name.as_str()), Some("two"));
            assert_eq!(bench.password_of(&now).as_deref(), Some(CANARY));
        }
        let again = reseal.execute(&bench.context).await.expect("nothing to do");
        assert_eq!(again, ResealReport::default());
        assert_eq!(format!("{reseal:?}"), "ResealSecrets { .. }");
    }

    #[tokio::test]
    async fn what_does_not_open_is_told_and_stays() {
        let bench = Bench::default();
        let lost = bench.store("Lost", password(CANARY)).await;
        bench.sealer.forget();
        let kept = bench.store("Kept", password(CANARY)).await;
        bench.sealer.rotate("two");
        let reseal = ResealSecrets::new(bench.connections.clone(), bench.sealer.clone());
        let report = reseal.execute(&bench.context).await.expect("gone through");
        assert_eq!((report.resealed, report.left, report.unreadable.len()), (1, 0, 1));
        assert!(report.unreadable[0].to_string().contains(&lost.id().to_string()));
        assert_eq!(bench.connections.load(lost.id(), &bench.context).await.expect("there"), Some(lost));
        assert_ne!(bench.connections.load(kept.id(), &bench.context).await.expect("there"), Some(kept));
    }

    #[tokio::test]
    async fn whoever_keeps_writing_with_the_old_key_is_told_of() {
        let bench = Bench::default();
        bench.store("Sales", password(CANARY)).await;
        bench.sealer.rotate("two");
        bench.connections.fail_with(Fault::Overtaken);
        let reseal = ResealSecrets::new(bench.connections.clone(), bench.sealer.clone());
        let report = reseal.execute(&bench.context).await.expect("gone through");
        assert_eq!((report.resealed, report.left), (0, 1));
        bench.connections.fail_with(Fault::Away);
        let away = reseal.execute(&bench.context).await;
        assert!(matches!(&away, Err(ResealSecretsError::Database(error)) if error.is_unavailable()), "{away:?}");
    }
}
