//! The binary as an operator meets it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

pub(crate) fn api(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_api"));
    command.current_dir(folder).env_clear().stdin(Stdio::null());
    command
}

pub(crate) fn folder() -> TempDir {
    TempDir::with_prefix("bindery-process-").expect("the folder for temporary files is writable")
}

/// A process that is killed when the test ends early.
struct Running {
    child: Child,
    address: String,
}

impl Running {
    /// Starts the service and waits for the line that names its address.
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut child = api(folder)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        lines.read_line(&mut line).expect("a line");
        let address = line.split("http://").nth(1).map(str::trim).map(str::to_owned);
        // The pipe stays open as long as the process writes to it.
        std::thread::spawn(move || lines.read_to_string(&mut String::new()));
        Self { child, address: address.unwrap_or_else(|| panic!("no address in {line:?}")) }
    }

    #[cfg(unix)]
    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().expect("kill runs").success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _ended_already = self.child.wait();
    }
}

pub(crate) fn error(output: &Output) -> String {
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stderr).lines().filter(|line| line.starts_with("error: ")).collect()
}

#[cfg(unix)]
#[test]
fn a_signal_ends_the_process_with_zero() {
    for name in ["TERM", "INT"] {
        let folder = folder();
        let mut running = Running::start(folder.path(), &["--listen", "127.0.0.1:0"]);
        assert!(folder.path().join("data/users.sqlite3").is_file());
        running.signal(name);
        let status = running.child.wait().expect("it ends");
        assert_eq!(status.code(), Some(0), "SIG{name}");
    }
}

#[test]
fn a_port_that_is_taken_is_told() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address = listener.local_addr().expect("bound").to_string();
    let output = api(folder().path()).args(["serve", "--listen", &address]).output().expect("the binary starts");
    let error = error(&output);
    assert!(error.contains(&address) && error.contains("the port is taken"), "{error}");
}

#[test]
fn a_data_folder_that_is_in_use_is_told() {
    let folder = folder();
    let _running = Running::start(folder.path(), &["--listen", "127.0.0.1:0", "--data", "books-and-users"]);
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--data", "books-and-users"];
    let output = api(folder.path()).args(arguments).output().expect("the binary starts");
    let error = error(&output);
    assert!(error.contains("books-and-users is in use by another process"), "{error}");
}

#[test]
fn the_environment_says_what_arguments_say() {
    let folder = folder();
    let mut command = api(folder.path());
    command.env("BINDERY_LISTEN", "nowhere").arg("serve");
    let output = command.output().expect("the binary starts");
    assert!(String::from_utf8_lossy(&output.stderr).contains("'nowhere'"), "{output:?}");

    let mut command = api(folder.path());
    let output = command.env("BINDERY_DATA", "elsewhere").args(["migrate", "status"]).output().expect("it starts");
    assert!(output.status.success() && folder.path().join("elsewhere").is_dir(), "{output:?}");
}

#[test]
fn migrations_go_up_and_down_by_hand() {
    let folder = folder();
    let run = |arguments: &[&str]| {
        let output = api(folder.path()).arg("migrate").args(arguments).output().expect("the binary starts");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    assert!(run(&["status", "--context", "users"]).contains("0001 users"));
    assert!(run(&["status"]).contains("pending"));
    assert!(run(&["up", "--steps", "1", "--context", "users"]).contains("users/0001_users/sqlite.up.sql"));
    assert!(run(&["up"]).contains("books/0001_books/sqlite.up.sql"));
    assert!(!run(&["status"]).contains("pending"));
    assert!(run(&["down", "--context", "books"]).contains("sqlite.down.sql"));
    assert!(run(&["status", "--context", "books"]).contains("pending"));
    assert!(run(&["print", "--context", "users"]).contains("CREATE TABLE"));
    let repair = |arguments: &[&str]| {
        let output = api(folder.path()).args(["migrate", "repair"]).args(arguments).output().expect("it starts");
        assert!(!output.status.success(), "{output:?}");
        error(&output)
    };
    assert!(repair(&["1", "applied"]).contains("--context"), "the numbers of a migration are its context's own");
    assert!(repair(&["1", "undone", "--context", "users"]).contains("is not unfinished"));
    let output = api(folder.path()).args(["migrate", "up", "--context", "loans"]).output().expect("the binary starts");
    assert!(error(&output).contains("there is no context `loans`"));
}

#[test]
fn connections_are_tried_step_by_step() {
    let folder = folder();
    let output = api(folder.path()).args(["connections", "test", "users"]).output().expect("the binary starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("ok      ping") && text.contains("ok      open"), "{output:?}");
    let output = api(folder.path()).args(["connections", "list"]).output().expect("the binary starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("used by users") && text.contains("used by books"), "{text}");
    let output = api(folder.path()).args(["connections", "test", "loans"]).output().expect("the binary starts");
    assert!(error(&output).contains("there is no connection `loans`"));
}

#[test]
fn a_tenants_connections_are_tried_when_it_is_named() {
    let folder = folder();
    let config = "tenants.names = [\"acme\", \"globex\"]\nserver.tenant_host = \"{tenant}.example.com\"\n\
        connections.audit = { engine = \"sqlite\", path = \"audit.sqlite3\" }\n";
    std::fs::write(folder.path().join("tenants.toml"), config).expect("the folder is writable");
    let run = |arguments: &[&str]| {
        let arguments = [&["connections", "--config", "tenants.toml"], arguments].concat();
        api(folder.path()).args(arguments).output().expect("the binary starts")
    };
    let told = |arguments: &[&str]| {
        let output = run(arguments);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let text = told(&["test", "--tenant", "acme"]);
    assert!(text.contains("users of acme: ") && text.contains("books of acme: ") && !text.contains("audit"), "{text}");
    let text = told(&["doctor", "users", "--tenant", "acme"]);
    assert!(text.contains("users of acme: ") && text.contains("ok      latency") && !text.contains("books"), "{text}");
    assert!(folder.path().join("data/acme/users.sqlite3").is_file() && !folder.path().join("data/globex").exists());
    let text = told(&["test"]);
    assert!(text.contains("audit: ") && !text.contains("users"), "what everybody shares: {text}");
    for (arguments, refusal) in [
        (&["doctor", "users"] as &[&str], "`users` is kept per tenant: say whose with `--tenant NAME`"),
        (&["doctor", "users", "--tenant", "initech"], "there is no tenant `initech`"),
        (&["doctor", "audit", "--tenant", "acme"], "`audit` is not kept per tenant"),
        (&["test", "loans", "--tenant", "acme"], "there is no connection `loans`"),
    ] {
        let told = error(&run(arguments));
        assert!(told.contains(refusal), "{arguments:?}: {told}");
    }
}

#[test]
fn seeding_twice_keeps_what_is_there() {
    let folder = folder();
    let seed = || {
        let arguments = ["seed", "--users", "5", "--books", "20"];
        let output = api(folder.path()).args(arguments).output().expect("the binary starts");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    assert_eq!(seed(), "users: 5 created\nbooks: 20 created\n");
    assert_eq!(seed(), "users: 0 created, 5 were there already\nbooks: 0 created, 20 were there already\n");
}

#[test]
fn a_service_prints_what_it_runs_on() {
    let folder = folder();
    let running = Running::start(folder.path(), &["--listen", "127.0.0.1:0"]);
    let port: u16 = running.address.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    assert_ne!(port, 0);
}

#[test]
fn every_tenant_is_migrated_and_one_that_fails_stops_none() {
    let folder = folder();
    let config = "[server]\ntrusted_proxies = [\"127.0.0.1\"]\n[tenants]\nnames = [\"acme\", \"broken\", \"globex\"]\n\
                  [connections.users]\nengine = \"sqlite\"\nper_tenant = true\npath = \"data/{tenant}/users.db\"\n\
                  [connections.users.tenants.broken]\npath = \"bindery.toml/users.db\"\n\
                  [connections.books]\nengine = \"sqlite\"\npath = \"data/books.db\"\n";
    std::fs::write(folder.path().join("bindery.toml"), config).expect("written");
    let run = |arguments: &[&str]| {
        let mut command = api(folder.path());
        let output = command.env("BINDERY_CONFIG", "bindery.toml").arg("migrate").args(arguments).output();
        output.expect("the binary starts")
    };
    let text = |output: &Output| String::from_utf8_lossy(&output.stdout).into_owned();

    let refused = run(&["up"]);
    assert!(error(&refused).contains("`--tenant NAME`, or `--all-tenants`"), "{refused:?}");
    assert!(error(&run(&["up", "--tenant", "hooli"])).contains("there is no tenant `hooli`"));

    let all = run(&["up", "--all-tenants"]);
    let said = text(&all);
    assert!(error(&all).contains("not done: broken users"), "{all:?}");
    for expected in [
        "books: ran books/0001_books/sqlite.up.sql",
        "acme users: ran users/0001_users/sqlite.up.sql",
        "broken users: failed: ",
        "globex users: ran users/0002_idempotency_receipts/sqlite.up.sql",
        "4 of 5 schemas done",
    ] {
        assert!(said.contains(expected), "{expected} is not in\n{said}");
    }
    let one = run(&["down", "--tenant", "acme"]);
    assert!(one.status.success() && text(&one).contains("acme users: ran users/0002"), "{one:?}");
    let status = run(&["status", "--tenant", "acme", "--context", "users"]);
    let said = text(&status);
    assert!(status.status.success() && said.contains("acme users") && said.contains("pending"), "{said}");
    assert!(!text(&run(&["status", "--tenant", "globex"])).contains("pending"));
    assert!(text(&run(&["print", "--context", "users"])).contains("CREATE TABLE"));

    let seed = |arguments: &[&str]| {
        let mut command = api(folder.path());
        command.env("BINDERY_CONFIG", "bindery.toml").args(["seed", "--users", "2", "--books", "0"]).args(arguments);
        command.output().expect("the binary starts")
    };
    assert!(error(&seed(&[])).contains("`users` is kept per tenant"));
    assert!(text(&seed(&["--tenant", "acme"])).contains("users: 2 created"), "its schema is brought up to date");
}
