use anyhow::bail;
use connection_manager::ConnectionFactory;
use connection_manager::rehearsal::{Answer, rehearse};

use super::Secret;
use crate::commands::say;

/// Tries every version at every server that the secret is for, and says what a promotion would come to. Fails when logins do
/// not work now or would not after it.
pub(super) async fn run(secret: &Secret<'_>, factory: &ConnectionFactory) -> anyhow::Result<()> {
    let id = secret.id;
    let users = secret.users.iter().map(|(name, settings)| (name, &**settings));
    let found = rehearse(factory, secret.cache, id, users).await;
    say(format_args!("{id}"));
    for (stage, version) in &found.stages {
        match version {
            Ok(Some(version)) => say(format_args!("  {stage:<12} version {version}")),
            Ok(None) => say(format_args!("  {stage:<12} none")),
            Err(error) => say(format_args!("  {stage:<12} failed: {error}")),
        }
    }
    let mut bad = Vec::new();
    for rehearsed in &found.connections {
        say(format_args!("{}", rehearsed.connection));
        for (stage, answer) in rehearsed.answers.iter().filter(|(_, answer)| *answer != Answer::None) {
            say(format_args!("  {stage:<12} {answer}"));
        }
        let verdict = rehearsed.verdict();
        say(format_args!("  {} {verdict}", if verdict.is_good() { "ok:" } else { "not ready:" }));
        if !verdict.is_good() {
            bad.push(rehearsed.connection.as_str());
        }
    }
    if bad.is_empty() { Ok(()) } else { bail!("`{id}` must not be promoted as it stands: see {}", bad.join(", ")) }
}
