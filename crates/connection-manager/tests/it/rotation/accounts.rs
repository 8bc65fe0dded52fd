use std::sync::Arc;

use shared_kernel::IdGenerator as _;
use shared_kernel::database::{DatabaseConnection, RawStatement};
use testkit::Server;
use testkit::tds::TdsServer;

use super::context;

/// The accounts of a server, as its administrator sees them.
pub(crate) enum Accounts {
    Real(Server, Arc<dyn DatabaseConnection>),
    Scripted(TdsServer),
}

impl Accounts {
    pub(crate) async fn of(server: Server) -> Self {
        Self::Real(server, testkit::connect(server.admin()).await.unwrap())
    }

    /// A name that no other test uses.
    pub(crate) fn name(suffix: &str) -> String {
        let id = shared_kernel::SystemIdGenerator.next().simple().to_string();
        format!("svc_{}_{suffix}", &id[20..])
    }

    pub(crate) async fn create(&self, user: &str, password: &str) {
        match self {
            Self::Real(Server::Postgres, _) => {
                self.run(&format!("CREATE ROLE {user} LOGIN PASSWORD '{password}'")).await;
            }
            Self::Real(..) => self.run(&format!("CREATE USER '{user}'@'%' IDENTIFIED BY '{password}'")).await,
            Self::Scripted(server) => server.set_password(user, password),
        }
    }

    pub(crate) async fn change(&self, user: &str, password: &str) {
        match self {
            Self::Real(Server::Postgres, _) => self.run(&format!("ALTER ROLE {user} PASSWORD '{password}'")).await,
            Self::Real(..) => self.run(&format!("ALTER USER '{user}'@'%' IDENTIFIED BY '{password}'")).await,
            Self::Scripted(server) => server.set_password(user, password),
        }
    }

    pub(crate) async fn remove(&self, user: &str) {
        match self {
            Self::Real(Server::Postgres, _) => self.run(&format!("DROP ROLE {user}")).await,
            Self::Real(..) => self.run(&format!("DROP USER '{user}'@'%'")).await,
            Self::Scripted(_) => {}
        }
    }

    /// How many sessions the server has of a user.
    pub(crate) async fn sessions(&self, user: &str) -> i64 {
        let (server, connection) = self.real();
        let (view, column) = match server {
            Server::Postgres => ("pg_stat_activity", "usename"),
            _ => ("information_schema.processlist", "USER"),
        };
        let text = format!("SELECT COUNT(*) AS sessions FROM {view} WHERE {column} = '{user}'");
        let question = RawStatement::everywhere("SELECT", text).into();
        let row = connection.sql().unwrap().query_one(&question, &context()).await.unwrap();
        row.expect("a count is one row").get("sessions").unwrap()
    }

    /// Ends every session of a user.
    pub(crate) async fn end_sessions(&self, user: &str) {
        let (server, connection) = self.real();
        let text = match server {
            Server::Postgres => format!("SELECT pid::bigint AS number FROM pg_stat_activity WHERE usename = '{user}'"),
            _ => {
                format!("SELECT CAST(ID AS SIGNED) AS number FROM information_schema.processlist WHERE USER = '{user}'")
            }
        };
        let question = RawStatement::everywhere("SELECT", text).into();
        for row in connection.sql().unwrap().query(&question, &context()).await.unwrap() {
            let number: i64 = row.get("number").unwrap();
            let end = match server {
                Server::Postgres => format!("SELECT pg_terminate_backend({number})"),
                _ => format!("KILL {number}"),
            };
            self.run(&end).await;
        }
    }

    /// Runs a text as the administrator.
    pub(crate) async fn run(&self, text: &str) {
        self.real().1.sql().unwrap().run_script(text, &context()).await.unwrap();
    }

    fn real(&self) -> (Server, &Arc<dyn DatabaseConnection>) {
        match self {
            Self::Real(server, connection) => (*server, connection),
            Self::Scripted(_) => panic!("a scripted server runs no statements of an administrator"),
        }
    }
}
