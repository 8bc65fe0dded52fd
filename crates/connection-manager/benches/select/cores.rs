use std::num::NonZero;
use std::process::{Command, Stdio};

/// What the process that serves a connection is, by a question to the server itself: its number, or the file that has it.
pub(crate) fn question(engine: &str) -> Option<&'static str> {
    match engine {
        "mysql" | "mariadb" => Some("SELECT CAST(@@pid_file AS CHAR)"),
        "postgres" => Some("SELECT CAST(pg_backend_pid() AS TEXT)"),
        _ => None,
    }
}

/// Client and server on a core of their own, until it is dropped.
///
/// Otherwise it is a matter of luck, and stays so for as long as a connection lives, whether the system has the one that serves
/// wake up beside the client or in its place: several microseconds, that the one side has and the other has not.
pub(crate) struct Apart {
    servers: Vec<u32>,
    /// How many there are where nothing is kept anywhere.
    cores: usize,
}

impl Apart {
    /// Keeps this thread on the first core, and on the second what has answered to [`question`], or where nobody was asked, the other
    /// threads of this process. `None` where that cannot be done: the server is elsewhere, or the system has no `taskset`.
    pub(crate) fn keep(answers: &[String]) -> Option<Self> {
        let this = std::process::id();
        let servers: Option<Vec<u32>> = answers.iter().map(|answer| server(answer)).collect();
        let mut servers = servers?;
        if servers.is_empty() {
            servers.push(this);
        }
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let apart = Self { servers, cores };
        let are_moved = apart.servers.iter().all(|server| pin(&["--all-tasks"], *server, "1"));
        (are_moved && pin(&[], this, "0")).then_some(apart)
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        for process in self.servers.iter().copied().chain([std::process::id()]) {
            pin(&["--all-tasks"], process, &format!("0-{}", self.cores - 1));
        }
    }
}

/// The process that an answer is about, where it is one of this machine's. In a container numbers mean others.
fn server(answer: &str) -> Option<u32> {
    let number = answer.parse().ok();
    let number = number.or_else(|| std::fs::read_to_string(answer).ok()?.trim().parse().ok())?;
    let command = std::fs::read_to_string(format!("/proc/{number}/cmdline")).ok()?;
    // PostgreSQL puts what a process does behind a colon.
    let program = |word: &str| word.split(':').next().and_then(|path| path.rsplit('/').next()).map(str::to_owned);
    let is_server = |word| program(word).is_some_and(|name| matches!(&*name, "mysqld" | "mariadbd" | "postgres"));
    let mut words = command.split('\0');
    let first = words.next()?;
    // A loader was told which program to run.
    let mut is_loaded = || program(first).is_some_and(|name| name.starts_with("ld-linux")) && words.any(is_server);
    (is_server(first) || is_loaded()).then_some(number)
}

fn pin(scope: &[&str], process: u32, cores: &str) -> bool {
    let mut command = Command::new("taskset");
    command.args(scope).args(["--cpu-list", "--pid", cores, &process.to_string()]);
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}
