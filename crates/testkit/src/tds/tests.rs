//! The server as tiberius sees it. What the connector makes of it is tested beside the connector.

use std::time::Duration;

use tiberius::{AuthMethod, Client, Config, EncryptionLevel};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};

use super::*;

mod faults;
mod hostile;
mod logins;
mod prepared;
mod transactions;
mod types;

const LIMIT: Duration = Duration::from_secs(10);

type TestClient = Client<Compat<TcpStream>>;

fn config(server: &TdsServer, encryption: EncryptionLevel) -> Config {
    let mut config = Config::new();
    config.host("localhost");
    config.authentication(AuthMethod::sql_server("sa", "secret"));
    config.encryption(encryption);
    config.trust_cert_ca_bundle(server.ca_pem().as_bytes());
    config.handshake_timeout(Some(LIMIT));
    config
}

async fn connect_with(server: &TdsServer, config: Config) -> tiberius::Result<TestClient> {
    let stream = TcpStream::connect(server.address()).await?;
    Box::pin(Client::connect(config, stream.compat_write())).await
}

async fn connect(server: &TdsServer) -> TestClient {
    connect_with(server, config(server, EncryptionLevel::NotSupported)).await.unwrap()
}

fn server() -> TdsServerBuilder {
    TdsServer::builder().user("sa", "secret")
}

async fn number(client: &mut TestClient, text: &str) -> i32 {
    client.simple_query(text).await.unwrap().into_row().await.unwrap().unwrap().get(0).unwrap()
}
