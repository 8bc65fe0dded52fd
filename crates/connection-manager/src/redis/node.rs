use std::io;

use ::redis::aio::{ConnectionLike, MultiplexedConnection};
use ::redis::cluster_async::Connect;
use ::redis::{
    AsyncConnectionConfig, Cmd, IntoConnectionInfo, Pipeline, RedisError, RedisFuture, RedisResult, RetryMethod, Value,
};

use super::reading;

/// A connection to one node of a cluster, as the crate's cluster connection uses it.
///
/// The crate sends a command again after every failure that another try might mend, a lost connection among them, when
/// the command may have been executed: a counter would count twice. Here such a failure is final. What goes on being sent
/// again is what a node says that it did not execute: `MOVED`, `ASK`, `TRYAGAIN`, `CLUSTERDOWN`, `LOADING`, `MASTERDOWN`,
/// `READONLY`. Of a pipeline that holds as well when no command of it was executed. Where a part of one that only reads was,
/// each command has its own answer, or a redirection that nobody follows.
#[derive(Clone)]
pub struct NodeConnection(MultiplexedConnection);

impl Connect for NodeConnection {
    fn connect_with_config<'a, T>(info: T, config: AsyncConnectionConfig) -> RedisFuture<'a, Self>
    where
        T: IntoConnectionInfo + Send + 'a,
    {
        Box::pin(async move { MultiplexedConnection::connect_with_config(info, config).await.map(Self) })
    }
}

impl ConnectionLike for NodeConnection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move { self.0.req_packed_command(command).await.map_err(last_word) })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let answers = self.0.req_packed_commands(pipeline, offset, count).await.map_err(last_word)?;
            whole_or_nothing(pipeline, answers)
        })
    }

    fn get_db(&self) -> i64 {
        self.0.get_db()
    }
}

/// The error, and where the crate would send the command again although it may have been executed, one of the kind that it
/// takes for final.
fn last_word(error: RedisError) -> RedisError {
    match error.retry_method() {
        RetryMethod::Reconnect | RetryMethod::ReconnectFromInitialConnections | RetryMethod::RetryImmediately => {
            RedisError::from(io::Error::new(io::ErrorKind::Unsupported, error))
        }
        _ => error,
    }
}

/// The answers to a pipeline, unless the crate would send all of it again because of a part. A pipeline that only reads may be
/// sent again, but not to where a part of it was sent on to: the rest would not be found there.
fn whole_or_nothing(pipeline: &Pipeline, answers: Vec<Value>) -> RedisResult<Vec<Value>> {
    let not_executed = answers.iter().filter(|answer| was_not_executed(answer)).count();
    if not_executed == 0 || not_executed == answers.len() {
        return Ok(answers);
    }
    if pipeline.cmd_iter().all(|command| reading::admit(command).is_ok()) {
        return Ok(answers.into_iter().map(unfollowed).collect());
    }
    let message = "a part of the pipeline was executed, and another one was sent on";
    Err(RedisError::from(io::Error::new(io::ErrorKind::Unsupported, message)))
}

/// A redirection where the crate does not see it, and whoever takes the errors out of an answer does.
fn unfollowed(answer: Value) -> Value {
    match &answer {
        Value::ServerError(error) if matches!(error.code(), "ASK" | "MOVED" | "TRYAGAIN") => Value::Array(vec![answer]),
        _ => answer,
    }
}

fn was_not_executed(answer: &Value) -> bool {
    const CODES: [&str; 7] = ["ASK", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "MOVED", "READONLY", "TRYAGAIN"];
    matches!(answer, Value::ServerError(error) if CODES.contains(&error.code()))
}

#[cfg(test)]
mod tests {
    use ::redis::{ErrorKind, ServerErrorKind, pipe};

    use super::*;

    fn retried(error: RedisError) -> bool {
        !matches!(last_word(error).retry_method(), RetryMethod::NoRetry)
    }

    #[test]
    fn what_may_have_been_executed_is_not_sent_again() {
        use io::ErrorKind::{BrokenPipe, ConnectionReset, Other, TimedOut, UnexpectedEof, WouldBlock};
        for kind in [BrokenPipe, ConnectionReset, Other, TimedOut, UnexpectedEof, WouldBlock] {
            assert!(!retried(io::Error::from(kind).into()), "{kind:?}");
        }
        for kind in [ErrorKind::Parse, ErrorKind::AuthenticationFailed, ErrorKind::ClusterConnectionNotFound] {
            assert!(!retried((kind, "as planned").into()), "{kind:?}");
        }
    }

    #[test]
    fn what_was_not_executed_is() {
        use ServerErrorKind::{Ask, BusyLoading, ClusterDown, MasterDown, Moved, ReadOnly, TryAgain};
        for kind in [Ask, BusyLoading, ClusterDown, MasterDown, Moved, ReadOnly, TryAgain] {
            assert!(retried((ErrorKind::from(kind), "as planned").into()), "{kind:?}");
        }
    }

    #[test]
    fn a_pipeline_of_which_a_part_was_executed_is_not_sent_again() {
        let parse = |text: &str| ::redis::parse_redis_value(text.as_bytes()).unwrap();
        let (done, moved) = (parse("+OK\r\n"), parse("-MOVED 866 127.0.0.1:6380\r\n"));
        assert!(was_not_executed(&moved), "{moved:?}");
        let mut writes = pipe();
        writes.get("a").set("b", 1);
        assert!(whole_or_nothing(&writes, vec![done.clone(), done.clone()]).is_ok());
        assert!(whole_or_nothing(&writes, vec![moved.clone(), moved.clone()]).is_ok());
        let error = whole_or_nothing(&writes, vec![done, moved]).unwrap_err();
        assert!(matches!(error.retry_method(), RetryMethod::NoRetry), "{error:?}");
    }

    #[test]
    fn a_pipeline_that_only_reads_has_an_answer_to_each_command() {
        let parse = |text: &str| ::redis::parse_redis_value(text.as_bytes()).unwrap();
        let mut reads = pipe();
        reads.get("a").get("b").get("c");
        for (refusal, code) in
            [("-MOVED 866 h:1\r\n", "MOVED"), ("-ASK 866 h:1\r\n", "ASK"), ("-TRYAGAIN later\r\n", "TRYAGAIN")]
        {
            let answers = vec![parse("+yes\r\n"), parse(refusal), parse("-ERR no\r\n")];
            let answers = whole_or_nothing(&reads, answers).unwrap();
            assert!(!answers.iter().any(was_not_executed), "the crate would send all of it again: {answers:?}");
            let codes = answers.into_iter().map(|answer| answer.extract_error().err()?.code().map(str::to_owned));
            assert_eq!(codes.collect::<Vec<_>>(), [None, Some(code.to_owned()), Some("ERR".to_owned())]);
        }
        let moved = vec![parse("-MOVED 866 h:1\r\n"); 3];
        assert_eq!(whole_or_nothing(&reads, moved.clone()).unwrap(), moved, "all of it is sent on");
    }
}
