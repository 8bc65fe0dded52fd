//! What processes share lies behind a connection of its own, beside the one that others may have open under its name.

use shared_kernel::database::{ConnectionName, Engine};

use super::connections::ConnectionsConfig;
use super::section::Section;
use super::suggest;
use crate::settings::ConnectionSettings;

/// What the connection is called, and where it leads: `section` names one of Redis, and `purpose` is what it is for.
pub(super) fn read(
    section: &Section<'_>,
    root: &Section<'_>,
    connections: &ConnectionsConfig,
    purpose: &str,
) -> Option<(ConnectionName, ConnectionSettings)> {
    let Some(wanted) = section.text("connection") else {
        if !section.has("connection") {
            section.fault("connection", "missing: which of [connections] do the processes share?");
        }
        return None;
    };
    let Some((name, settings)) = connections.iter().find(|(name, _)| name.as_str() == wanted) else {
        // One with a fault of its own is told as that.
        if !root.section("connections").has(&wanted) {
            let known = connections.iter().map(|(name, _)| name.as_str());
            section.fault("connection", suggest::unknown("connection", &wanted, known));
        }
        return None;
    };
    if settings.engine != Engine::REDIS {
        let message =
            format!("`{wanted}` is of the engine {}; expected a connection with engine = \"redis\"", settings.engine);
        section.fault("connection", message);
        return None;
    }
    // It may be open under its name as well, with a pool and measurements of its own.
    if let Ok(own) = format!("{name}/{purpose}").parse() {
        return Some((own, settings.clone()));
    }
    let longest = 64 - purpose.len() - 1;
    section.fault("connection", format!("the name `{wanted}` is too long for this: expected at most {longest} bytes"));
    None
}
