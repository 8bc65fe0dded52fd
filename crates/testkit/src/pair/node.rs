use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::free_port;
use crate::server::environment;

/// The folder of a pair, in which each server has its own.
pub(super) fn folder() -> TempDir {
    TempDir::with_prefix("bindery-pair-").expect("the folder for temporary files is writable")
}

/// A program for tests that start servers, as the environment names it.
pub(super) fn program(variable: &str) -> PathBuf {
    match environment(variable) {
        Some(path) => path.into(),
        None => panic!("{variable} is not set; run it through `cargo xtask test`"),
    }
}

/// One server: where it lives, and how it is started.
#[derive(Debug)]
pub(super) struct Node {
    folder: PathBuf,
    port: u16,
    program: PathBuf,
    arguments: Vec<String>,
    process: Option<Child>,
}

impl Node {
    /// One that is not started, in a folder of its own below `parent`.
    pub(super) fn new(parent: &Path, name: &str, program: PathBuf) -> Self {
        let folder = parent.join(name);
        fs::create_dir(&folder).expect("a folder within a folder of our own");
        give(parent);
        give(&folder);
        Self { folder, port: free_port(), program, arguments: Vec::new(), process: None }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// A file that the server can read.
    pub(super) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.join(name);
        fs::write(&path, text).expect("a file in a folder of our own");
        give(&path);
        path
    }

    /// Makes its data folder, for servers that want to find one.
    pub(super) fn make_data(&self) {
        fs::create_dir(self.data()).expect("a folder within a folder of our own");
        give(&self.data());
    }

    /// Takes over what another one has in its data folder.
    pub(super) fn copy_data(&self, other: &Self) {
        let mut command = Command::new("cp");
        self.run(command.arg("-r").arg(other.data()).arg(self.data()));
    }

    /// What a server is started with.
    pub(super) fn set_arguments(&mut self, arguments: impl IntoIterator<Item = impl Into<String>>) {
        self.arguments = arguments.into_iter().map(Into::into).collect();
    }

    /// Runs its program to the end.
    pub(super) fn run_program(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>, input: Option<&Path>) {
        let mut command = Command::new(&self.program);
        if let Some(input) = input {
            command.stdin(File::open(input).expect("a file in a folder of our own"));
        }
        self.run(command.args(arguments));
    }

    fn run(&self, command: &mut Command) {
        let status = self.dressed(command).status().expect("the program starts");
        assert!(status.success(), "{command:?}: {status}\n{}", self.log());
    }

    pub(super) fn start(&mut self) {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::null());
        self.process = Some(self.dressed(&mut command).spawn().expect("the program starts"));
    }

    /// Starts it again if it has ended: what a server left behind that was killed may still be in use for a moment.
    pub(super) fn start_if_ended(&mut self) {
        if self.process.as_mut().is_none_or(|process| process.try_wait().is_ok_and(|ended| ended.is_some())) {
            self.start();
        }
    }

    /// Ends it without a word, and waits until it has ended.
    pub(super) fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // It may have ended by itself, which is as good.
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    fn dressed<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let log = File::options().create(true).append(true).open(self.folder.join("log")).expect("a log of our own");
        command.current_dir(&self.folder).env("HOME", &self.folder).env("LC_ALL", "C");
        // MariaDB and MySQL remove at their start what looks like temporary tables of theirs, other servers' included.
        command.env("TMPDIR", &self.folder);
        command.stdout(log.try_clone().expect("a second handle")).stderr(log);
        if let Some((user, group)) = servers_user() {
            command.uid(user).gid(group);
        }
        command
    }

    fn log(&self) -> String {
        let text = fs::read(self.folder.join("log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let last: Vec<&str> = text.lines().rev().take(10).collect();
        last.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the last words of the server in {}:\n{}", self.folder.display(), self.log());
        }
        self.stop();
    }
}

/// Lets the servers' user have a file.
fn give(path: &Path) {
    if let Some((user, group)) = servers_user() {
        chown(path, Some(user), Some(group)).expect("root gives away what it has made");
    }
}

/// Servers refuse to be run by root: then it is `nobody`, and else whoever runs the test.
fn servers_user() -> Option<(u32, u32)> {
    let made_now = tempfile::tempfile().and_then(|file| file.metadata()).expect("a file of our own");
    if made_now.uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").expect("every machine has users");
    let nobody = users.lines().find(|line| line.starts_with("nobody:")).expect("every machine has a user `nobody`");
    let mut fields = nobody.split(':').skip(2).map(|field| field.parse().expect("a number"));
    Some((fields.next().expect("its id"), fields.next().expect("its group")))
}
