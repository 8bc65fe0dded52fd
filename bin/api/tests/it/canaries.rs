//! Secrets are planted wherever one can be configured, and everything that leaves the process is searched for them.

mod process;
mod secrets;
mod sources;
mod stored;

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use testkit::redis::OwnRedis;
use testkit::tds::{TdsServer, Tls};
use testkit::{Server, TestDatabase, eventually_some};

use self::process::Process;
use self::secrets::Canaries;
use self::sources::{Account, Vault};

/// How long the service may take to notice what was done to it.
const NOTICE: Duration = Duration::from_secs(30);

/// Where everything leads.
struct Scene {
    canaries: Canaries,
    folder: tempfile::TempDir,
    users: TestDatabase,
    books: TestDatabase,
    role: Account,
    writer: Account,
    vault: Vault,
    redis: OwnRedis,
    tds: TdsServer,
    secret: String,
}

mod on_engines {
    mod postgres {
        #[test]
        fn no_secret_leaves_a_service_that_does_well_or_badly() {
            testkit::run(super::super::no_secret_leaves_a_service_that_does_well_or_badly());
        }

        #[test]
        fn no_secret_leaves_a_command() {
            testkit::run(super::super::no_secret_leaves_a_command());
        }
    }
}

async fn no_secret_leaves_a_service_that_does_well_or_badly() {
    let scene = Scene::set().await;
    let process = Process::serve(scene.folder.path(), &scene.environment()).await;

    // It does well.
    let books = "/api/v1/books";
    let book = json!({"title": "T", "authors": ["A"], "isbn": "9780306406157"});
    eventually_some(NOTICE, || async { (process.get("/health/ready").await == 200).then_some(()) }).await;
    for status in [201, 409] {
        assert_eq!(process.send(Method::POST, books, Some(&book)).await, status);
    }
    let ada = json!({"name": "Ada", "email": "ada@example.org"});
    assert_eq!(process.send(Method::POST, "/api/v1/users", Some(&ada)).await, 201);
    assert_eq!(process.send(Method::POST, "/api/v1/users", Some(&json!({"name": 1}))).await, 422);
    for path in ["/api/v1/users", books, "/health", "/health/live", "/metrics", "/openapi.json", "/nowhere"] {
        process.get(path).await;
    }
    let metrics = process.body("/metrics").await;
    for name in ["fetches_total", "fetched_seconds", "version", "cache_hits_total"] {
        assert!(metrics.contains(&format!("# TYPE bindery_secret_{name}")), "{name} in\n{metrics}");
    }

    // The password of one rotates, and the next is found as the pending one.
    let next = scene.canaries.password("rotated");
    scene.vault.put(&scene.secret, &scene.role.secret(&next), "AWSPENDING").await;
    scene.role.change(&next).await;
    scene.role.end_sessions().await;
    eventually_some(NOTICE, || async { (process.get("/api/v1/users").await == 200).then_some(()) }).await;
    scene.vault.put(&scene.secret, &scene.role.secret(&next), "AWSCURRENT").await;

    // Then every password is wrong, and a secret is nonsense.
    scene.vault.put(&scene.secret, &scene.canaries.password("nonsense"), "AWSCURRENT").await;
    scene.role.change(&scene.canaries.password("elsewhere")).await;
    scene.writer.change(&scene.canaries.password("elsewhere")).await;
    scene.role.end_sessions().await;
    scene.writer.end_sessions().await;
    for path in ["/api/v1/users", books] {
        eventually_some(NOTICE, || async { (process.get(path).await == 503).then_some(()) }).await;
    }
    for path in ["/health", "/health/ready", "/metrics"] {
        process.get(path).await;
    }
    scene.clear(&process.ended().await).await;
}

async fn no_secret_leaves_a_command() {
    let scene = Scene::set().await;
    let mut seen = Vec::new();
    let mut run = async |arguments: &[&str], further: &[(&str, String)]| {
        let mut environment = scene.environment();
        environment.extend(further.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        let ended = Process::run(scene.folder.path(), arguments, &environment).await;
        seen.push(ended.text.clone());
        ended
    };
    let good: [&[&str]; 8] = [
        &["config", "check"],
        &["connections", "list"],
        &["connections", "test"],
        &["inspect", "users"],
        &["inspect", "books", "--format", "lint"],
        &["secrets", "show", &scene.secret],
        &["secrets", "rehearse-rotation", &scene.secret],
        &["secrets", "clear", &scene.secret],
    ];
    for arguments in good {
        let ended = run(arguments, &[]).await;
        assert!(ended.success, "{arguments:?}: {}", ended.text);
    }
    for name in ["users", "books", "cache"] {
        let ended = run(&["connections", "doctor", name], &[]).await;
        assert!(ended.success && ended.text.contains("latency"), "{name}: {}", ended.text);
    }

    // Where the keys are a profile's, the SDK reads the file.
    let ended = run(
        &["secrets", "show", &scene.secret],
        &[("AWS_ACCESS_KEY_ID", String::new()), ("AWS_SECRET_ACCESS_KEY", String::new())],
    )
    .await;
    assert!(ended.success, "{}", ended.text);

    // A password in an environment variable is taken, and not shown. In a place where none belongs it is refused, and not
    // repeated.
    let literal = scene.canaries.password("literal");
    let taken = run(&["config", "check"], &[("BINDERY_CONNECTIONS__SPARE__PASSWORD", literal.clone())]).await;
    assert!(taken.success, "{}", taken.text);
    let mut taken = Vec::new();
    for (variable, value) in [
        ("BINDERY_CONNECTIONS__SPARE__PASSWORD__TEXT", literal.clone()),
        ("BINDERY_CONNECTIONS__SPARE__OPTIONS", literal.clone()),
        ("BINDERY_SECRETS__ENDPOINT_URL", format!("http://user:{literal}@127.0.0.1:1")),
        ("BINDERY_SECRETS__SHARED__KEYS__OTHER", literal.clone()),
        ("KEY_CANARY", literal.clone()),
    ] {
        if run(&["config", "check"], &[(variable, value)]).await.success {
            taken.push(variable.to_owned());
        }
    }
    let file = scene.folder.path().join("bad.toml");
    for line in [
        "password = \"CANARY\"",
        "password = { text = \"CANARY\" }",
        "password = \"CANARY",
        "url = \"mysql://u:CANARY@h/d\"",
    ] {
        let line = line.replace("CANARY", &literal);
        let text = format!(
            "[connections.users]\nengine = \"mysql\"\nhost = \"h\"\ndatabase = \"d\"\nusername = \"u\"\n{line}\n"
        );
        std::fs::write(&file, text).expect("the folder is writable");
        if run(&["config", "check", "--config", "bad.toml"], &[]).await.success {
            taken.push(line);
        }
    }
    assert!(taken.is_empty(), "{taken:?}");

    // Secrets that cannot be used.
    let canary = scene.canaries.password("malformed");
    for content in [
        format!(r#"{{"username":"svc","password":"{canary}"#),
        format!(r#"{{"username":"svc","password":["{canary}"]}}"#),
        format!(r#"{{"username":"svc","pasword":"{canary}"}}"#),
        format!(r#"{{"username":"svc","password":"{canary}","password":"{canary}"}}"#),
        format!(r#"{{"username":"svc","password":"{canary}","port":"{canary}"}}"#),
        format!(r#"["{canary}"]"#),
        canary.clone(),
    ] {
        scene.vault.put(&scene.secret, &content, "AWSCURRENT").await;
        // The copy in Redis is good for a second yet.
        run(&["secrets", "clear", &scene.secret], &[]).await;
        let refused = run(&["connections", "test", "users"], &[]).await;
        assert!(!refused.success && refused.text.contains("failed  secret"), "{content}: {}", refused.text);
    }

    // Passwords that are rejected, on every engine.
    scene.vault.put(&scene.secret, &scene.role.secret(&scene.canaries.password("wrong")), "AWSCURRENT").await;
    run(&["secrets", "clear", &scene.secret], &[]).await;
    let wrong = scene.canaries.password("wrong");
    for (name, variable) in [
        ("users", "UNUSED"),
        ("spare", "PASSWORD_OF_SPARE"),
        ("cache", "PASSWORD_OF_CACHE"),
        ("scripted", "PASSWORD_OF_TDS"),
    ] {
        let refused = run(&["connections", "test", name], &[(variable, wrong.clone())]).await;
        assert!(!refused.success && refused.text.contains("failed  login"), "{name}: {}", refused.text);
    }

    // TLS that fails half-way.
    for name in ["SPARE", "CACHE", "SCRIPTED"] {
        let mode = format!("BINDERY_CONNECTIONS__{name}__TLS__MODE");
        let refused = run(&["connections", "test", &name.to_lowercase()], &[(&mode, "verify-full".to_owned())]).await;
        assert!(!refused.success, "{name}: {}", refused.text);
    }
    scene.clear(&seen).await;
}

impl Scene {
    async fn set() -> Self {
        let canaries = Canaries::default();
        let users = TestDatabase::migrated(Server::Postgres, "users").await;
        let books = TestDatabase::migrated(Server::MariaDb, "books").await;
        let role = Account::create(&users, &canaries.password("managed")).await;
        let writer = Account::create(&books, &canaries.password("file")).await;
        let vault = Vault::open();
        let secret = format!("canaries/{}", role.name);
        vault.create(&secret, &role.secret(&canaries.password("managed"))).await;
        let user = format!(">{}", canaries.password("redis"));
        let redis = OwnRedis::start(&["--user", "svc", "on", &user, "~*", "&*", "+@all"]).await;
        let tds = TdsServer::builder()
            .user("svc", &canaries.password("scripted"))
            .database("users")
            .tls(Tls::Required)
            .start()
            .await
            .expect("a scripted server");
        let folder = tempfile::TempDir::with_prefix("bindery-canaries-").expect("temporary files can be made");
        let scene = Self { canaries, folder, users, books, role, writer, vault, redis, tds, secret };
        scene.write();
        scene
    }

    /// The configuration and the files that it names.
    fn write(&self) {
        let place = |database: &TestDatabase| {
            let settings = database.settings();
            let host = settings.host.expect("a server");
            format!("host = {host:?}\nport = {}\ndatabase = {:?}", settings.port.expect("a port"), database.name())
        };
        let (users, books) = (place(&self.users), place(&self.books));
        let text = [
            ("USERS", users),
            ("BOOKS", books),
            ("ROLE", self.role.name.clone()),
            ("WRITER", self.writer.name.clone()),
            ("SECRET", self.secret.clone()),
            ("REDIS", self.redis.port().to_string()),
            ("PORT_OF_TDS", self.tds.address().port().to_string()),
            ("VAULT", self.vault.url.clone()),
        ]
        .iter()
        .fold(include_str!("canaries/bindery.toml").to_owned(), |text, (word, value)| text.replace(word, value));
        let write = |name: &str, text: &str| {
            let path = self.folder.path().join(name);
            std::fs::write(&path, text).expect("the folder is writable");
            process::private(&path);
        };
        write("bindery.toml", &text);
        write("writer", &self.canaries.password("file"));
        let profile = format!("aws_secret_access_key = {}\n", self.canaries.password("aws profile"));
        write("profiles", &format!("[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n{profile}"));
        // Of what stands twice in a section that is no profile, the SDK tells both values.
        let setting = format!("  password = {}\n", self.canaries.password("aws setting")).repeat(2);
        write("sdk", &format!("[services any]\nproxy =\n{setting}"));
        write("key", &self.canaries.key("old"));
    }

    fn environment(&self) -> Vec<(String, String)> {
        let canaries = &self.canaries;
        [
            ("BINDERY_CONFIG", "bindery.toml".to_owned()),
            ("PASSWORD_OF_SPARE", canaries.password("file")),
            ("PASSWORD_OF_CACHE", canaries.password("redis")),
            ("PASSWORD_OF_TDS", canaries.password("scripted")),
            ("KEY_CANARY", canaries.key("new")),
            ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", canaries.password("aws key")),
            ("AWS_SESSION_TOKEN", canaries.password("aws token")),
            ("AWS_SHARED_CREDENTIALS_FILE", "profiles".to_owned()),
            ("AWS_CONFIG_FILE", "sdk".to_owned()),
            ("RUST_BACKTRACE", "full".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    /// Searches all that was seen, and takes away what was made.
    async fn clear(self, seen: &[String]) {
        assert!(seen.iter().map(String::len).sum::<usize>() > 1_000, "nothing was seen: {seen:?}");
        self.role.remove().await;
        self.writer.remove().await;
        self.canaries.search(seen);
    }
}
