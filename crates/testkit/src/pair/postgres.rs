use std::time::Duration;

use tempfile::TempDir;

use super::node::{self, Node};
use super::{DATABASE, PASSWORD, Pair, answer, run, settings};
use crate::Server;

pub(super) async fn start(folder: TempDir) -> Pair {
    let program = node::program("BINDERY_TEST_POSTGRES_SERVER");
    let mut primary = Node::new(folder.path(), "primary", program.clone());
    let mut replica = Node::new(folder.path(), "replica", program);
    let password = primary.write("password", PASSWORD);
    let data = primary.data().display().to_string();
    let password = format!("--pwfile={}", password.display());
    let initialise =
        ["initdb", "--pgdata", data.as_str(), password.as_str(), "--username=postgres", "--auth=scram-sha-256"];
    primary.run_program(initialise.into_iter().chain(["--encoding=UTF8", "--locale=C", "--no-sync"]), None);
    primary.set_arguments(arguments(&primary));
    primary.start();
    answer(Server::Postgres, &primary).await;
    run(settings(Server::Postgres, &primary), &[format!("CREATE DATABASE {DATABASE}")]).await;

    let source = format!("host=127.0.0.1 port={} user=postgres password={PASSWORD} sslmode=disable", primary.port());
    let data = replica.data().display().to_string();
    // Sets the copy up to follow (`--write-recovery-conf`).
    let copy = ["pg_basebackup", "--dbname", source.as_str(), "--pgdata", data.as_str(), "--write-recovery-conf"];
    replica.run_program(copy.into_iter().chain(["--wal-method=stream", "--checkpoint=fast", "--no-sync"]), None);
    replica.set_arguments(arguments(&replica));
    replica.start();
    answer(Server::Postgres, &replica).await;
    Pair { server: Server::Postgres, primary, replica, _folder: folder }
}

fn arguments(node: &Node) -> Vec<String> {
    let settings = [
        "listen_addresses=127.0.0.1".to_owned(),
        format!("port={}", node.port()),
        "unix_socket_directories=".to_owned(),
        "shared_buffers=32MB".to_owned(),
        "max_connections=200".to_owned(),
        // A test server loses nothing worth keeping when the machine fails.
        "fsync=off".to_owned(),
        "synchronous_commit=off".to_owned(),
        "full_page_writes=off".to_owned(),
        // Known without the time zone files of the system, which may be missing.
        "timezone=GMT".to_owned(),
        "log_timezone=GMT".to_owned(),
        "autovacuum=off".to_owned(),
        // Reads of a test do not last as long as this.
        "max_standby_streaming_delay=30s".to_owned(),
        "wal_retrieve_retry_interval=200ms".to_owned(),
    ];
    let data = ["postgres".to_owned(), "-D".to_owned(), node.data().display().to_string()];
    data.into_iter().chain(settings.into_iter().flat_map(|setting| ["-c".to_owned(), setting])).collect()
}

pub(super) fn delay(delay: Duration) -> Vec<String> {
    let change = format!("ALTER SYSTEM SET recovery_min_apply_delay = {}", delay.as_millis());
    vec![change, "SELECT pg_reload_conf()".to_owned()]
}
