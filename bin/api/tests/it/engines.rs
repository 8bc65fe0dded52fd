//! One script, every engine, the same bytes.

use std::fmt::Write as _;

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Server, TestDatabase};

use crate::support::{Service, Steady};

testkit::on_every_engine!(the_same_script_has_the_same_answers);

/// Runs the script and compares every answer with the one transcript that all engines share, byte for byte but for ids,
/// instants, traces and cursors.
async fn the_same_script_has_the_same_answers(server: Server) {
    let users = TestDatabase::migrated(server, "users").await;
    let books = TestDatabase::migrated(server, "books").await;
    let mut service = Service::configured(|config| {
        config.connections.insert("users".to_owned(), users.settings());
        config.connections.insert("books".to_owned(), books.settings());
    })
    .await;
    let transcript = Script::new(&service).run().await;
    service.stop();
    service.ended().await.expect("a good end");
    insta::assert_snapshot!("transcript", transcript);
}

struct Script<'a> {
    service: &'a Service,
    steady: Steady,
    transcript: String,
}

impl<'a> Script<'a> {
    fn new(service: &'a Service) -> Self {
        Self { service, steady: Steady::default(), transcript: String::new() }
    }

    /// Sends a request, writes it and its answer down, and gives the answer's `Location`.
    async fn ask(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&'static str, &str)],
        body: Option<&Value>,
    ) -> String {
        let mut all = headers.to_vec();
        if body.is_some() {
            all.push(("content-type", "application/json"));
        }
        let bytes = body.map(|body| body.to_string().into_bytes());
        let answer = self.service.send(method.clone(), path, &all, bytes).await;
        let shown = if path.contains("cursor=") { path.split("cursor=").next().unwrap_or_default() } else { path };
        let mut entry = format!("{method} {shown}\n");
        for (name, value) in headers {
            let _ = writeln!(entry, "  {name}: {value}");
        }
        if let Some(body) = body {
            let _ = writeln!(entry, "  {body}");
        }
        let _ = writeln!(entry, "{}", answer.status.as_u16());
        for name in ["content-type", "location", "etag", "idempotency-replayed", "retry-after", "allow"] {
            if !answer.header(name).is_empty() {
                let _ = writeln!(entry, "  {name}: {}", answer.header(name));
            }
        }
        let _ = writeln!(entry, "  {}\n", answer.text);
        self.transcript.push_str(&self.steady.text(&entry));
        answer.header("location").to_owned()
    }

    async fn get(&mut self, path: &str) {
        self.ask(Method::GET, path, &[], None).await;
    }

    async fn run(mut self) -> String {
        self.users().await;
        self.books().await;
        self.transcript
    }

    async fn users(&mut self) {
        let users = "/api/v1/users";
        self.get(users).await;
        let mut paths = Vec::new();
        for (name, email) in [
            ("Straße 7 ", "strasse@example.org"),
            ("STRASSE 8", "Strasse2@Example.org"),
            ("Zoë \u{1f4da}", "zoe@example.org"),
            ("ada [1]", "a_b@example.org"),
            ("Ada 100%", "axb@example.org"),
            ("\u{5f20}\u{4f1f}", "zhang@example.org"),
        ] {
            paths.push(self.ask(Method::POST, users, &[], Some(&json!({"name": name, "email": email}))).await);
        }
        self.ask(Method::POST, users, &[], Some(&json!({"name": "X", "email": "STRASSE@example.ORG"}))).await;
        self.ask(Method::POST, users, &[], Some(&json!({"name": "\u{0}", "email": "x"}))).await;
        let key = [("idempotency-key", "first")];
        for body in
            [json!({"name": "Kay", "email": "kay@example.org"}), json!({"email": "kay@example.org", "name": "Kay"})]
        {
            self.ask(Method::POST, users, &key, Some(&body)).await;
        }
        self.ask(Method::POST, users, &key, Some(&json!({"name": "Kay", "email": "other@example.org"}))).await;
        for query in [
            "sort=name",
            "sort=-name",
            "sort=email&limit=3",
            "q=strasse",
            "q=%5B1",
            "q=100%25",
            "q=A_B",
            "q=%F0%9F%93%9A",
        ] {
            self.get(&format!("{users}?{query}")).await;
        }
        let [path, other, ..] = paths.as_slice() else { panic!("users were created") };
        let version = |number: u8| format!("\"r1-v{number}\"");
        let put = json!({"name": "Straße 9", "email": "strasse@example.org"});
        self.ask(Method::PUT, path, &[("if-match", &version(1))], Some(&put)).await;
        self.ask(Method::PUT, path, &[("if-match", &version(1))], Some(&put)).await;
        self.ask(Method::PUT, path, &[("if-match", &version(2))], Some(&put)).await;
        self.ask(Method::PATCH, path, &[("if-match", &version(2))], Some(&json!({"status": "suspended"}))).await;
        self.ask(Method::PATCH, path, &[("if-match", "*")], Some(&json!({"email": "ZOE@example.org"}))).await;
        self.get(&format!("{users}?status=suspended")).await;
        self.ask(Method::GET, path, &[("if-none-match", &version(3))], None).await;
        self.ask(Method::DELETE, other, &[("if-match", &version(2))], None).await;
        self.ask(Method::DELETE, other, &[("if-match", &version(1))], None).await;
        self.ask(Method::DELETE, other, &[("if-match", &version(1))], None).await;
        self.get(other).await;
        self.pages(users, "limit=2&sort=name").await;
    }

    async fn books(&mut self) {
        let books = "/api/v1/books";
        self.get(&format!("{books}/statistics")).await;
        let price = |amount: &str, currency: &str| json!({"amount": amount, "currency": currency});
        let rows = [
            json!({"title": "War and Peace", "authors": ["Leo Tolstoy"], "isbn": "0140447938", "published_on": "1869-05-01",
                "pages": 1392, "language": "en", "price": price("12.50", "EUR"), "description": "Long.\n\nVery \u{1f4d6}."}),
            json!({"title": "Anna Karenina", "authors": ["Leo Tolstoy", "Louise Maude"], "isbn": "9780306406157",
                "published_on": "1878-01-01", "pages": 864, "language": "en", "price": price("9.99", "EUR")}),
            json!({"title": "\u{7e} 100% [sic]", "authors": ["Å. Ångström"], "isbn": "978-3-16-148410-0", "language": "sv",
                "price": price("1200", "JPY")}),
            json!({"title": "äpple", "authors": ["å"], "isbn": "9791090636071", "published_on": "9999-12-31", "pages": 1}),
            json!({"title": "Zebra", "authors": ["Z"], "isbn": "9780131103627", "published_on": "1000-01-01", "pages": 100_000,
                "language": "zh-hant-tw", "price": price("999999999999.999", "BHD")}),
            json!({"title": "Nothing more", "authors": ["N"], "isbn": "9780262033848", "price": price("0.01", "EUR"), "language": "en",
                "published_on": "1875-07-07"}),
        ];
        let mut paths = Vec::new();
        for row in &rows {
            paths.push(self.ask(Method::POST, books, &[], Some(row)).await);
        }
        self.ask(Method::POST, books, &[], Some(&rows[0])).await;
        for query in [
            "sort=title",
            "sort=-title",
            "sort=published_on",
            "sort=-published_on",
            "sort=pages",
            "sort=-pages",
            "sort=price&currency=EUR",
            "sort=-price&currency=EUR",
            "q=100%25",
            "q=%5Bsic",
            "q=tolstoy&sort=title",
            "author=LEO+tolstoy&sort=title",
            "author=leo",
            "language=zh-Hant-TW",
            "published_from=1878-01-01&sort=title",
            "published_to=1878-01-01&sort=title",
            "currency=EUR&price_min=0.01&price_max=9.99&sort=title",
            "q=9791090636071",
        ] {
            self.get(&format!("{books}?{query}")).await;
        }
        self.get(&format!("{books}/statistics")).await;
        let any = [("if-match", "*")];
        let patch = json!({"pages": null, "price": {"amount": "0.02"}, "authors": ["B", "A", "B"], "language": "FR"});
        self.ask(Method::PATCH, &paths[0], &any, Some(&patch)).await;
        self.ask(Method::PATCH, &paths[0], &any, Some(&json!({"isbn": "9780306406157"}))).await;
        self.ask(Method::PUT, &paths[1], &any, Some(&json!({"title": "T", "authors": ["A"], "isbn": "9780306406157"})))
            .await;
        self.ask(Method::DELETE, &paths[2], &any, None).await;
        self.get(&format!("{books}/statistics")).await;
        for sort in ["title", "-pages", "published_on", "-created_at"] {
            self.pages(books, &format!("limit=2&sort={sort}")).await;
        }
    }

    /// Reads a list to its end.
    async fn pages(&mut self, list: &str, query: &str) {
        let mut path = format!("{list}?{query}");
        loop {
            self.get(&path).await;
            let page = self.service.get(&path).await.json();
            match page["next_cursor"].as_str() {
                Some(cursor) => path = format!("{list}?{query}&cursor={cursor}"),
                None => break,
            }
        }
    }
}
