//! An endpoint that is told its answers: it does what a service does whose limits are reached, or one that means ill.

use std::io;
use std::sync::{Arc, Mutex};

use connection_manager::ConnectionSettings;
use serde_json::{Value as Json, json};
use shared_kernel::database::DatabaseConnection;
use testkit::dynamodb::shared;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// A status, and a body.
pub(super) type Answer = (u16, String);

type Answers = Arc<dyn Fn(&str, &Json) -> Answer + Send + Sync>;

/// It is gone when it is dropped.
pub(super) struct Endpoint {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
    listening: AbortHandle,
}

impl Endpoint {
    /// One that answers each operation by its name and its input; `None` is the usual answer.
    pub(super) async fn start(answer: impl Fn(&str, &Json) -> Option<Answer> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let answers: Answers = Arc::new(move |name, input| answer(name, input).unwrap_or_else(|| usual(name, input)));
        let log = Arc::clone(&asked);
        let listening = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (answers, log) = (Arc::clone(&answers), Arc::clone(&log));
                // However it ends: the client has hung up.
                tokio::spawn(async move { serve(client, &answers, &log).await });
            }
        });
        Self { port, asked, listening: listening.abort_handle() }
    }

    fn settings(&self) -> ConnectionSettings {
        shared().with_host("127.0.0.1").with_port(self.port)
    }

    /// A connection that names no table.
    pub(super) async fn connect(&self) -> Arc<dyn DatabaseConnection> {
        testkit::connect(self.settings()).await.expect("connected")
    }

    /// How often an operation was asked for.
    pub(super) fn asked(&self, operation: &str) -> usize {
        self.asked.lock().expect("nobody panics").iter().filter(|asked| *asked == operation).count()
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn serve(mut client: TcpStream, answers: &Answers, log: &Mutex<Vec<String>>) -> io::Result<()> {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await?);
        }
        let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
        let header =
            |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim).unwrap_or_default();
        let mut body = vec![0; header("content-length:").parse().unwrap_or_default()];
        client.read_exact(&mut body).await?;
        let operation = header("x-amz-target:").rsplit('.').next().unwrap_or_default().to_owned();
        log.lock().expect("nobody panics").push(operation.clone());
        let (status, text) = answers(&operation, &serde_json::from_slice(&body).unwrap_or_default());
        let length = text.len();
        let head =
            format!("HTTP/1.1 {status} -\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {length}");
        // In one piece: a second one would wait until the first has been acknowledged.
        client.write_all(format!("{head}\r\n\r\n{text}").as_bytes()).await?;
    }
}

/// An account with two tables, each with one item.
fn usual(operation: &str, input: &Json) -> Answer {
    let answer = match operation {
        "listtables" => json!({ "TableNames": ["films", "books"] }),
        "describetable" => described(input, &json!([{ "AttributeName": "id", "AttributeType": "S" }])),
        "describetimetolive" => {
            json!({ "TimeToLiveDescription": { "TimeToLiveStatus": "ENABLED", "AttributeName": "until" } })
        }
        "scan" => json!({ "Items": [{ "id": { "S": "1" }, "pages": { "N": "7" } }], "Count": 1, "ScannedCount": 1 }),
        other => panic!("{other} is no question of an inspection"),
    };
    (200, answer.to_string())
}

/// The table that was asked for, with these attributes.
pub(super) fn described(input: &Json, attributes: &Json) -> Json {
    json!({ "Table": {
        "TableName": input["TableName"], "TableStatus": "ACTIVE", "AttributeDefinitions": attributes,
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
        "BillingModeSummary": { "BillingMode": "PAY_PER_REQUEST" },
        "ProvisionedThroughput": { "ReadCapacityUnits": 0, "WriteCapacityUnits": 0, "NumberOfDecreasesToday": 0 },
        "ItemCount": 1, "TableSizeBytes": 9,
    } })
}

/// What the service says no with.
pub(super) fn refusal(code: &str) -> Answer {
    (400, json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": "no" }).to_string())
}
