use std::time::Duration;

use ::redis::{Cmd, FromRedisValue, ParsingError, Value, cmd, from_redis_value};
use async_trait::async_trait;
use shared_kernel::RequestContext;
use shared_kernel::database::{
    DatabaseError, Expiry, KeyAnswer, KeyNode, KeyPlace, KeyQuestion, KeyStructure, Keyspace,
};

use super::connection::RedisConnection;
use super::error;

#[async_trait]
impl Keyspace for RedisConnection {
    fn database(&self) -> u32 {
        self.pool().driver().options().database.into()
    }

    async fn nodes(&self, context: &RequestContext) -> Result<Vec<KeyNode>, DatabaseError> {
        if !self.pool().driver().options().cluster {
            return Ok(Vec::new());
        }
        let mut nodes = self.masters(context).await?;
        nodes.sort_unstable();
        nodes.dedup();
        Ok(nodes)
    }

    async fn look(
        &self,
        at: &KeyPlace,
        questions: &[KeyQuestion],
        context: &RequestContext,
    ) -> Result<Vec<Result<KeyAnswer, DatabaseError>>, DatabaseError> {
        if questions.is_empty() {
            return Ok(Vec::new());
        }
        let commands = questions.iter().map(command).collect();
        let answers = self.send_together(at, commands, context).await?;
        let map = if self.pool().driver().options().cluster { error::map_in_cluster } else { error::map };
        let answers = questions.iter().zip(answers).map(|(question, answer)| {
            let verb = verb(question);
            let answer = answer.extract_error().map_err(|cause| map(cause, verb));
            let read = answer.and_then(|answer| read(question, answer).map_err(|cause| error::decode(cause, verb)));
            read.map_err(|error| error.on(self.pool().name()))
        });
        Ok(answers.collect())
    }
}

/// What an error says was tried.
fn verb(question: &KeyQuestion) -> &'static str {
    match question {
        KeyQuestion::Facts(_) => "INFO",
        KeyQuestion::Scan { .. } => "SCAN",
        KeyQuestion::Type(_) => "TYPE",
        KeyQuestion::TimeToLive(_) => "PTTL",
        KeyQuestion::Encoding(_) => "OBJECT ENCODING",
        KeyQuestion::Length(_, structure) => match structure {
            KeyStructure::String => "STRLEN",
            KeyStructure::List => "LLEN",
            KeyStructure::Set => "SCARD",
            KeyStructure::SortedSet => "ZCARD",
            KeyStructure::Hash => "HLEN",
            KeyStructure::Stream => "XLEN",
        },
        KeyQuestion::Memory(_) => "MEMORY USAGE",
        KeyQuestion::Fields { .. } => "HRANDFIELD",
    }
}

fn command(question: &KeyQuestion) -> Cmd {
    let mut command = Cmd::new();
    for word in verb(question).split(' ') {
        command.arg(word);
    }
    match question {
        KeyQuestion::Facts(section) => command.arg(*section),
        KeyQuestion::Scan { cursor, count } => command.arg(*cursor).arg("COUNT").arg(*count),
        KeyQuestion::Fields { key, count } => command.arg(key.as_slice()).arg(*count),
        KeyQuestion::Type(key)
        | KeyQuestion::TimeToLive(key)
        | KeyQuestion::Encoding(key)
        | KeyQuestion::Length(key, _)
        | KeyQuestion::Memory(key) => command.arg(key.as_slice()),
    };
    command
}

fn read(question: &KeyQuestion, answer: Value) -> Result<KeyAnswer, ParsingError> {
    if answer == Value::Nil {
        return Ok(KeyAnswer::Missing);
    }
    Ok(match question {
        KeyQuestion::Facts(_) | KeyQuestion::Encoding(_) => KeyAnswer::Text(text(answer)?),
        KeyQuestion::Type(_) => match text(answer)?.as_str() {
            "none" => KeyAnswer::Missing,
            word => KeyAnswer::Text(word.to_owned()),
        },
        KeyQuestion::TimeToLive(_) => match from_redis_value::<i64>(answer)? {
            -1 => KeyAnswer::Expiry(Expiry::Never),
            left => match u64::try_from(left) {
                Ok(left) => KeyAnswer::Expiry(Expiry::After(Duration::from_millis(left))),
                Err(_) => KeyAnswer::Missing,
            },
        },
        // The driver would make a large number of a negative one.
        KeyQuestion::Length(..) | KeyQuestion::Memory(_) => {
            u64::try_from(from_redis_value::<i64>(answer)?).map_or(KeyAnswer::Missing, KeyAnswer::Number)
        }
        KeyQuestion::Fields { .. } => KeyAnswer::Names(from_redis_value(answer)?),
        KeyQuestion::Scan { .. } => {
            let (cursor, keys) = <(u64, Vec<Vec<u8>>)>::from_redis_value(answer)?;
            KeyAnswer::Scanned { cursor, keys }
        }
    })
}

/// What the server says, whatever its bytes are.
fn text(answer: Value) -> Result<String, ParsingError> {
    Ok(match answer {
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => text,
        other => String::from_utf8_lossy(&from_redis_value::<Vec<u8>>(other)?).into_owned(),
    })
}

/// What each master is asked, for the addresses under which the driver knows them.
pub(super) fn roll_call() -> Cmd {
    cmd("PING")
}

/// The addresses of those who have answered.
pub(super) fn present(answer: Value) -> Result<Vec<KeyNode>, ParsingError> {
    let answers: Vec<(String, Value)> = from_redis_value(answer)?;
    let node = |address: &str| {
        let (host, port) = address.rsplit_once(':')?;
        Some(KeyNode { host: host.to_owned(), port: port.parse().ok()? })
    };
    Ok(answers.iter().filter_map(|(address, _)| node(address)).collect())
}

#[cfg(test)]
mod tests {
    use super::super::reading;
    use super::*;

    const STRUCTURES: [KeyStructure; 6] = [
        KeyStructure::String,
        KeyStructure::List,
        KeyStructure::Set,
        KeyStructure::SortedSet,
        KeyStructure::Hash,
        KeyStructure::Stream,
    ];

    #[test]
    fn whatever_is_asked_reads_and_nothing_else() {
        let key = || b"k".to_vec();
        let questions = [
            KeyQuestion::Facts("keyspace"),
            KeyQuestion::Scan { cursor: 7, count: 100 },
            KeyQuestion::Type(key()),
            KeyQuestion::TimeToLive(key()),
            KeyQuestion::Encoding(key()),
            KeyQuestion::Memory(key()),
            KeyQuestion::Fields { key: key(), count: 9 },
        ];
        let lengths = STRUCTURES.map(|structure| KeyQuestion::Length(key(), structure));
        for question in questions.iter().chain(&lengths) {
            assert!(reading::admit(&command(question)).is_ok(), "{question:?}");
        }
        assert!(reading::admit(&roll_call()).is_ok());
        let sent = command(&KeyQuestion::Scan { cursor: 7, count: 100 }).get_packed_command();
        assert_eq!(sent, b"*4\r\n$4\r\nSCAN\r\n$1\r\n7\r\n$5\r\nCOUNT\r\n$3\r\n100\r\n");
    }

    #[track_caller]
    fn reads(question: &KeyQuestion, answer: &[u8], expected: impl Into<Option<KeyAnswer>>) {
        let answer = ::redis::parse_redis_value(answer).expect("an answer");
        assert_eq!(read(question, answer).ok(), expected.into(), "{question:?}");
    }

    #[test]
    fn answers_are_read_and_bent_ones_refused() {
        let (key, scan) = (b"k".to_vec(), KeyQuestion::Scan { cursor: 0, count: 1 });
        let scanned = KeyAnswer::Scanned { cursor: 17, keys: vec![b"\xff\x00".to_vec()] };
        reads(&scan, b"*2\r\n$2\r\n17\r\n*1\r\n$2\r\n\xff\x00\r\n", Some(scanned));
        reads(&scan, b"*2\r\n$2\r\n-1\r\n*0\r\n", None);
        reads(&scan, b"+OK\r\n", None);
        let left = KeyQuestion::TimeToLive(key.clone());
        reads(&left, b":-2\r\n", Some(KeyAnswer::Missing));
        reads(&left, b":-1\r\n", Some(KeyAnswer::Expiry(Expiry::Never)));
        reads(&left, b":5\r\n", Some(KeyAnswer::Expiry(Expiry::After(Duration::from_millis(5)))));
        reads(&left, b":-9\r\n", Some(KeyAnswer::Missing));
        reads(&KeyQuestion::Type(key.clone()), b"+none\r\n", Some(KeyAnswer::Missing));
        reads(&KeyQuestion::Type(key.clone()), b"+hash\r\n", Some(KeyAnswer::Text("hash".to_owned())));
        reads(&KeyQuestion::Memory(key.clone()), b"_\r\n", Some(KeyAnswer::Missing));
        reads(&KeyQuestion::Memory(key.clone()), b":-1\r\n", Some(KeyAnswer::Missing));
        reads(&KeyQuestion::Memory(key), b"+much\r\n", None);
        reads(&KeyQuestion::Facts("server"), b"=8\r\ntxt:a:b\n\r\n", Some(KeyAnswer::Text("a:b\n".to_owned())));
    }

    #[test]
    fn masters_are_known_by_their_addresses() {
        let whole = b"%2\r\n$10\r\n10.0.0.1:1\r\n+PONG\r\n$4\r\n::1x\r\n+PONG\r\n";
        let nodes = present(::redis::parse_redis_value(whole).expect("an answer")).expect("nodes");
        assert_eq!(nodes, [KeyNode { host: "10.0.0.1".to_owned(), port: 1 }]);
    }
}
