//! `/api/v1/connections` over the network.

mod access;
mod append_only;
mod audit;
mod changes;
mod diff;
mod exports;
mod outside;
mod rotation;
mod samples;
mod schema;
mod sealed;
mod secrets;
mod snapshots;
mod testing;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Service, Steady};

/// The token of every service in these tests.
pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef-tests";
const CONNECTIONS: &str = "/api/v1/connections";
/// Nothing has this id.
const NOBODY: &str = "01a21b40-e5cc-7224-ba42-10c24b9b2245";
/// Awkward in URLs, shells, JSON, SQL and formats; the last character takes four bytes.
pub(crate) const CANARY: &str = "p@ss/w:rd%?#\"'\\😀";

/// A service whose registry takes [`TOKEN`].
pub(crate) struct Registry {
    pub(crate) service: Service,
}

impl Registry {
    pub(crate) async fn start() -> Self {
        Self::configured(|_| {}).await
    }

    pub(crate) async fn configured(change: impl FnOnce(&mut api::Config)) -> Self {
        Self::with_plugins(&api::Plugins::compiled(), change).await
    }

    /// As [`Registry::configured`], with what somebody has brought along.
    pub(crate) async fn with_plugins(plugins: &api::Plugins, change: impl FnOnce(&mut api::Config)) -> Self {
        let service = Service::with_plugins(plugins, |config| {
            config.registry.tokens = vec![api::config::TokenConfig::literal("tests", TOKEN)];
            change(config);
        });
        Self { service: service.await }
    }

    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        let token = format!("Bearer {TOKEN}");
        let mut all = vec![("authorization", token.as_str())];
        all.extend_from_slice(headers);
        if body.is_some() {
            all.push(("content-type", "application/json"));
        }
        let body = body.map(|body| body.to_string().into_bytes());
        self.service.send(method, path, &all, body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[], None).await
    }

    pub(crate) async fn post(&self, body: &Value) -> Answer {
        self.ask(Method::POST, CONNECTIONS, &[], Some(body)).await
    }

    /// Changes whatever version is there.
    pub(crate) async fn change(&self, method: Method, path: &str, body: &Value) -> Answer {
        self.ask(method, path, &[("if-match", "*")], Some(body)).await
    }

    /// Stores a connection and gives its path.
    pub(crate) async fn stored(&self, body: &Value) -> String {
        let answer = self.post(body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.header("location").to_owned()
    }
}

/// Every method of every resource, of a connection of this id. Other parts of paths are what there is none of.
pub(crate) fn calls(id: &str) -> Vec<(Method, String)> {
    let resources = api::rest::resources(false);
    let calls = resources.iter().filter(|resource| resource.path().starts_with(CONNECTIONS)).flat_map(|resource| {
        let path = resource.path().replacen("{id}", id, 1);
        let path = path.split('/').map(|part| if part.starts_with('{') { NOBODY } else { part });
        let path = path.collect::<Vec<_>>().join("/");
        resource.methods().map(move |method| (method.as_str().parse().expect("a method"), path.clone()))
    });
    calls.collect()
}

pub(crate) fn sales() -> Value {
    json!({
        "name": " Sales ",
        "engine": "postgres",
        "host": "DB.example.com",
        "port": 5433,
        "database": "sales",
        "username": "reader",
        "password": CANARY,
        "options": {"application_name": "bindery tests"},
        "labels": {"team": "sales", "stage": "prod"},
        "notes": "Ask Ann.\nTwice.",
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_lives_from_post_to_delete() {
    let registry = Registry::start().await;
    let mut steady = Steady::default();
    let created = registry.post(&sales()).await;
    assert_eq!((created.status.as_u16(), created.header("etag")), (201, "\"r1-v1\""), "{}", created.text);
    insta::assert_snapshot!("connection_created", steady.text(&created.text));
    let path = created.header("location").to_owned();
    assert_eq!(registry.get(&path).await.text, created.text);
    let known = registry.ask(Method::GET, &path, &[("if-none-match", "\"r1-v1\"")], None).await;
    assert_eq!(known.status, 304);
    // What was read can be sent back, and says nothing new.
    let back = registry.ask(Method::PUT, &path, &[("if-match", "\"r1-v1\"")], Some(&created.json())).await;
    assert_eq!((back.status.as_u16(), back.text.as_str()), (200, created.text.as_str()));
    let least = json!({"name": "S", "engine": "mysql", "host": "h", "username": "u"});
    let replaced = registry.ask(Method::PUT, &path, &[("if-match", "\"r1-v1\"")], Some(&least)).await;
    assert_eq!((replaced.status.as_u16(), replaced.header("etag")), (200, "\"r1-v2\""), "{}", replaced.text);
    insta::assert_snapshot!("connection_replaced", steady.text(&replaced.text));
    registry
        .ask(Method::DELETE, &path, &[("if-match", "\"r1-v1\"")], None)
        .await
        .is_problem(412, "precondition-failed");
    let deleted = registry.ask(Method::DELETE, &path, &[("if-match", "\"r1-v2\"")], None).await;
    assert_eq!(deleted.status, 204);
    registry.get(&path).await.is_problem(404, "not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_with_a_key_happens_once() {
    let registry = Registry::start().await;
    let key = [("idempotency-key", "first")];
    let first = registry.ask(Method::POST, CONNECTIONS, &key, Some(&sales())).await;
    let again = registry.ask(Method::POST, CONNECTIONS, &key, Some(&sales())).await;
    assert_eq!((again.status.as_u16(), &again.text), (201, &first.text));
    assert_eq!(again.header("idempotency-replayed"), "true");
    let mut other = sales();
    other["host"] = json!("other.example");
    let refused = registry.ask(Method::POST, CONNECTIONS, &key, Some(&other)).await;
    refused.is_problem(422, "idempotency-key-reused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_belongs_to_one_connection() {
    let registry = Registry::start().await;
    registry.stored(&sales()).await;
    let mut again = sales();
    again["name"] = json!("SALES");
    assert_eq!(registry.post(&again).await.is_problem(409, "already-exists").faults(), ["/name taken"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_the_engine_is_told_at_its_place() {
    let registry = Registry::start().await;
    for (body, expected) in [
        (json!({"name": "A", "engine": "oracle", "host": "h"}), &["/engine unknown_value"][..]),
        (
            json!({"name": "A", "engine": "mysql", "path": "a.db"}),
            &["/host required", "/path not_applicable", "/username required"],
        ),
        (json!({"name": "A", "engine": "sqlite", "path": "a.db"}), &["/path not_configured"]),
        (json!({"name": "A", "engine": "sqlite", "path": "a.db", "tls": {}}), &["/tls not_applicable"]),
        (json!({"name": "A", "engine": "redis", "host": "h", "database": "x"}), &["/database invalid"]),
        (
            json!({"name": "A", "engine": "redis", "host": "h", "options": {"nodes": "a:0"}}),
            &["/options/nodes invalid"],
        ),
        (json!({"name": "A", "engine": "dynamodb", "options": {"region": "eu-central-1"}}), &["/username required"]),
        (json!({"name": "A", "engine": "dynamodb", "username": "AKIA"}), &["/password required"]),
        (
            json!({"name": "A", "engine": "dynamodb", "username": "AKIA", "password": "x", "tls": {"mode": "required"}}),
            &["/options/region invalid", "/tls/mode invalid"],
        ),
        (
            json!({"name": "A", "engine": "mongodb", "host": "c.example", "port": 27017, "options": {"srv": "true"}}),
            &["/port invalid"],
        ),
        (
            json!({"name": "A", "engine": "mongodb", "host": "h", "options": {"tlsCAFile": "/etc/passwd"}}),
            &["/options/tlsCAFile unknown_option"],
        ),
        (json!({"name": "A", "engine": "mysql", "host": "h", "secret": "team/x"}), &["/secret not_configured"]),
        (
            json!({"name": "A", "url": "sqlserver://u:p@h/d?option.encryption=lax"}),
            &["/options/encryption unknown_value"],
        ),
    ] {
        assert_eq!(registry.post(&body).await.is_problem(422, "validation").faults(), expected, "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unknown_is_told_together_with_what_does_not_fit() {
    let registry = Registry::start().await;
    let wrong = json!({"name": "A", "engine": "mysql", "path": "a.db", "prot": 1, "labels": {"Team": "x"}});
    let expected = [
        "/labels/Team foreign_character",
        "/prot unknown_field",
        "/host required",
        "/path not_applicable",
        "/username required",
    ];
    assert_eq!(registry.post(&wrong).await.is_problem(422, "validation").faults(), expected);
    let tested = registry.ask(Method::POST, "/api/v1/connections/test", &[], Some(&wrong)).await;
    assert_eq!(tested.is_problem(422, "validation").faults(), expected);
    let path = registry.stored(&sales()).await;
    let replaced = registry.change(Method::PUT, &path, &wrong).await;
    assert_eq!(replaced.is_problem(422, "validation").faults(), expected);
    let patched = registry.change(Method::PATCH, &path, &json!({"prot": 1, "host": null})).await;
    assert_eq!(patched.is_problem(422, "validation").faults(), ["/prot unknown_field", "/host required"]);
    let oracle = registry.post(&json!({"name": "A", "engine": "oracle", "prot": 1})).await;
    assert_eq!(oracle.is_problem(422, "validation").faults(), ["/prot unknown_field", "/engine unknown_value"]);
    // Where a value cannot be read, nobody knows what would fit it.
    let unread = registry.post(&json!({"name": "A", "engine": "mysql", "host": "a b", "prot": 1})).await;
    assert_eq!(unread.is_problem(422, "validation").faults(), ["/host foreign_character", "/prot unknown_field"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_be_right_is_told() {
    let registry = Registry::start().await;
    for (body, expected) in [
        (json!({"engine": "postgres", "host": "db:5432", "username": "u"}), "a port stands in `port`"),
        (json!({"engine": "postgres", "host": "db", "labels": {"Team": "x"}}), "made of `a-z`, `0-9`,"),
        (json!({"engine": "mysql", "username": "u"}), "`host` is missing: MySQL needs it"),
        (json!({"engine": "oracle"}), "`engine` is one of "),
        (json!({"engine": "sqlite", "path": "a.db"}), "its operator names as `registry.sqlite_root`"),
        (json!({"engine": "sqlite", "path": "../a.db"}), "plain names with `/` between them"),
        (json!({"engine": "mysql", "host": "h", "secret": "a"}), "its operator allows with `registry.secret_prefix`"),
        (json!({"engine": "mysql", "host": "h", "secret": "a:b"}), "as AWS Secrets Manager has it"),
        (
            json!({"engine": "mysql", "host": "h", "username": "u", "options": {"x": "1"}}),
            "\"x\" is no option of MySQL",
        ),
        (
            json!({"engine": "mysql", "host": "h", "username": "u", "options": {"cancel": "1"}}),
            "the option `cancel` is \"true\"",
        ),
    ] {
        let mut body = body;
        body["name"] = json!("A");
        let answer = registry.post(&body).await;
        let errors = answer.is_problem(422, "validation").json()["errors"].clone();
        let messages: Vec<&str> =
            errors.as_array().expect("errors").iter().filter_map(|error| error["message"].as_str()).collect();
        assert!(messages.iter().any(|message| message.contains(expected)), "{body}: {messages:?}");
        let is_whole =
            |message: &&str| ["is ", "has ", "holds ", "begins ", "can "].iter().all(|verb| !message.starts_with(verb));
        assert!(messages.iter().all(is_whole), "{body}: {messages:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_and_secrets_are_those_of_the_configuration() {
    let registry = Registry::configured(|config| {
        config.registry.sqlite_root = Some("/srv/sqlite".into());
        config.registry.secret_prefix = Some("bindery/registry/".to_owned());
    })
    .await;
    let file = json!({"name": "File", "engine": "sqlite", "path": "team/a.db"});
    let stored = registry.get(&registry.stored(&file).await).await.json();
    assert_eq!((&stored["path"], &stored["tls"]), (&json!("team/a.db"), &Value::Null));
    for (path, code) in [
        ("/srv/sqlite/a.db", "absolute_path"),
        ("../a.db", "foreign_character"),
        ("a/../../b", "foreign_character"),
        ("a.db?mode=rwc", "foreign_character"),
    ] {
        let body = json!({"name": "B", "engine": "sqlite", "path": path});
        let faults = registry.post(&body).await.is_problem(422, "validation").faults();
        assert_eq!(faults, [format!("/path {code}")], "{path}");
    }
    let by_secret = |secret: &str| json!({"name": "C", "engine": "mysql", "host": "h", "secret": secret});
    let refused = registry.post(&by_secret("prod/root")).await;
    assert_eq!(refused.is_problem(422, "validation").faults(), ["/secret not_allowed"]);
    let stored = registry.get(&registry.stored(&by_secret("bindery/registry/sales")).await).await.json();
    assert_eq!((&stored["secret"], &stored["has_password"]), (&json!("bindery/registry/sales"), &json!(false)));
    // Of which nothing is said, there is none.
    let registry = Registry::start().await;
    for (body, fault) in
        [(file, "/path not_configured"), (by_secret("bindery/registry/sales"), "/secret not_configured")]
    {
        assert_eq!(registry.post(&body).await.is_problem(422, "validation").faults(), [fault]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_filtered_and_paged() {
    let registry = Registry::start().await;
    for (name, engine, team) in [("B", "mysql", "sales"), ("a", "postgres", "sales"), ("C", "mysql", "people")] {
        let body = json!({"name": name, "engine": engine, "host": "h", "username": "u", "labels": {"team": team}});
        registry.stored(&body).await;
    }
    let names = async |query: &str| {
        let page = registry.get(&format!("{CONNECTIONS}?{query}")).await;
        assert_eq!(page.status, 200, "{}", page.text);
        let page = page.json();
        let names: Vec<String> = page["items"]
            .as_array()
            .expect("items")
            .iter()
            .map(|item| item["name"].as_str().expect("a name").to_owned())
            .collect();
        (names.join(" "), page["next_cursor"].as_str().map(str::to_owned))
    };
    assert_eq!(names("").await.0, "a B C");
    assert_eq!(names("sort=-created_at").await.0, "C a B");
    assert_eq!(names("engine=mysql&label=team%3Dsales").await.0, "B");
    assert_eq!(names("label=team&q=C").await.0, "C");
    let (first, cursor) = names("limit=2").await;
    let next = format!("limit=2&cursor={}", cursor.expect("more follow"));
    assert_eq!((first.as_str(), names(&next).await), ("a B", ("C".to_owned(), None)));
    registry.get(&format!("{CONNECTIONS}?{next}&engine=mysql")).await.is_problem(400, "invalid-cursor");
    let refused = registry.get(&format!("{CONNECTIONS}?engine=oracle&label=Team&name=x")).await;
    assert_eq!(
        refused.is_problem(400, "invalid-query").faults(),
        ["name unknown_parameter", "engine unknown_engine", "label invalid_label",]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn engines_are_told_as_their_connectors_describe_them() {
    let registry = Registry::start().await;
    let engines = registry.get("/api/v1/connections/engines").await.json();
    let engines = engines["items"].as_array().expect("items");
    let names: Vec<&str> = engines.iter().map(|engine| engine["engine"].as_str().expect("a name")).collect();
    for name in ["dynamodb", "mariadb", "mongodb", "mysql", "postgres", "redis", "sqlite", "sqlserver"] {
        assert!(names.contains(&name), "{names:?}");
    }
    let engine = |name: &str| engines.iter().find(|engine| engine["engine"] == name).expect("it is there");
    insta::assert_snapshot!("engine_sqlserver", serde_json::to_string_pretty(engine("sqlserver")).expect("JSON"));
    let options = engine("sqlite")["options"].as_array().expect("options");
    assert!(options.iter().all(|option| option["name"] != "create"), "it is for operators");
    assert_eq!(engine("dynamodb")["fields"]["password"], "required");
    let options: Vec<_> =
        engine("mongodb")["options"].as_array().expect("options").iter().map(|it| &it["name"]).collect();
    assert_eq!(options, ["auth_source", "nodes", "replica_set", "srv"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_string_of_mongodb_is_taken_apart() {
    let registry = Registry::start().await;
    let url = "mongodb+srv://ann:p%40ss%2Fw%3Ard%25%3F%23%22%27%5C@cluster.example/library?option.replica_set=rs0";
    let stored = registry.get(&registry.stored(&json!({"name": "Library", "url": url})).await).await.json();
    assert_eq!((&stored["engine"], &stored["host"]), (&json!("mongodb"), &json!("cluster.example")));
    assert_eq!((&stored["database"], &stored["has_password"]), (&json!("library"), &json!(true)));
    assert_eq!(stored["options"], json!({"replica_set": "rs0", "srv": "true"}));
    assert_eq!((&stored["tls"]["mode"], &stored["port"]), (&json!("verify-full"), &Value::Null), "{stored}");
}
