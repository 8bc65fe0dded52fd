use tds_protocol::rpc::{RpcParam, RpcRequest};
use tds_protocol::{PacketHeader, PacketStatus, PacketType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

/// Speaks to the server below any driver: tiberius prepares nothing.
struct Raw(TcpStream);

impl Raw {
    async fn log_in(server: &TdsServer) -> Self {
        let mut raw = Self(TcpStream::connect(server.address()).await.unwrap());
        let prelogin =
            tds_protocol::PreLogin::new().with_encryption(tds_protocol::EncryptionLevel::NotSupported).encode();
        raw.ask(PacketType::PreLogin, &prelogin).await;
        let login = tds_protocol::Login7::new().with_sql_auth("sa", "secret").encode();
        raw.ask(PacketType::Tds7Login, &login).await;
        raw
    }

    async fn ask(&mut self, kind: PacketType, payload: &[u8]) -> Vec<u8> {
        let length = u16::try_from(payload.len() + 8).unwrap();
        let header = PacketHeader::new(kind, PacketStatus::END_OF_MESSAGE, length).encode_to_bytes();
        self.0.write_all(&header).await.unwrap();
        self.0.write_all(payload).await.unwrap();
        let mut head = [0; 8];
        self.0.read_exact(&mut head).await.unwrap();
        let mut body = vec![0; usize::from(u16::from_be_bytes([head[2], head[3]])) - 8];
        self.0.read_exact(&mut body).await.unwrap();
        body
    }

    async fn call(&mut self, request: &RpcRequest) -> Vec<u8> {
        self.ask(PacketType::Rpc, &request.encode()).await
    }
}

#[tokio::test]
async fn a_prepared_statement_is_run_by_its_handle() {
    let server = server().on(Matcher::starts_with("UPDATE"), Reply::changed(3)).start().await.unwrap();
    let mut raw = Raw::log_in(&server).await;
    let parameters = || vec![RpcParam::int("@p", 5)];

    raw.call(&RpcRequest::prepare("UPDATE one", &parameters())).await;
    raw.call(&RpcRequest::execute(1, parameters())).await;
    raw.call(&RpcRequest::prepexec("UPDATE two", parameters())).await;
    raw.call(&RpcRequest::execute(2, parameters())).await;
    raw.call(&RpcRequest::unprepare(2)).await;
    let error = raw.call(&RpcRequest::execute(2, parameters())).await;

    assert_eq!(server.texts(), ["UPDATE one", "UPDATE two", "UPDATE two"]);
    assert_eq!(error[0], 0xAA, "an ERROR token for a handle that is gone");
    assert!(server.received().iter().all(|one| one.statement.values() == [&TdsValue::Int(5)]));
}
