use std::process::{Command, Stdio};

use crate::Failure;

/// What the process that serves a connection is, by a question to the server itself: its number, or the file that has it.
pub(crate) fn question(engine: &str) -> Option<&'static str> {
    match engine {
        "mysql" | "mariadb" => Some("SELECT CAST(@@pid_file AS CHAR)"),
        "postgres" => Some("SELECT CAST(pg_backend_pid() AS TEXT)"),
        _ => None,
    }
}

/// Keeps this thread on the first core and what serves it on the second, and says whether that could be done: the process that
/// [`question`] has found, or where there is none, the other threads of this one.
///
/// Otherwise it is a matter of luck, and stays so for as long as a connection lives, whether the system has the one that serves
/// wake up beside the client or in its place: several microseconds, that the one side has and the other has not.
pub(crate) fn apart(server: Option<&str>) -> Result<bool, Failure> {
    let this = std::process::id();
    let server = match server {
        None => Some(this),
        Some(answer) => {
            let number = answer.parse().ok();
            number.or_else(|| std::fs::read_to_string(answer).ok()?.trim().parse().ok())
        }
    };
    let Some(server) = server else { return Ok(false) };
    Ok(pin(&["--all-tasks"], server, 1)? && pin(&[], this, 0)?)
}

fn pin(scope: &[&str], process: u32, core: usize) -> Result<bool, Failure> {
    let mut command = Command::new("taskset");
    command.args(scope).args(["--cpu-list", "--pid", &core.to_string(), &process.to_string()]);
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    Ok(status.success())
}
