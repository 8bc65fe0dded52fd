//! Whether a server answers: a real exchange of its protocol, without a driver.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::Service;

/// What a server says of itself before anybody has logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Its version, when the protocol tells it this early.
    pub(crate) version: Option<String>,
}

impl Answer {
    /// The product that answered, when it is not the one that was asked for.
    pub(crate) fn other_product(&self, service: Service) -> Option<&'static str> {
        let is_mariadb = self.version.as_ref()?.contains("MariaDB");
        match service {
            Service::Mysql if is_mariadb => Some("MariaDB"),
            Service::Mariadb if !is_mariadb => Some("MySQL"),
            _ => None,
        }
    }
}

/// Connects and reads the server's first words. `limit` holds for each step of it.
pub(crate) fn ask(service: Service, host: &str, port: u16, limit: Duration) -> Result<Answer> {
    let address = (host, port)
        .to_socket_addrs()
        .with_context(|| format!("finding the address of {host}"))?
        .next()
        .with_context(|| format!("{host} has no address"))?;
    let mut stream = TcpStream::connect_timeout(&address, limit).context("connecting")?;
    stream.set_read_timeout(Some(limit))?;
    stream.set_write_timeout(Some(limit))?;
    match service {
        Service::Mysql | Service::Mariadb => mysql(&mut stream),
        Service::Postgres => postgres(&mut stream),
        Service::Redis => redis(&mut stream),
        Service::Moto => moto(&mut stream),
        Service::Dynamodb => dynamodb(&mut stream),
        Service::Mongodb => mongodb(&mut stream),
    }
}

/// The server speaks first: a packet of three bytes of length, a number, then protocol 10 and its version.
fn mysql(stream: &mut impl Read) -> Result<Answer> {
    let mut head = [0; 5];
    stream.read_exact(&mut head).context("reading the server's greeting")?;
    match head[4] {
        10 => {}
        0xff => bail!("the server refuses connections"),
        other => bail!("the server speaks protocol {other}, not MySQL's 10"),
    }
    let mut version = Vec::new();
    BufReader::new(stream.take(128)).read_until(0, &mut version).context("reading the server's version")?;
    version.pop_if(|last| *last == 0);
    let version = String::from_utf8_lossy(&version).into_owned();
    // Replication clients of old once needed the prefix; it is no part of the version.
    let version = version.strip_prefix("5.5.5-").unwrap_or(&version).to_owned();
    Ok(Answer { version: Some(version) })
}

/// The client speaks first: protocol 3.0 and a user; the server then asks for a proof of it (`R`), or says that it is
/// not ready yet (`E`).
fn postgres(stream: &mut (impl Read + Write)) -> Result<Answer> {
    let parameters = b"user\0postgres\0database\0postgres\0\0";
    let length = u32::try_from(8 + parameters.len())?;
    let mut message = length.to_be_bytes().to_vec();
    message.extend(196_608_u32.to_be_bytes());
    message.extend(parameters);
    stream.write_all(&message)?;
    let mut head = [0; 5];
    stream.read_exact(&mut head).context("reading the server's answer")?;
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]).saturating_sub(4);
    let mut body = vec![0; usize::try_from(length.min(4096))?];
    stream.read_exact(&mut body)?;
    match head[0] {
        b'R' => Ok(Answer { version: None }),
        b'E' => {
            let fields: Vec<&[u8]> = body.split(|byte| *byte == 0).collect();
            let field = |tag: u8| {
                fields
                    .iter()
                    .find(|field| field.first() == Some(&tag))
                    .map(|field| String::from_utf8_lossy(&field[1..]).into_owned())
                    .unwrap_or_default()
            };
            // Any other refusal comes from a server that is up, for instance one without a database `postgres`.
            if matches!(field(b'C').as_str(), "57P03" | "53300") {
                bail!("the server says: {}", field(b'M'));
            }
            Ok(Answer { version: None })
        }
        other => bail!("the server's answer begins with {:?}, as no PostgreSQL's does", char::from(other)),
    }
}

/// Redis takes a command as a line, and wants a login before it does anything else: that it asks for one is a sign of
/// life. While it reads its data, and while it is a replica without a primary, it says so.
fn redis(stream: &mut (impl Read + Write)) -> Result<Answer> {
    stream.write_all(b"PING\r\n")?;
    let line = first_line(stream)?;
    match line.split(' ').next().unwrap_or_default() {
        "+PONG" | "-NOAUTH" => Ok(Answer { version: None }),
        word if word.starts_with('-') => bail!("the server says: {}", &line[1..]),
        _ => bail!("the server's answer is not Redis's"),
    }
}

/// moto has a page of its own beside those of AWS.
fn moto(stream: &mut (impl Read + Write)) -> Result<Answer> {
    stream.write_all(b"GET /moto-api/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let line = first_line(stream)?;
    match line.split(' ').nth(1) {
        Some("200") => Ok(Answer { version: None }),
        _ => bail!("the server answers `{line}`"),
    }
}

/// A request that is none, because it names no operation, is refused in the way of this service alone.
fn dynamodb(stream: &mut (impl Read + Write)) -> Result<Answer> {
    stream.write_all(b"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(4096).read_to_string(&mut answer).context("reading the server's answer")?;
    if answer.contains("com.amazon") {
        return Ok(Answer { version: None });
    }
    bail!("the server answers `{}`", answer.lines().next().unwrap_or_default())
}

/// `hello` in a message of kind `OP_MSG`, which needs no login. Who else answers, answers in another kind.
fn mongodb(stream: &mut (impl Read + Write)) -> Result<Answer> {
    const OP_MSG: i32 = 2013;
    const COMMAND: &[u8] = b"\x1f\0\0\0\x10hello\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0";
    let length = i32::try_from(16 + 4 + 1 + COMMAND.len())?;
    let mut message: Vec<u8> = [length, 1, 0, OP_MSG].into_iter().flat_map(i32::to_le_bytes).collect();
    message.extend([0; 5]);
    message.extend(COMMAND);
    stream.write_all(&message)?;
    let mut head = [0; 16];
    stream.read_exact(&mut head).context("reading the server's answer")?;
    if head[12..] != OP_MSG.to_le_bytes() || head[8..12] != 1_i32.to_le_bytes() {
        bail!("the server's answer is no MongoDB's");
    }
    Ok(Answer { version: None })
}

fn first_line(stream: &mut impl Read) -> Result<String> {
    let mut line = String::new();
    BufReader::new(stream.take(512)).read_line(&mut line).context("reading the server's answer")?;
    Ok(line.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    struct Scripted {
        answer: Cursor<Vec<u8>>,
        heard: Vec<u8>,
    }

    impl Read for Scripted {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.answer.read(buffer)
        }
    }

    impl Write for Scripted {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.heard.extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn postgres_says(kind: u8, body: &[u8]) -> (Result<Answer>, Vec<u8>) {
        let mut bytes = vec![kind];
        bytes.extend(u32::try_from(body.len() + 4).unwrap().to_be_bytes());
        bytes.extend(body);
        let mut stream = Scripted { answer: Cursor::new(bytes), heard: Vec::new() };
        let result = postgres(&mut stream);
        (result, stream.heard)
    }

    #[test]
    fn the_greeting_of_mysql_tells_its_version() {
        let answer = mysql(&mut Cursor::new(b"\x4a\0\0\0\x0a9.7.4\0rest".to_vec())).unwrap();
        assert_eq!(answer.version.as_deref(), Some("9.7.4"));
        assert_eq!(answer.other_product(Service::Mariadb), Some("MySQL"));
    }

    #[test]
    fn the_greeting_of_mariadb_loses_its_prefix() {
        let answer = mysql(&mut Cursor::new(b"\x4a\0\0\0\x0a5.5.5-10.11.19-MariaDB\0".to_vec())).unwrap();
        assert_eq!(answer.version.as_deref(), Some("10.11.19-MariaDB"));
        assert_eq!(answer.other_product(Service::Mysql), Some("MariaDB"));
    }

    #[test]
    fn a_server_that_is_no_mysql_or_refuses_is_told_apart() {
        assert!(mysql(&mut Cursor::new(b"HTTP/1.1 400".to_vec())).is_err());
        assert!(mysql(&mut Cursor::new(b"\x4a\0\0\0\xff\x10\x04".to_vec())).is_err());
        assert!(mysql(&mut Cursor::new(b"\x4a".to_vec())).is_err());
    }

    #[test]
    fn postgres_is_ready_when_it_asks_for_a_proof() {
        let (result, heard) = postgres_says(b'R', &[0, 0, 0, 10]);
        assert_eq!(result.unwrap().version, None);
        assert_eq!(heard.len(), usize::from(heard[3]));
    }

    #[test]
    fn postgres_is_not_ready_while_it_starts_up() {
        let (result, _) = postgres_says(b'E', b"SFATAL\0C57P03\0Mthe database system is starting up\0\0");
        assert!(result.unwrap_err().to_string().contains("starting up"));
    }

    #[track_caller]
    fn redis_says(answer: &str) -> Result<Answer> {
        let mut stream = Scripted { answer: Cursor::new(answer.as_bytes().to_vec()), heard: Vec::new() };
        let result = redis(&mut stream);
        assert_eq!(stream.heard, b"PING\r\n");
        result
    }

    #[test]
    fn redis_is_ready_when_it_wants_a_login_and_not_while_it_reads_its_data() {
        assert!(redis_says("-NOAUTH Authentication required.\r\n").is_ok());
        assert!(redis_says("+PONG\r\n").is_ok());
        let error = redis_says("-LOADING Redis is loading the dataset in memory\r\n").unwrap_err();
        assert!(error.to_string().contains("LOADING"), "{error}");
        assert!(redis_says("HTTP/1.1 400 Bad Request\r\n").is_err());
    }

    #[test]
    fn moto_is_told_from_another_web_server_by_its_page() {
        let asked =
            |answer: &str| moto(&mut Scripted { answer: Cursor::new(answer.as_bytes().to_vec()), heard: Vec::new() });
        assert!(asked("HTTP/1.1 200 OK\r\n\r\n").is_ok());
        assert!(asked("HTTP/1.1 404 NOT FOUND\r\n\r\n").is_err());
    }

    #[test]
    fn dynamodb_is_told_from_another_web_server_by_its_refusal() {
        let asked = |answer: &str| {
            dynamodb(&mut Scripted { answer: Cursor::new(answer.as_bytes().to_vec()), heard: Vec::new() })
        };
        let refusal =
            "HTTP/1.1 400 Bad Request\r\n\r\n{\"__type\":\"com.amazon.coral.service#UnknownOperationException\"}";
        assert!(asked(refusal).is_ok());
        let error = asked("HTTP/1.1 404 Not Found\r\n\r\n").unwrap_err();
        assert!(error.to_string().contains("404"), "{error}");
    }

    #[test]
    fn mongodb_is_told_by_an_answer_to_the_very_question() {
        let asked = |head: [i32; 4]| {
            let answer: Vec<u8> = head.into_iter().flat_map(i32::to_le_bytes).collect();
            let mut stream = Scripted { answer: Cursor::new(answer), heard: Vec::new() };
            let outcome = mongodb(&mut stream);
            assert_eq!(usize::from(stream.heard[0]), stream.heard.len(), "the length is right");
            let command = &stream.heard[21..];
            assert_eq!(usize::from(command[0]), command.len(), "the document's too");
            outcome
        };
        assert!(asked([16, 9, 1, 2013]).is_ok());
        assert!(asked([16, 9, 2, 2013]).is_err());
        assert!(asked([16, 9, 1, 1]).is_err());
    }

    #[test]
    fn a_refusal_of_the_login_still_comes_from_a_server_that_is_up() {
        assert!(postgres_says(b'E', b"SFATAL\0C3D000\0Mno such database\0\0").0.is_ok());
    }
}
