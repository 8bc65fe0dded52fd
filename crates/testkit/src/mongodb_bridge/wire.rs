//! Messages on the wire: `OP_MSG`, and `OP_QUERY` with `OP_REPLY`, in which drivers still say hello.

use std::io;

use bson::{Bson, Document};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

const OP_REPLY: i32 = 1;
const OP_QUERY: i32 = 2004;
const OP_MSG: i32 = 2013;

const HEADER: usize = 16;
/// The longest message, which `hello` tells clients.
pub(super) const MAX_MESSAGE: usize = 48_000_000;

const CHECKSUM_PRESENT: u32 = 1;
const MORE_TO_COME: u32 = 1 << 1;

/// One command of a client.
#[derive(Debug)]
pub(super) struct Request {
    id: i32,
    legacy: bool,
    /// Whether the client waits for an answer.
    pub(super) wants_answer: bool,
    pub(super) body: Document,
}

impl Request {
    /// Reads the next; `None` when the client has hung up between two.
    pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Self>> {
        let mut header = [0; HEADER];
        if stream.read(&mut header[..1]).await? == 0 {
            return Ok(None);
        }
        stream.read_exact(&mut header[1..]).await?;
        let mut fields = Bytes(&header);
        let (length, id, _, code) = (fields.i32()?, fields.i32()?, fields.i32()?, fields.i32()?);
        let length = usize::try_from(length).ok().filter(|length| (HEADER..=MAX_MESSAGE).contains(length));
        let length = length.ok_or_else(|| invalid("a message of an impossible length"))?;
        let mut body = vec![0; length - HEADER];
        stream.read_exact(&mut body).await?;
        match code {
            OP_MSG => Self::message(id, Bytes(&body)).map(Some),
            OP_QUERY => Self::query(id, Bytes(&body)).map(Some),
            _ => Err(invalid("a message of an unknown kind")),
        }
    }

    fn message(id: i32, mut bytes: Bytes<'_>) -> io::Result<Self> {
        let flags = bytes.u32()?;
        if flags & CHECKSUM_PRESENT != 0 {
            let end = bytes.0.len().checked_sub(4).ok_or_else(|| invalid("a message without its checksum"))?;
            bytes = Bytes(&bytes.0[..end]);
        }
        let mut body = None;
        let mut sequences = Vec::new();
        while !bytes.0.is_empty() {
            match bytes.take(1)?[0] {
                0 => body = Some(bytes.document()?),
                1 => sequences.push(bytes.sequence()?),
                _ => return Err(invalid("a section of an unknown kind")),
            }
        }
        let mut body = body.ok_or_else(|| invalid("a message without a command"))?;
        // A sequence is a field of the command that travels beside it.
        body.extend(sequences);
        Ok(Self { id, legacy: false, wants_answer: flags & MORE_TO_COME == 0, body })
    }

    fn query(id: i32, mut bytes: Bytes<'_>) -> io::Result<Self> {
        bytes.u32()?;
        let collection = bytes.text()?;
        bytes.take(8)?;
        let mut body = bytes.document()?;
        let database = collection.strip_suffix(".$cmd").ok_or_else(|| invalid("a query in place of a command"))?;
        body.entry("$db".to_owned()).or_insert_with(|| Bson::String(database.to_owned()));
        Ok(Self { id, legacy: true, wants_answer: true, body })
    }

    /// Sends the answer to this command.
    pub(super) async fn answer(&self, stream: &mut (impl AsyncWrite + Unpin), answer: &Document) -> io::Result<()> {
        let answer = answer.to_vec().map_err(io::Error::other)?;
        let mut body = Vec::with_capacity(answer.len() + HEADER + 24);
        if self.legacy {
            const AWAIT_CAPABLE: i32 = 8;
            body.extend(AWAIT_CAPABLE.to_le_bytes());
            body.extend(0_i64.to_le_bytes());
            body.extend(0_i32.to_le_bytes());
            body.extend(1_i32.to_le_bytes());
        } else {
            body.extend(0_u32.to_le_bytes());
            body.push(0);
        }
        body.extend(answer);
        let length = i32::try_from(body.len() + HEADER).map_err(io::Error::other)?;
        let code = if self.legacy { OP_REPLY } else { OP_MSG };
        let mut message = Vec::with_capacity(body.len() + HEADER);
        for field in [length, 0, self.id, code] {
            message.extend(field.to_le_bytes());
        }
        message.extend(body);
        stream.write_all(&message).await?;
        stream.flush().await
    }
}

/// Bytes from a client, which may be anything.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> io::Result<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(count).ok_or_else(|| invalid("a message that ends too early"))?;
        self.0 = tail;
        Ok(head)
    }

    fn u32(&mut self) -> io::Result<u32> {
        let bytes = self.take(4)?.try_into().map_err(io::Error::other)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn i32(&mut self) -> io::Result<i32> {
        self.u32().map(u32::cast_signed)
    }

    fn text(&mut self) -> io::Result<String> {
        let end = self.0.iter().position(|byte| *byte == 0).ok_or_else(|| invalid("a text without an end"))?;
        let text = self.take(end + 1)?;
        String::from_utf8(text[..end].to_vec()).map_err(io::Error::other)
    }

    fn document(&mut self) -> io::Result<Document> {
        let mut rest = self.0;
        let document = Document::from_reader(&mut rest).map_err(io::Error::other)?;
        self.0 = rest;
        Ok(document)
    }

    fn sequence(&mut self) -> io::Result<(String, Bson)> {
        let length = usize::try_from(self.i32()?).map_err(io::Error::other)?;
        let length = length.checked_sub(4).ok_or_else(|| invalid("a section of an impossible length"))?;
        let mut part = Bytes(self.take(length)?);
        let name = part.text()?;
        let mut documents = Vec::new();
        while !part.0.is_empty() {
            documents.push(Bson::Document(part.document()?));
        }
        Ok((name, Bson::Array(documents)))
    }
}

pub(super) fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    fn framed(code: i32, body: &[u8]) -> Vec<u8> {
        let length = i32::try_from(body.len() + HEADER).unwrap();
        let mut bytes: Vec<u8> = [length, 7, 0, code].into_iter().flat_map(i32::to_le_bytes).collect();
        bytes.extend(body);
        bytes
    }

    async fn read(bytes: &[u8]) -> io::Result<Option<Request>> {
        Request::read(&mut &*bytes).await
    }

    #[tokio::test]
    async fn a_sequence_of_documents_becomes_a_field_of_its_command() {
        let mut body = 0_u32.to_le_bytes().to_vec();
        body.push(0);
        body.extend(doc! { "insert": "books", "$db": "shop" }.to_vec().unwrap());
        let mut section = b"documents\0".to_vec();
        section.extend(doc! { "_id": 1 }.to_vec().unwrap());
        section.extend(doc! { "_id": 2 }.to_vec().unwrap());
        body.push(1);
        body.extend(i32::try_from(section.len() + 4).unwrap().to_le_bytes());
        body.extend(section);
        let request = read(&framed(OP_MSG, &body)).await.unwrap().expect("a request");
        assert_eq!(request.body, doc! { "insert": "books", "$db": "shop", "documents": [{ "_id": 1 }, { "_id": 2 }] });
        assert!(request.wants_answer);
    }

    #[tokio::test]
    async fn a_hello_in_an_old_query_names_its_database() {
        let mut body = 0_u32.to_le_bytes().to_vec();
        body.extend(b"admin.$cmd\0\0\0\0\0\xff\xff\xff\xff");
        body.extend(doc! { "isMaster": 1 }.to_vec().unwrap());
        let request = read(&framed(OP_QUERY, &body)).await.unwrap().expect("a request");
        assert_eq!(request.body, doc! { "isMaster": 1, "$db": "admin" });
    }

    #[tokio::test]
    async fn nonsense_is_refused_and_nothing_is_reserved_for_it() {
        assert!(read(b"").await.unwrap().is_none());
        assert!(read(b"GET / HTTP/1.1\r\n\r\n").await.is_err());
        assert!(read(&i32::MAX.to_le_bytes().repeat(4)).await.is_err());
        assert!(read(&framed(OP_MSG, &[0; 4])).await.is_err());
        assert!(read(&framed(OP_MSG, &[0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0x7f])).await.is_err());
        assert!(read(&framed(OP_MSG, &[0, 0, 0, 0, 0, 3, 0, 0, 0])).await.is_err());
        assert!(read(&framed(12, &[])).await.is_err());
    }
}
