//! `api secrets` as an operator meets it: an emulator of AWS, a Redis of the test's own, real servers.

use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use shared_kernel::database::DatabaseConnection;
use shared_kernel::{IdGenerator as _, RequestContext, SystemIdGenerator};
use tempfile::TempDir;
use testkit::Server;
use testkit::redis::OwnRedis;

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A user at a server, a secret for it at the emulator, and a configuration that names both.
struct Desk {
    server: Server,
    administrator: std::sync::Arc<dyn DatabaseConnection>,
    redis: OwnRedis,
    folder: TempDir,
    user: String,
    secret: String,
}

impl Desk {
    /// The user's password is that of the secret's first version.
    async fn open(server: Server) -> Self {
        let id = SystemIdGenerator.next().simple().to_string();
        let user = format!("svc_{}", &id[16..]);
        let administrator = testkit::connect(server.admin()).await.expect("the server is there");
        let desk = Self {
            server,
            administrator,
            redis: OwnRedis::start(&[]).await,
            folder: TempDir::with_prefix("bindery-secrets-").expect("the folder for temporary files is writable"),
            secret: format!("test/{user}"),
            user,
        };
        desk.at_the_server("CREATE", "one").await;
        let content = desk.content("one");
        desk.aws("CreateSecret", &json!({"Name": desk.secret, "SecretString": content})).await;
        std::fs::write(desk.folder.path().join("bindery.toml"), desk.configuration()).expect("written");
        desk
    }

    fn content(&self, password: &str) -> String {
        json!({"username": self.user, "password": format!("canary-{password}")}).to_string()
    }

    fn database(&self) -> &'static str {
        if self.server == Server::Postgres { "postgres" } else { "information_schema" }
    }

    /// A connection whose password is a secret, which may say which database it is.
    fn connection(&self, secret: &str) -> String {
        let admin = self.server.admin();
        let (host, port) = (admin.host.expect("a server"), admin.port.expect("a port"));
        format!(
            "engine = \"{}\"\nhost = \"{host}\"\nport = {port}\n\
             tls = {{ mode = \"verify-full\", ca_file = \"{}\" }}\npassword = {{ secrets_manager = \"{secret}\" }}\n",
            self.server,
            self.server.certificate_authority().display(),
        )
    }

    fn configuration(&self) -> String {
        let connection = format!("{}database = \"{}\"\n", self.connection(&self.secret), self.database());
        format!(
            "[connections.users]\n{connection}[connections.books]\n{connection}\
             [connections.cache]\nengine = \"redis\"\nhost = \"127.0.0.1\"\nport = {}\ndatabase = \"0\"\n\
             password = {{ env = \"CACHE_PASSWORD\" }}\n\
             [secrets]\nregion = \"eu-central-1\"\nendpoint_url = \"{}\"\n\
             [secrets.shared]\nconnection = \"cache\"\ntimeout = \"30s\"\nkeys = {{ first = {{ env = \"SEALING_KEY\" }} }}\n",
            self.redis.port(),
            emulator(),
        )
    }

    async fn at_the_server(&self, verb: &str, password: &str) {
        let user = &self.user;
        let text = match self.server {
            Server::Postgres => format!("{verb} ROLE {user} LOGIN PASSWORD 'canary-{password}'"),
            _ => format!("{verb} USER '{user}'@'%' IDENTIFIED BY 'canary-{password}'"),
        };
        let sql = self.administrator.sql().expect("SQL");
        sql.run_script(&text, &RequestContext::system()).await.expect("the administrator may do that");
    }

    /// Asks the emulator. It takes every signature and reads the region out of it.
    async fn aws(&self, operation: &str, question: &Value) -> Value {
        let authorization = "AWS4-HMAC-SHA256 Credential=emulated/20260101/eu-central-1/secretsmanager/aws4_request, \
                             SignedHeaders=host, Signature=0";
        let request = reqwest::Client::new()
            .post(emulator())
            .header("authorization", authorization)
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", format!("secretsmanager.{operation}"))
            .body(question.to_string());
        let answer = request.send().await.expect("the emulator answers").error_for_status().expect("it agrees");
        serde_json::from_str(&answer.text().await.expect("a body")).expect("JSON")
    }

    /// Adds a version and returns its name.
    async fn pending(&self, password: &str) -> String {
        let question = json!({"SecretId": self.secret, "SecretString": self.content(password),
            "VersionStages": ["AWSPENDING"]});
        self.aws("PutSecretValue", &question).await["VersionId"].as_str().expect("a version").to_owned()
    }

    async fn current(&self) -> String {
        let question = json!({"SecretId": self.secret, "VersionStage": "AWSCURRENT"});
        self.aws("GetSecretValue", &question).await["VersionId"].as_str().expect("a version").to_owned()
    }

    async fn promote(&self, version: &str) {
        let question = json!({"SecretId": self.secret, "VersionStage": "AWSCURRENT", "MoveToVersionId": version,
            "RemoveFromVersionId": self.current().await});
        self.aws("UpdateSecretVersionStage", &question).await;
    }

    /// Runs the program. Nothing that it says is a password.
    fn api(&self, arguments: &[&str]) -> (Output, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_api"));
        command.current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        command.env("CACHE_PASSWORD", OwnRedis::PASSWORD).env("SEALING_KEY", KEY);
        command.env("AWS_ACCESS_KEY_ID", "emulated").env("AWS_SECRET_ACCESS_KEY", "emulated");
        let output = command.args(arguments).args(["--config", "bindery.toml"]).output().expect("the binary starts");
        let said = [output.stdout.as_slice(), &output.stderr].concat();
        let said = String::from_utf8(said).expect("UTF-8");
        for secret in ["canary", OwnRedis::PASSWORD, KEY] {
            assert!(!said.contains(secret), "{said}");
        }
        (output, said)
    }

    #[track_caller]
    fn rehearsal(&self, success: bool, expected: &[&str]) {
        let (output, said) = self.api(&["secrets", "rehearse-rotation", &self.secret]);
        assert_eq!(output.status.success(), success, "{said}");
        for expected in expected {
            assert!(said.contains(expected), "`{expected}` is not in\n{said}");
        }
    }

    async fn close(self) {
        let user = &self.user;
        let text = match self.server {
            Server::Postgres => format!("DROP ROLE {user}"),
            _ => format!("DROP USER '{user}'@'%'"),
        };
        let sql = self.administrator.sql().expect("SQL");
        sql.run_script(&text, &RequestContext::system()).await.expect("the administrator may do that");
        self.aws("DeleteSecret", &json!({"SecretId": self.secret, "ForceDeleteWithoutRecovery": true})).await;
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "`cargo xtask test` tells tests through the environment where servers are"
)]
fn emulator() -> String {
    std::env::var("BINDERY_TEST_AWS_URL").expect("BINDERY_TEST_AWS_URL; run it through `cargo xtask test`")
}

/// A rotation from beginning to end.
async fn a_rotation_is_rehearsed(server: Server) {
    let desk = Desk::open(server).await;
    desk.rehearsal(true, &["AWSPENDING   none", "AWSCURRENT   accepted", "no rotation is under way"]);
    let one = desk.current().await;
    let two = desk.pending("two").await;
    desk.rehearsal(false, &["AWSPENDING   rejected: ", "give its password to the server first", "books, users"]);
    desk.at_the_server("ALTER", "two").await;
    desk.rehearsal(true, &["AWSCURRENT   rejected: ", "AWSPENDING   accepted", "promote AWSPENDING"]);
    assert_eq!(desk.current().await, one, "a rehearsal changes nothing");
    desk.promote(&two).await;
    desk.rehearsal(true, &[&format!("AWSCURRENT   version {two}"), "AWSPREVIOUS  rejected: ", "AWSCURRENT   accepted"]);
    desk.at_the_server("ALTER", "three").await;
    desk.rehearsal(false, &["no version is accepted"]);
    desk.close().await;
}

mod on_engines {
    mod mysql {
        #[test]
        fn a_rotation_is_rehearsed() {
            testkit::run(super::super::a_rotation_is_rehearsed(testkit::Server::MySql));
        }
    }

    mod mariadb {
        #[test]
        fn a_rotation_is_rehearsed() {
            testkit::run(super::super::a_rotation_is_rehearsed(testkit::Server::MariaDb));
        }
    }

    mod postgres {
        #[test]
        fn a_rotation_is_rehearsed() {
            testkit::run(super::super::a_rotation_is_rehearsed(testkit::Server::Postgres));
        }

        #[test]
        fn a_secret_is_shown_with_its_copies_and_cleared() {
            testkit::run(super::super::a_secret_is_shown_with_its_copies_and_cleared(testkit::Server::Postgres));
        }

        #[test]
        fn a_tenants_secret_is_named_with_its_tenant() {
            testkit::run(super::super::a_tenants_secret_is_named_with_its_tenant(testkit::Server::Postgres));
        }
    }
}

async fn a_secret_is_shown_with_its_copies_and_cleared(server: Server) {
    let desk = Desk::open(server).await;
    let version = desk.current().await;
    let show = || {
        let (output, said) = desk.api(&["secrets", "show", &desk.secret]);
        assert!(output.status.success(), "{said}");
        said
    };
    let said = show();
    assert!(said.contains(": used by books, users"), "{said}");
    assert!(
        said.contains(&format!("AWSCURRENT   version {version}\n")) && said.contains("AWSPREVIOUS  none"),
        "{said}"
    );
    let copy = format!("AWSCURRENT   version {version}, ");
    assert!(said.contains("shared copies in `cache`") && !said.contains(&copy), "{said}");
    // Whoever logs in leaves a copy.
    assert!(desk.api(&["connections", "test", "users"]).0.status.success());
    let said = show();
    assert!(said.contains(&copy) && said.contains(" s left, renewed in "), "{said}");
    let (output, said) = desk.api(&["secrets", "clear", &desk.secret]);
    assert!(output.status.success() && said.contains("cleared in `cache`"), "{said}");
    assert!(!show().contains(&copy));
    let (output, said) = desk.api(&["secrets", "clear", "test/other"]);
    assert!(!output.status.success() && said.contains("unknown secret `test/other`"), "{said}");
    let (output, said) = desk.api(&["config", "check"]);
    assert!(output.status.success() && said.contains("first = { env = \"SEALING_KEY\" }"), "{said}");
    desk.close().await;
}

async fn a_tenants_secret_is_named_with_its_tenant(server: Server) {
    let desk = Desk::open(server).await;
    let (template, own) = (format!("{}/{{tenant}}", desk.secret), format!("{}/acme", desk.secret));
    let content = json!({"username": desk.user, "password": "canary-one", "dbname": desk.database()}).to_string();
    desk.aws("CreateSecret", &json!({"Name": own, "SecretString": content})).await;
    let configuration = format!(
        "{}[tenants]\nnames = [\"acme\", \"globex\"]\n[connections.orders]\nper_tenant = true\n{}",
        desk.configuration(),
        desk.connection(&template),
    );
    std::fs::write(desk.folder.path().join("bindery.toml"), configuration).expect("written");
    let says = |arguments: &[&str], success: bool, expected: &str| {
        let (output, said) = desk.api(&[&["secrets"], arguments].concat());
        assert_eq!(output.status.success(), success, "{arguments:?}: {said}");
        assert!(said.contains(expected), "{arguments:?}: `{expected}` is not in\n{said}");
    };
    for name in [template.as_str(), &own] {
        says(&["show", name, "--tenant", "acme"], true, &format!("{own}: used by orders"));
        says(&["rehearse-rotation", name, "--tenant", "acme"], true, "AWSCURRENT   accepted");
        says(&["clear", name, "--tenant", "acme"], true, &format!("{own}: cleared in `cache`"));
        for verb in ["show", "clear", "rehearse-rotation"] {
            says(&[verb, name], false, "is a secret of tenants: say whose with `--tenant NAME`");
        }
    }
    // One tenant's name leads to no other's secret.
    says(&["show", &own, "--tenant", "globex"], false, &format!("unknown secret `{own}`"));
    says(&["show", &template, "--tenant", "initech"], false, "there is no tenant `initech`");
    // What everybody shares is named as before.
    says(&["show", &desk.secret, "--tenant", "acme"], true, "used by books, users");
    desk.aws("DeleteSecret", &json!({"SecretId": own, "ForceDeleteWithoutRecovery": true})).await;
    desk.close().await;
}
