use anyhow::bail;
use connection_manager::config::duration;

use super::Secret;
use crate::commands::say;

/// Removes the copies that processes share, and leaves word for the processes that run.
pub(super) async fn run(secret: &Secret<'_>) -> anyhow::Result<()> {
    let id = secret.id;
    let Some(shared) = &secret.config.secrets.shared else {
        let ttl = duration::format(secret.config.secrets.cache.ttl);
        bail!(
            "without [secrets.shared] each process keeps `{id}` for itself, where nobody else can clear it: it is read anew \
             within {ttl}, or when the process is started again"
        );
    };
    let connection = &shared.level.connection;
    if !secret.cache.clear(id).await {
        bail!("the connection `{connection}` did not answer to all: copies of `{id}` may be left");
    }
    say(format_args!(
        "{id}: cleared in `{connection}`; running processes forget their copies within 10 s of using them"
    ));
    Ok(())
}
