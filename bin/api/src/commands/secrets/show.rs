use std::time::Duration;

use anyhow::bail;
use chrono::{DateTime, Utc};
use connection_manager::SecretStage;
use connection_manager::credentials::cache::SecretCopy;
use shared_kernel::{Clock as _, SystemClock};

use super::Secret;
use crate::commands::say;

const STAGES: [SecretStage; 3] = [SecretStage::Current, SecretStage::Pending, SecretStage::Previous];

/// Tells which version each stage has where the secret is kept, and which copies are shared.
pub(super) async fn run(secret: &Secret<'_>) -> anyhow::Result<()> {
    let users: Vec<&str> = secret.users.iter().map(|(name, _)| name.as_str()).collect();
    say(format_args!("{}: used by {}", secret.id, users.join(", ")));
    let mut unread = Vec::new();
    say("  AWS Secrets Manager");
    for stage in STAGES {
        match secret.cache.ask_store(secret.id, stage).await {
            Ok(found) => {
                let version = found.map_or_else(|| "none".to_owned(), |found| format!("version {}", found.version));
                say(format_args!("    {stage:<12} {version}"));
            }
            Err(error) => {
                say(format_args!("    {stage:<12} failed: {error}"));
                unread.push(stage.label());
            }
        }
    }
    match &secret.config.secrets.shared {
        None => say("  no level that processes share ([secrets.shared])"),
        Some(shared) => {
            say(format_args!("  shared copies in `{}`", shared.level.connection));
            for stage in STAGES {
                // This process has just begun and holds none of its own.
                let copy = secret.cache.peek(secret.id, stage).await;
                say(format_args!("    {stage:<12} {}", copy.as_ref().map_or_else(|| "none".to_owned(), described)));
            }
        }
    }
    say("  copies in running processes: `bindery_secret_fetched` at their /metrics tells when each was read");
    if unread.is_empty() { Ok(()) } else { bail!("{} of `{}` cannot be read", unread.join(", "), secret.id) }
}

fn described(copy: &SecretCopy) -> String {
    let now = SystemClock.now();
    let version = copy.version.as_ref().map_or("none at that time", |version| version.version.as_str());
    let left = |until: DateTime<Utc>| rounded((until - now).to_std().unwrap_or_default());
    let rest = if copy.is_fresh(now) {
        format!("{} left, renewed in {}", left(copy.expires), left(copy.due))
    } else {
        "expired, of use only while AWS is away".to_owned()
    };
    format!("version {version}, {} old, {rest}", rounded(copy.age(now)))
}

/// Whole seconds, as people write them.
fn rounded(time: Duration) -> String {
    let (minutes, seconds) = (time.as_secs() / 60, time.as_secs() % 60);
    if minutes == 0 { format!("{seconds} s") } else { format!("{minutes} min {seconds} s") }
}
