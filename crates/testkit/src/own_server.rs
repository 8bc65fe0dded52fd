//! Servers of a test's own, with settings that would be in other tests' way.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};

use connection_manager::ConnectionSettings;

use crate::Server;
use crate::server::environment;

/// A MySQL, MariaDB or PostgreSQL of the test's own. Stopped when it is dropped, and when the test's process ends.
#[derive(Debug)]
pub struct OwnServer {
    server: Server,
    admin: ConnectionSettings,
    lender: Child,
    /// Open for as long as the server is wanted.
    input: Option<ChildStdin>,
}

impl OwnServer {
    /// Starts one with these settings, each a name and a value, and waits until it answers.
    ///
    /// # Panics
    /// When `server` is none of the three, when nobody lends servers (`BINDERY_TEST_LENDER`), and when it does not start: a
    /// test that cannot run fails.
    pub async fn start(server: Server, settings: &[(&str, &str)]) -> Self {
        let Some(program) = environment("BINDERY_TEST_LENDER") else {
            panic!("BINDERY_TEST_LENDER is not set; run it through `cargo xtask test`");
        };
        let mut command = Command::new(program);
        command.args(["services", "lend", server.as_str()]);
        for (name, value) in settings {
            command.arg("--set").arg(format!("{name}={value}"));
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut lender = command.spawn().expect("the program that lends servers starts");
        let input = lender.stdin.take();
        let output = lender.stdout.take().expect("its output is a pipe");
        let read = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            BufReader::new(output).read_line(&mut line).map(|_| line)
        });
        let url = read.await.expect("the thread that reads ends well").expect("its output can be read");
        let url = url.trim();
        assert!(!url.is_empty(), "no {server} was lent; the reason is above");
        match server.settings_at(url) {
            Ok(admin) => Self { server, admin, lender, input },
            Err(error) => panic!("the lender of servers has printed no URL: {error}"),
        }
    }

    /// Which one it is.
    pub fn server(&self) -> Server {
        self.server
    }

    /// Settings of its administrator, as [`Server::admin`] has them.
    pub fn admin(&self) -> ConnectionSettings {
        self.admin.clone()
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        drop(self.input.take());
        // It has been told; what it says about its end is on the standard error.
        let _ = self.lender.wait();
    }
}
