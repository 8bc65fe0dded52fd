use std::time::Duration;

use tempfile::TempDir;

use super::mysql::{SMALL_AND_QUICK, administrator};
use super::node::{self, Node};
use super::{DATABASE, PASSWORD, Pair, answer, run, settings};
use crate::Server;

pub(super) async fn start(folder: TempDir) -> Pair {
    let program = node::program("BINDERY_TEST_MARIADB_SERVER");
    let system = node::program("BINDERY_TEST_MARIADB_SYSTEM");
    let mut primary = Node::new(folder.path(), "primary", program.clone());
    let mut replica = Node::new(folder.path(), "replica", program);
    let data = |node: &Node| format!("--datadir={}", node.data().display());
    primary.make_data();
    let bootstrap = ["--bootstrap", "--silent-startup", "--skip-grant-tables", "--max-allowed-packet=8M"];
    let arguments = std::iter::once(data(&primary)).chain(bootstrap.map(str::to_owned));
    primary.run_program(arguments, Some(&system));
    replica.copy_data(&primary);
    for (id, node) in [(1, &mut primary), (2, &mut replica)] {
        let init = node.write("init.sql", &administrator());
        let own = [
            data(node),
            format!("--port={}", node.port()),
            format!("--init-file={}", init.display()),
            format!("--server-id={id}"),
        ];
        let fixed =
            ["--relay-log=relay", "--log-slave-updates", "--innodb-log-file-size=16M", "--skip-innodb-doublewrite"];
        node.set_arguments(own.into_iter().chain(SMALL_AND_QUICK.into_iter().chain(fixed).map(str::to_owned)));
        node.start();
    }
    for node in [&primary, &replica] {
        answer(Server::MariaDb, node).await;
    }
    let follow = format!(
        "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {}, MASTER_USER = 'root', \
         MASTER_PASSWORD = '{PASSWORD}', MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 1",
        primary.port()
    );
    let scripts = [follow, "START SLAVE".to_owned(), "SET GLOBAL read_only = ON".to_owned()];
    run(settings(Server::MariaDb, &replica), &scripts).await;
    run(settings(Server::MariaDb, &primary), &[format!("CREATE DATABASE {DATABASE}")]).await;
    Pair { server: Server::MariaDb, primary, replica, _folder: folder }
}

pub(super) fn delay(delay: Duration) -> Vec<String> {
    let change = format!("CHANGE MASTER TO MASTER_DELAY = {}", delay.as_secs());
    vec!["STOP SLAVE".to_owned(), change, "START SLAVE".to_owned()]
}
