//! The binary as an operator meets it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread::JoinHandle;

use serde_json::Value;
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
    /// What it prints after its first line.
    rest: JoinHandle<String>,
    log: JoinHandle<Vec<Value>>,
}

impl Running {
    /// Starts the service and waits for the line that names its address.
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut child = api(folder)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        // Both pipes are read to their ends, so that the process never waits for room in them.
        let log = BufReader::new(child.stderr.take().expect("piped"));
        let log = std::thread::spawn(move || {
            log.lines().map_while(Result::ok).filter_map(|line| serde_json::from_str(&line).ok()).collect()
        });
        let mut lines = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        lines.read_line(&mut line).expect("a line");
        let address = line.split("http://").nth(1).map(str::trim).map(str::to_owned);
        let rest = std::thread::spawn(move || {
            let mut text = String::new();
            lines.read_to_string(&mut text).map(|_| text).expect("UTF-8")
        });
        Self { child, address: address.unwrap_or_else(|| panic!("no address in {line:?}")), rest, log }
    }

    #[cfg(unix)]
    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().expect("kill runs").success());
    }

    /// Asks it to stop, and gives what it has printed after its first line and what it has logged.
    #[cfg(unix)]
    fn told(mut self) -> (String, Vec<Value>) {
        self.signal("TERM");
        let status = self.child.wait().expect("it ends");
        assert_eq!(status.code(), Some(0));
        let (rest, log) = (take(&mut self.rest), take(&mut self.log));
        (rest, log)
    }
}

#[cfg(unix)]
/// What a thread has read, in whose place stands one that has nothing to do.
fn take<T: Default + Send + 'static>(thread: &mut JoinHandle<T>) -> T {
    std::mem::replace(thread, std::thread::spawn(T::default)).join().expect("the thread that reads ends well")
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

#[cfg(unix)]
#[test]
fn a_service_prints_what_it_runs_on() {
    let folder = folder();
    let config = "[contexts.books]\nconnection = \"shelves\"\n\
                  [connections.shelves]\nengine = \"sqlite\"\npath = \"shelves.db\"\n";
    std::fs::write(folder.path().join("bindery.toml"), config).expect("written");
    let running = Running::start(folder.path(), &["--config", "bindery.toml", "--listen", "127.0.0.1:0"]);
    let address = running.address.clone();
    let port: u16 = address.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    assert_ne!(port, 0);
    // What is printed comes before the first signal is heeded.
    let (rest, _) = running.told();
    for line in [
        format!("  documentation  http://{address}/docs and http://{address}/redoc"),
        "  users          connection `users`: sqlite, ./data/users.sqlite3".to_owned(),
        "  books          connection `shelves`: sqlite, shelves.db".to_owned(),
        "  registry       connection `registry`: sqlite, ./data/registry.sqlite3".to_owned(),
    ] {
        assert!(rest.lines().any(|told| told == line), "{line} is not in\n{rest}");
    }

    std::fs::write(folder.path().join("bindery.toml"), format!("server.docs = false\n{config}")).expect("written");
    let running = Running::start(folder.path(), &["--config", "bindery.toml", "--listen", "127.0.0.1:0"]);
    let (rest, _) = running.told();
    assert!(!rest.contains("documentation") && rest.contains("shelves.db"), "{rest}");
}

#[cfg(unix)]
#[test]
fn whoever_listens_beyond_this_machine_is_warned() {
    for (address, expected) in [("127.0.0.1:0", 0), ("0.0.0.0:0", 1)] {
        let folder = folder();
        let (_, log) = Running::start(folder.path(), &["--listen", address]).told();
        let warnings: Vec<&Value> = log.iter().filter(|line| line["event"] == "service.exposed").collect();
        assert_eq!(warnings.len(), expected, "{address}: {log:#?}");
        assert!(warnings.iter().all(|line| line["level"] == "WARN" && line["address"] == address), "{warnings:#?}");
        assert!(log.iter().any(|line| line["event"] == "service.stopped"), "the log is there to be read: {log:#?}");
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn each_request_is_one_line_of_the_log() {
    let folder = folder();
    let running = Running::start(folder.path(), &["--listen", "127.0.0.1:0"]);
    let client = reqwest::Client::new();
    let mut expected = Vec::new();
    for (method, path, route, status) in [
        ("GET", "/api/v1/users?limit=1", "/api/v1/users", 200),
        ("GET", "/api/v1/users/42", "/api/v1/users/{id}", 404),
        ("POST", "/api/v1/users", "/api/v1/users", 415),
        ("DELETE", "/nowhere", "unmatched", 404),
        ("GET", "/health/live", "/health/live", 200),
    ] {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        let url = format!("http://{}{path}", running.address);
        let answer = client.request(method.clone(), url).send().await.expect("an answer");
        assert_eq!(answer.status(), status, "{method} {path}");
        let parent = answer.headers()["traceparent"].to_str().expect("visible").to_owned();
        let trace = parent.split('-').nth(1).expect("a trace").to_owned();
        // The query, which may hold what people have typed, is not written down.
        let path = path.split('?').next().expect("a path").to_owned();
        expected.push((trace, method.to_string(), route.to_owned(), path, u64::from(status)));
    }
    let (_, log) = running.told();
    let lines: Vec<&Value> = log.iter().filter(|line| line["event"] == "http.request").collect();
    let text = |line: &Value, key: &str| line[key].as_str().unwrap_or_default().to_owned();
    let found: Vec<_> = lines
        .iter()
        .map(|line| {
            assert_eq!(
                (text(line, "level"), text(line, "service")),
                ("INFO".to_owned(), "bindery-api".to_owned()),
                "{line}"
            );
            assert!(text(line, "timestamp").ends_with('Z') && line["duration_ms"].as_f64() > Some(0.0), "{line}");
            let status = line["status"].as_u64().unwrap_or_default();
            (text(line, "trace_id"), text(line, "method"), text(line, "route"), text(line, "path"), status)
        })
        .collect();
    assert_eq!(found, expected);
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

/// The TOML in a module's documentation, one block after the other.
fn documented(source: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for line in source.lines().map_while(|line| line.strip_prefix("//!")) {
        match line.trim() {
            "```toml" => inside = true,
            "```" => inside = false,
            _ if inside => {
                text.push_str(line);
                text.push('\n');
            }
            _ => {}
        }
    }
    text
}

/// Has the binary read a file, with what it names elsewhere in files of the test's own, and gives what is in effect.
fn in_effect(text: &str) -> String {
    let folder = folder();
    let key = "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=";
    let mut text = text.to_owned();
    for (place, content) in [("/run/secrets/", key), ("/etc/ssl/", ""), ("/etc/bindery/", "initech\n")] {
        for name in text.split(place).skip(1).filter_map(|rest| rest.split('"').next()) {
            let file = folder.path().join(name);
            std::fs::write(&file, content).expect("the folder is writable");
            #[cfg(unix)]
            std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("our file");
        }
        text = text.replace(place, &format!("{}/", folder.path().display()));
    }
    std::fs::write(folder.path().join("bindery.toml"), text).expect("the folder is writable");
    let mut command = api(folder.path());
    command.envs(["REGISTRY_KEY", "BINDERY_SEALING_KEY_OLD", "USERS_PASSWORD"].map(|name| (name, key)));
    let output = command.args(["config", "check", "--config", "bindery.toml"]).output().expect("the binary starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn the_documented_files_are_read_as_they_stand() {
    // What is a part of a larger file needs the rest of it: the connections that it names.
    let mut service = documented(include_str!("../../src/config.rs"));
    for name in ["users", "books", "registry"] {
        let connection = format!("[connections.{name}]\nengine = \"sqlite\"\npath = \"{name}.db\"\n");
        service.push_str(&connection);
    }
    let told = in_effect(&service);
    for line in ["listen = \"127.0.0.1:8080\"", "[registry.keys]", "tenant_host = \"{tenant}.api.example.com\""] {
        assert!(service.contains(line) && told.contains(line), "{line} is not in\n{told}");
    }

    // Here it is a Redis, and who says whose request it is.
    let mut connections = documented(include_str!("../../../../crates/connection-manager/src/config.rs"));
    connections.push_str("[connections.cache]\nengine = \"redis\"\nhost = \"cache.example\"\ndatabase = \"0\"\n");
    connections.push_str("[server]\ntrusted_proxies = [\"127.0.0.1\"]\n");
    let told = in_effect(&connections);
    for table in [
        "[connections.users]",
        "[connections.books]",
        "[connections.orders]",
        "[connections.orders.tenants.acme]",
        "[servers.\"db.example:3306\"]",
        "[secrets.shared]",
        "[circuits]",
        "[tenants]",
    ] {
        assert!(connections.contains(table) && told.contains(table), "{table} is not in\n{told}");
    }
}
