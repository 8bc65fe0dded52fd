use ::redis::{Cmd, Value, cmd};
use shared_kernel::database::{DatabaseError, DatabaseErrorKind};
use shared_kernel::{IdGenerator as _, RequestContext, SystemIdGenerator};

use super::{Finding, Found};
use crate::redis::RedisConnection;

/// What became of a command that was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tried {
    Allowed,
    /// For other keys than the one that was tried, perhaps.
    NotForThisKey,
    Forbidden,
    /// The server takes no writes from anybody.
    ReadOnly,
}

/// Reads and deletes a key that is not there, which changes nothing: a service's user may seldom ask for its own rights.
pub(super) async fn ask(connection: &RedisConnection, context: &RequestContext) -> Result<Found, DatabaseError> {
    let role = match connection.query::<Value>(cmd("ROLE"), context).await {
        Ok(answer) => word(&answer),
        Err(error) if error.code() == Some("NOPERM") => None,
        Err(error) => return Err(error),
    };
    let key = format!("bindery:doctor:{}", SystemIdGenerator.next());
    let reads = attempt(connection, cmd("EXISTS").arg(&key).take(), context).await?;
    let writes = attempt(connection, cmd("DEL").arg(&key).take(), context).await?;
    let may = |tried| match tried {
        Tried::Allowed => Some(true),
        Tried::NotForThisKey => None,
        Tried::Forbidden | Tried::ReadOnly => Some(false),
    };
    let finding = Finding::Privileges { reads: may(reads), writes: may(writes), superuser: None };
    Ok(Found { role: role_of(role.as_deref(), writes), privileges: privileges(reads, writes), finding })
}

async fn attempt(connection: &RedisConnection, command: Cmd, context: &RequestContext) -> Result<Tried, DatabaseError> {
    match connection.ask::<Value>(command, context).await {
        Ok(_) => Ok(Tried::Allowed),
        Err(error) if *error.kind() == DatabaseErrorKind::ReadOnlyTarget => Ok(Tried::ReadOnly),
        // Both refusals have the same code. The server's words, which differ between its versions, tell access to a key
        // from the right to run a command.
        Err(error) if error.code() == Some("NOPERM") && error.to_string().contains(" to access ") => {
            Ok(Tried::NotForThisKey)
        }
        Err(error) if error.code() == Some("NOPERM") => Ok(Tried::Forbidden),
        Err(error) => Err(error),
    }
}

/// The first word of an answer, however deep: a cluster's nodes may answer one by one.
fn word(answer: &Value) -> Option<String> {
    match answer {
        Value::BulkString(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        Value::SimpleString(text) => Some(text.clone()),
        Value::Array(items) => items.first().and_then(word),
        _ => None,
    }
}

fn role_of(told: Option<&str>, writes: Tried) -> String {
    let role = match told {
        Some("master") => "a primary",
        Some("slave") => "a replica",
        _ => "primary or replica, the user may not ask",
    };
    let mode = match writes {
        Tried::ReadOnly => "read only",
        Tried::Allowed => "takes writes",
        Tried::NotForThisKey | Tried::Forbidden => "may take writes",
    };
    format!("{role}, {mode}")
}

fn privileges(reads: Tried, writes: Tried) -> Result<String, String> {
    let may = |tried, what: &str| match tried {
        Tried::Allowed => format!("{what} any key"),
        Tried::NotForThisKey => format!("{what} certain keys at most"),
        Tried::Forbidden => format!("{what} none"),
        Tried::ReadOnly => format!("{what} none here"),
    };
    let text = format!("{}, {}", may(reads, "reads"), may(writes, "writes"));
    if reads == Tried::Forbidden && writes == Tried::Forbidden { Err(text) } else { Ok(text) }
}
