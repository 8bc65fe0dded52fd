use std::time::Duration;

use tempfile::TempDir;

use super::node::{self, Node};
use super::{DATABASE, PASSWORD, Pair, answer, run, settings};
use crate::Server;

/// What MySQL and MariaDB call the same: little memory, loopback alone, and nothing that has to outlive the machine.
pub(super) const SMALL_AND_QUICK: [&str; 9] = [
    "--bind-address=127.0.0.1",
    "--socket=server.sock",
    "--pid-file=server.pid",
    "--skip-name-resolve",
    "--max-connections=200",
    "--innodb-buffer-pool-size=32M",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-use-native-aio=OFF",
    "--log-bin=binlog",
];

/// What both servers do by themselves at every start, without telling each other.
pub(super) fn administrator() -> String {
    format!(
        "SET sql_log_bin = 0;\n\
         CREATE USER IF NOT EXISTS 'root'@'%' IDENTIFIED BY '{PASSWORD}';\n\
         GRANT ALL PRIVILEGES ON *.* TO 'root'@'%' WITH GRANT OPTION;\n"
    )
}

pub(super) async fn start(folder: TempDir) -> Pair {
    let program = node::program("BINDERY_TEST_MYSQL_SERVER");
    let mut primary = Node::new(folder.path(), "primary", program.clone());
    let mut replica = Node::new(folder.path(), "replica", program);
    let data = |node: &Node| format!("--datadir={}", node.data().display());
    primary.run_program([data(&primary).as_str(), "--initialize-insecure", "--innodb-redo-log-capacity=16M"], None);
    replica.copy_data(&primary);
    // Each makes up its own identity.
    std::fs::remove_file(replica.data().join("auto.cnf")).expect("what a server writes when it is initialised");
    for (id, node) in [(1, &mut primary), (2, &mut replica)] {
        let init = node.write("init.sql", &administrator());
        let own = [
            data(node),
            format!("--port={}", node.port()),
            format!("--init-file={}", init.display()),
            format!("--server-id={id}"),
        ];
        let fixed = [
            "--gtid-mode=ON",
            "--enforce-gtid-consistency=ON",
            "--relay-log=relay",
            "--mysqlx=OFF",
            "--performance-schema=OFF",
            "--innodb-redo-log-capacity=16M",
            "--innodb-doublewrite=OFF",
            "--sync-binlog=0",
            "--secure-file-priv=NULL",
        ];
        node.set_arguments(own.into_iter().chain(SMALL_AND_QUICK.into_iter().chain(fixed).map(str::to_owned)));
        node.start();
    }
    for node in [&primary, &replica] {
        answer(Server::MySql, node).await;
    }
    let follow = format!(
        "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = {}, SOURCE_USER = 'root', \
         SOURCE_PASSWORD = '{PASSWORD}', SOURCE_SSL = 1, SOURCE_AUTO_POSITION = 1, SOURCE_CONNECT_RETRY = 1",
        primary.port()
    );
    let scripts = [follow, "START REPLICA".to_owned(), "SET GLOBAL super_read_only = ON".to_owned()];
    run(settings(Server::MySql, &replica), &scripts).await;
    run(settings(Server::MySql, &primary), &[format!("CREATE DATABASE {DATABASE}")]).await;
    Pair { server: Server::MySql, primary, replica, _folder: folder }
}

pub(super) fn delay(delay: Duration) -> Vec<String> {
    let change = format!("CHANGE REPLICATION SOURCE TO SOURCE_DELAY = {}", delay.as_secs());
    vec!["STOP REPLICA SQL_THREAD".to_owned(), change, "START REPLICA SQL_THREAD".to_owned()]
}
