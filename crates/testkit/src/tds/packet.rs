//! Messages and the packets they travel in (MS-TDS section 2.2.3).

use std::io;

use bytes::{Buf, BytesMut};
use tds_protocol::{PACKET_HEADER_SIZE, PacketHeader, PacketStatus, PacketType};
use tokio::io::{AsyncRead, AsyncReadExt};

/// No driver of this project sends more in one message; a client that does is cut off.
const LARGEST_MESSAGE: usize = 96 << 20;

/// What a client sent, put together from its packets.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) kind: PacketType,
    pub(super) payload: BytesMut,
}

/// Puts messages together. What was read stays here, so the future of [`MessageReader::next`] may be dropped freely.
#[derive(Debug, Default)]
pub(super) struct MessageReader {
    buffer: BytesMut,
    payload: BytesMut,
}

impl MessageReader {
    /// The next whole message, or `None` when the client has closed the connection.
    pub(super) async fn next(&mut self, io: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Message>> {
        loop {
            while let Some((header, body)) = self.next_packet()? {
                self.payload.unsplit(body);
                if self.payload.len() > LARGEST_MESSAGE {
                    return Err(invalid("the message is larger than this server takes"));
                }
                if header.status.contains(PacketStatus::END_OF_MESSAGE) {
                    return Ok(Some(Message { kind: header.packet_type, payload: self.payload.split() }));
                }
            }
            self.buffer.reserve(4096);
            if io.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }

    fn next_packet(&mut self) -> io::Result<Option<(PacketHeader, BytesMut)>> {
        let Some(mut head) = self.buffer.get(..PACKET_HEADER_SIZE) else { return Ok(None) };
        let header = PacketHeader::decode(&mut head).map_err(|error| invalid(error.to_string()))?;
        let length = usize::from(header.length);
        if length < PACKET_HEADER_SIZE {
            return Err(invalid("a packet is shorter than its header"));
        }
        if self.buffer.len() < length {
            return Ok(None);
        }
        let mut packet = self.buffer.split_to(length);
        packet.advance(PACKET_HEADER_SIZE);
        Ok(Some((header, packet)))
    }
}

/// Cuts an answer into packets of at most `packet_size` bytes, headers included.
pub(super) fn frame(tokens: &[u8], packet_size: u16) -> Vec<u8> {
    let room = usize::from(packet_size.max(512)) - PACKET_HEADER_SIZE;
    let count = tokens.len().div_ceil(room).max(1);
    let mut framed = Vec::with_capacity(tokens.len() + count * PACKET_HEADER_SIZE);
    for index in 0..count {
        let chunk = &tokens[index * room..tokens.len().min((index + 1) * room)];
        let status = if index + 1 == count { PacketStatus::END_OF_MESSAGE } else { PacketStatus::NORMAL };
        let length = u16::try_from(chunk.len() + PACKET_HEADER_SIZE).unwrap_or(u16::MAX);
        let mut header = PacketHeader::new(PacketType::TabularResult, status, length);
        header.packet_id = u8::try_from((index + 1) % 256).unwrap_or_default();
        framed.extend_from_slice(&header.encode_to_bytes());
        framed.extend_from_slice(chunk);
    }
    framed
}

pub(super) fn invalid(message: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(bytes: &[u8]) -> io::Result<Option<Message>> {
        MessageReader::default().next(&mut &*bytes).await
    }

    #[tokio::test]
    async fn a_message_in_several_packets_is_put_together() {
        let tokens: Vec<u8> = (0..2000_u32).map(|byte| byte.to_le_bytes()[0]).collect();
        let framed = frame(&tokens, 512);
        assert_eq!(framed.len(), 2000 + 4 * PACKET_HEADER_SIZE);
        let message = read(&framed).await.unwrap().unwrap();
        assert_eq!(message.kind, PacketType::TabularResult);
        assert_eq!(&message.payload[..], &tokens[..]);
    }

    #[tokio::test]
    async fn a_packet_shorter_than_its_header_is_refused() {
        assert!(read(&[1, 1, 0, 7, 0, 0, 0, 0]).await.is_err());
    }

    #[tokio::test]
    async fn an_unknown_packet_type_is_refused() {
        assert!(read(&[0x55, 1, 0, 8, 0, 0, 0, 0]).await.is_err());
    }

    #[tokio::test]
    async fn a_connection_closed_in_mid_packet_ends_quietly() {
        assert!(read(&[1, 1, 0, 20, 0, 0, 0, 0, 1]).await.unwrap().is_none());
    }
}
