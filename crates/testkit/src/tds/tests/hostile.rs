use proptest::prelude::*;
use tds_protocol::PacketType;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::super::packet::Message;
use super::super::request::Request;
use super::super::{cursor::Cursor, login, value};
use super::*;

proptest! {
    #[test]
    fn no_bytes_make_a_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = login::Login::parse(&bytes);
        let _ = login::negotiate(&bytes, Tls::Optional);
        let _ = value::decode_parameter(&mut Cursor::new(&bytes));
        for kind in [PacketType::SqlBatch, PacketType::Rpc, PacketType::TransactionManager, PacketType::Attention] {
            let _ = Request::parse(&Message { kind, payload: bytes[..].into() });
        }
    }

    #[test]
    fn no_type_of_a_parameter_makes_the_parser_panic(kind in any::<u8>(), bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        let mut typed = vec![kind];
        typed.extend(bytes);
        let _ = value::decode_parameter(&mut Cursor::new(&typed));
    }
}

#[tokio::test]
async fn a_client_that_breaks_the_protocol_is_cut_off_and_named() {
    let server = server().start().await.unwrap();
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0x12, 1, 0, 9, 0, 0, 0, 0, 0], &[1, 1, 0, 8, 0, 0, 0, 0]] {
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut rest = Vec::new();
        // Either way of closing will do.
        let _ = stream.read_to_end(&mut rest).await;
        assert!(rest.is_empty());
    }
    server.wait_until(LIMIT, |server| server.connections().open == 0).await.unwrap();
    assert_eq!(server.violations().len(), 3, "{:?}", server.violations());
}
