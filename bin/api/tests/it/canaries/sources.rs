use std::sync::Arc;

use reqwest::Client;
use serde_json::{Value, json};
use shared_kernel::database::{DatabaseConnection, RawStatement};
use shared_kernel::{IdGenerator as _, RequestContext, SystemIdGenerator};
use testkit::{Server, TestDatabase};

/// An account of a database server with all rights to one database.
pub(super) struct Account {
    pub(super) name: String,
    server: Server,
    admin: Arc<dyn DatabaseConnection>,
}

impl Account {
    pub(super) async fn create(database: &TestDatabase, password: &str) -> Self {
        let server = database.server();
        let admin = database.connection().await;
        let id = SystemIdGenerator.next().simple().to_string();
        let account = Self { name: format!("canary_{}", &id[20..]), server, admin };
        let name = &account.name;
        account
            .run(&match server {
                Server::Postgres => format!(
                    "CREATE ROLE {name} LOGIN PASSWORD '{password}'; GRANT ALL ON ALL TABLES IN SCHEMA public TO {name}"
                ),
                _ => format!(
                    "CREATE USER '{name}'@'%' IDENTIFIED BY '{password}'; GRANT ALL ON `{}`.* TO '{name}'@'%'",
                    database.name()
                ),
            })
            .await;
        account
    }

    /// What a secrets manager has of it.
    pub(super) fn secret(&self, password: &str) -> String {
        json!({"username": self.name, "password": password}).to_string()
    }

    pub(super) async fn change(&self, password: &str) {
        let name = &self.name;
        self.run(&match self.server {
            Server::Postgres => format!("ALTER ROLE {name} PASSWORD '{password}'"),
            _ => format!("ALTER USER '{name}'@'%' IDENTIFIED BY '{password}'"),
        })
        .await;
    }

    pub(super) async fn end_sessions(&self) {
        let name = &self.name;
        let (question, end) = match self.server {
            Server::Postgres => (
                format!("SELECT pid::bigint AS number FROM pg_stat_activity WHERE usename = '{name}'"),
                "SELECT pg_terminate_backend(N)",
            ),
            _ => (
                format!(
                    "SELECT CAST(ID AS SIGNED) AS number FROM information_schema.processlist WHERE USER = '{name}'"
                ),
                "KILL SOFT N",
            ),
        };
        let question = RawStatement::everywhere("SELECT", question).into();
        let sql = self.admin.sql().expect("SQL");
        for row in sql.query(&question, &RequestContext::system()).await.expect("an administrator's question") {
            let number: i64 = row.get("number").expect("a number");
            // It may have ended by itself.
            let _gone = sql.run_script(&end.replace('N', &number.to_string()), &RequestContext::system()).await;
        }
    }

    pub(super) async fn remove(&self) {
        self.end_sessions().await;
        let name = &self.name;
        self.run(&match self.server {
            Server::Postgres => format!("DROP OWNED BY {name}; DROP ROLE {name}"),
            _ => format!("DROP USER '{name}'@'%'"),
        })
        .await;
    }

    async fn run(&self, script: &str) {
        let sql = self.admin.sql().expect("SQL");
        sql.run_script(script, &RequestContext::system()).await.expect("an administrator's script");
    }
}

/// The emulator of AWS Secrets Manager, spoken to as plainly as it allows.
pub(super) struct Vault {
    pub(super) url: String,
    client: Client,
}

impl Vault {
    #[expect(clippy::disallowed_methods, reason = "`cargo xtask test` tells where the emulator is")]
    pub(super) fn open() -> Self {
        let url = std::env::var("BINDERY_TEST_AWS_URL").expect("run it through `cargo xtask test`");
        Self { url, client: Client::new() }
    }

    pub(super) async fn create(&self, name: &str, content: &str) {
        self.ask("CreateSecret", &json!({"Name": name, "SecretString": content})).await;
    }

    /// Makes `content` the version at a stage.
    pub(super) async fn put(&self, name: &str, content: &str, stage: &str) {
        self.ask("PutSecretValue", &json!({"SecretId": name, "SecretString": content, "VersionStages": [stage]})).await;
    }

    async fn ask(&self, operation: &str, body: &Value) {
        let scope = "Credential=test/20260101/us-east-1/secretsmanager/aws4_request";
        let mut body = body.clone();
        body["ClientRequestToken"] = SystemIdGenerator.next().to_string().into();
        let request = self
            .client
            .post(&self.url)
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", format!("secretsmanager.{operation}"))
            .header("authorization", format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"))
            .body(body.to_string());
        let answer = request.send().await.expect("an answer of the emulator");
        assert!(answer.status().is_success(), "{operation}: {}", answer.text().await.unwrap_or_default());
    }
}
