//! Looks at a server that is made up: what it is asked, and what is told when it refuses, goes on for ever or tells too much.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use schema_model::{Gap, KeySample, SampleLimit, Unavailable};
use shared_kernel::RequestContext;
use shared_kernel::database::{
    DatabaseError, DatabaseErrorKind, Expiry, KeyAnswer, KeyNode, KeyPlace, KeyQuestion, Keyspace,
};

use super::facts::Count;
use super::look::Look;
use super::{MOST_TOLD, cut, refusal, wanted};
use crate::SamplingOptions;
use crate::asking::Asking;

/// Answers as it is told to.
struct Server {
    nodes: Vec<KeyNode>,
    answer: fn(&KeyPlace, &KeyQuestion) -> Result<KeyAnswer, DatabaseError>,
    /// What comes of the questions as a whole, where they are not answered one by one.
    refuse: fn(&KeyPlace, &[KeyQuestion]) -> Option<DatabaseError>,
    asked: Mutex<Vec<(KeyPlace, KeyQuestion)>>,
}

impl Server {
    fn new(answer: fn(&KeyPlace, &KeyQuestion) -> Result<KeyAnswer, DatabaseError>) -> Self {
        Self { nodes: Vec::new(), answer, refuse: |_, _| None, asked: Mutex::default() }
    }

    fn asked(&self, is_it: impl Fn(&KeyQuestion) -> bool) -> usize {
        self.asked.lock().expect("nobody panics").iter().filter(|(_, question)| is_it(question)).count()
    }
}

#[async_trait]
impl Keyspace for Server {
    fn database(&self) -> u32 {
        0
    }

    async fn nodes(&self, _: &RequestContext) -> Result<Vec<KeyNode>, DatabaseError> {
        Ok(self.nodes.clone())
    }

    async fn look(
        &self,
        at: &KeyPlace,
        questions: &[KeyQuestion],
        _: &RequestContext,
    ) -> Result<Vec<Result<KeyAnswer, DatabaseError>>, DatabaseError> {
        let mut asked = self.asked.lock().expect("nobody panics");
        asked.extend(questions.iter().map(|question| (at.clone(), question.clone())));
        if let Some(error) = (self.refuse)(at, questions) {
            return Err(error);
        }
        Ok(questions.iter().map(|question| (self.answer)(at, question)).collect())
    }
}

/// Any answer that is one to the question, with so many keys from each scan on.
fn well(question: &KeyQuestion, keys: u64) -> KeyAnswer {
    match question {
        KeyQuestion::Facts(_) | KeyQuestion::Encoding(_) => KeyAnswer::Text("raw".to_owned()),
        KeyQuestion::Type(_) => KeyAnswer::Text("hash".to_owned()),
        KeyQuestion::TimeToLive(_) => KeyAnswer::Expiry(Expiry::Never),
        KeyQuestion::Length(..) | KeyQuestion::Memory(_) => KeyAnswer::Number(7),
        KeyQuestion::Fields { .. } => KeyAnswer::Names(vec![b"name".to_vec()]),
        KeyQuestion::Scan { cursor, .. } => {
            let keys = (0..keys).map(|number| format!("k:{}", cursor * keys + number).into_bytes());
            KeyAnswer::Scanned { cursor: cursor + 1, keys: keys.collect() }
        }
    }
}

fn no(code: &'static str) -> DatabaseError {
    DatabaseError::new(DatabaseErrorKind::Query, "no").with_code(code)
}

async fn look(server: &Server, options: &SamplingOptions, patience: Duration) -> (KeySample, Vec<Gap>) {
    let context = RequestContext::system();
    let asking = Asking { context: &context, until: Instant::now() + patience, refusal };
    let mut look = Look::begin(server, asking, options).await.expect("a beginning");
    let sample = look.sample(0, Some(Count { keys: 1_000_000, expiring: 3 })).await.expect("a look");
    (sample, look.told(&mut crate::stages::Stages::new(&context)))
}

const LONG: Duration = Duration::from_mins(10);

fn gap(part: &str, reason: Unavailable) -> Gap {
    Gap { object: None, part: part.to_owned(), reason }
}

#[tokio::test]
async fn so_many_keys_are_looked_at_and_no_more() {
    let server = Server::new(|_, question| Ok(well(question, 30)));
    let (sample, gaps) = look(&server, &SamplingOptions::default(), LONG).await;
    assert_eq!((sample.keys, sample.limits.as_slice(), gaps), (1_000, &[SampleLimit::Keys][..], vec![]));
    assert_eq!(server.asked(|question| matches!(question, KeyQuestion::Scan { .. })), 34);
    assert_eq!(server.asked(|question| matches!(question, KeyQuestion::Type(_))), 1_000);
    assert_eq!(server.asked(|question| matches!(question, KeyQuestion::Memory(_))), 20, "of a pattern and type");
    assert_eq!(server.asked(|question| matches!(question, KeyQuestion::Fields { .. })), 20);
    let [pattern] = sample.patterns.as_slice() else { panic!("{:?}", sample.patterns) };
    assert_eq!((pattern.pattern.as_str(), pattern.estimated), ("k:{number}", Some(1_000_000)));
}

#[tokio::test]
async fn a_server_that_finds_nothing_for_ever_is_left() {
    let server = Server::new(|_, question| Ok(well(question, 0)));
    let (sample, gaps) = look(&server, &SamplingOptions::default(), LONG).await;
    assert_eq!((sample.keys, sample.unavailable, sample.limits.as_slice()), (0, None, &[SampleLimit::Keys][..]));
    assert_eq!(server.asked(|_| true), 200);
    assert_eq!(gaps, []);
    // Nor does it help to tell the same ones.
    let again = Server::new(|_, question| match question {
        KeyQuestion::Scan { .. } => Ok(KeyAnswer::Scanned { cursor: 5, keys: vec![b"k".to_vec(); 1_000] }),
        question => Ok(well(question, 0)),
    });
    let (sample, _) = look(&again, &SamplingOptions::default(), LONG).await;
    assert_eq!((sample.keys, again.asked(|question| matches!(question, KeyQuestion::Scan { .. }))), (1, 200));
}

#[tokio::test]
async fn what_is_refused_is_a_gap_and_the_rest_is_told() {
    let server = Server::new(|_, question| match question {
        KeyQuestion::Memory(_) => Err(no("NOPERM")),
        KeyQuestion::Encoding(_) => Err(no("ERR")),
        KeyQuestion::Length(..) => Err(no("WRONGTYPE")),
        KeyQuestion::Scan { .. } => Ok(KeyAnswer::Scanned { cursor: 0, keys: vec![b"k".to_vec()] }),
        question => Ok(well(question, 1)),
    });
    let (sample, gaps) = look(&server, &SamplingOptions::default(), LONG).await;
    let expected = [gap("encodings of keys", Unavailable::Broken), gap("memory of keys", Unavailable::Forbidden)];
    assert_eq!(gaps, expected, "what has become another type is no gap");
    let of_type = &sample.patterns[0].types[0];
    assert_eq!((of_type.name.as_str(), of_type.memory, of_type.lengths), ("hash", None, None));
    assert_eq!(of_type.fields.as_ref().map(|fields| fields.fields.len()), Some(1));
    // The sample is all that there is, whatever the server has counted.
    assert_eq!((sample.patterns[0].estimated, sample.limits.as_slice()), (Some(1), &[][..]));

    let nothing = Server::new(|_, _| Err(no("NOPERM")));
    let (sample, gaps) = look(&nothing, &SamplingOptions::default(), LONG).await;
    assert_eq!((sample.keys, sample.unavailable), (0, Some(Unavailable::Forbidden)));
    assert_eq!(gaps, [gap("keys of db0", Unavailable::Forbidden)]);
}

#[tokio::test]
async fn where_patience_is_at_its_end_that_is_told() {
    let server = Server::new(|_, question| Ok(well(question, 30)));
    let (sample, gaps) = look(&server, &SamplingOptions::default(), Duration::ZERO).await;
    assert_eq!((sample.keys, sample.unavailable), (0, Some(Unavailable::OverLimit)));
    assert!(gaps.contains(&gap("keys of db0", Unavailable::OverLimit)), "{gaps:?}");
    assert_eq!(server.asked(|_| true), 0);
}

#[tokio::test]
async fn answers_that_are_none_are_no_harm() {
    let server = Server::new(|_, question| match question {
        KeyQuestion::Scan { .. } => Ok(KeyAnswer::Scanned { cursor: 0, keys: vec![vec![0xff; 100_000], Vec::new()] }),
        KeyQuestion::Fields { .. } => Ok(KeyAnswer::Names(vec![vec![b'x'; 100_000]; 300])),
        KeyQuestion::Type(_) => Ok(KeyAnswer::Text("hash".to_owned())),
        KeyQuestion::Encoding(_) => Ok(KeyAnswer::Text("\u{0}".repeat(1_000_000))),
        _ => Ok(KeyAnswer::Number(u64::MAX)),
    });
    let (sample, gaps) = look(&server, &SamplingOptions::default(), LONG).await;
    assert_eq!((gaps, sample.limits.as_slice()), (vec![], &[SampleLimit::Bytes][..]));
    let told = serde_json::to_string(&sample).expect("JSON");
    assert!(told.len() < 5_000, "{} bytes", told.len());
    let bent = Server::new(|_, _| Ok(KeyAnswer::Missing));
    let (sample, gaps) = look(&bent, &SamplingOptions::default(), LONG).await;
    assert_eq!(sample.unavailable, Some(Unavailable::Broken));
    assert_eq!(gaps, [gap("keys of db0", Unavailable::Broken)]);
}

/// Keys of a hundred thousand bytes, and hashes with names that are nearly as long.
fn at_length(question: &KeyQuestion) -> KeyAnswer {
    match question {
        KeyQuestion::Scan { cursor, .. } => {
            let key = |number: u64| [format!("k:{}:", cursor * 10 + number).into_bytes(), vec![b'x'; 100_000]].concat();
            KeyAnswer::Scanned { cursor: cursor + 1, keys: (0..10).map(key).collect() }
        }
        KeyQuestion::Memory(_) => KeyAnswer::Number(1_000_000),
        KeyQuestion::Length(..) => KeyAnswer::Number(10),
        KeyQuestion::Fields { .. } => KeyAnswer::Names(vec![vec![b'n'; 90_000]; 10]),
        question => well(question, 0),
    }
}

#[tokio::test]
async fn keys_and_names_are_kept_up_to_so_many_bytes() {
    let server = Server::new(|_, question| Ok(at_length(question)));
    let options = SamplingOptions { bytes: 2_000_000, ..SamplingOptions::default() };
    let (sample, gaps) = look(&server, &options, LONG).await;
    assert_eq!((sample.keys, sample.limits.as_slice(), gaps), (19, &[SampleLimit::Bytes][..], vec![]));
    assert_eq!(server.asked(|question| matches!(question, KeyQuestion::Scan { .. })), 2);
    // What the keys have left is too little for the names of one.
    assert_eq!(server.asked(|question| matches!(question, KeyQuestion::Fields { .. })), 1);
    assert!(sample.patterns.iter().flat_map(|pattern| &pattern.types).all(|of_type| of_type.fields.is_none()));

    // Of few keys the names of some are known before the bytes are used up.
    let server = Server::new(|_, question| Ok(at_length(question)));
    let (sample, _) = look(&server, &SamplingOptions { keys: 5, ..options }, LONG).await;
    assert_eq!((sample.keys, sample.limits.as_slice()), (5, &[SampleLimit::Bytes, SampleLimit::Keys][..]));
    assert_eq!(server.asked(|question| matches!(question, KeyQuestion::Fields { .. })), 2);
    let hashes =
        sample.patterns.iter().flat_map(|pattern| &pattern.types).filter_map(|of_type| of_type.fields.as_ref());
    assert_eq!(hashes.map(|fields| fields.hashes).sum::<u64>(), 1);
}

#[tokio::test]
async fn what_is_asked_in_one_go_is_no_more_than_so_many_bytes() {
    let server = Server {
        refuse: |_, questions| {
            let bytes = |question: &KeyQuestion| match question {
                KeyQuestion::Type(key) => key.len(),
                _ => 0,
            };
            let is_large = questions.iter().map(bytes).sum::<usize>() > 1024 * 1024;
            is_large.then(|| no("TOO MUCH"))
        },
        ..Server::new(|_, question| Ok(at_length(question)))
    };
    let (sample, gaps) = look(&server, &SamplingOptions { documents: 0, ..SamplingOptions::default() }, LONG).await;
    assert_eq!((sample.keys, gaps), (41, vec![]));
    assert_eq!(server.asked(|question| matches!(question, KeyQuestion::Type(_))), 41);
}

#[tokio::test]
async fn a_database_that_may_not_be_entered_is_tried_once() {
    let server = Server {
        refuse: |place, _| (place.database != 0).then(|| no("NOPERM")),
        ..Server::new(|_, question| Ok(well(question, 30)))
    };
    let (context, options) = (RequestContext::system(), SamplingOptions::default());
    let asking = Asking { context: &context, until: Instant::now() + LONG, refusal };
    let mut look = Look::begin(&server, asking, &options).await.expect("a beginning");
    for database in [1, 2, 3] {
        let sample = look.sample(database, None).await.expect("a look");
        assert_eq!(sample.unavailable, Some(Unavailable::Forbidden));
    }
    assert_eq!(server.asked(|_| true), 1, "each one costs a connection");
    assert_eq!(look.sample(0, None).await.expect("a look").keys, 1_000);
    let gaps = look.told(&mut crate::stages::Stages::new(&context));
    assert_eq!(gaps, ["keys of db1", "keys of db2", "keys of db3"].map(|part| gap(part, Unavailable::Forbidden)));
}

#[tokio::test]
async fn a_cluster_is_looked_at_in_one_database() {
    let server = Server {
        nodes: vec![KeyNode { host: "h".to_owned(), port: 1 }],
        ..Server::new(|_, question| Ok(well(question, 30)))
    };
    let (context, options) = (RequestContext::system(), SamplingOptions::default());
    let asking = Asking { context: &context, until: Instant::now() + LONG, refusal };
    let mut look = Look::begin(&server, asking, &options).await.expect("a beginning");
    let sample = look.sample(1, None).await.expect("a look");
    assert_eq!((sample.keys, sample.unavailable), (0, Some(Unavailable::Broken)));
    assert_eq!(server.asked(|_| true), 0);
    assert_eq!(look.told(&mut crate::stages::Stages::new(&context)), [gap("keys of db1", Unavailable::Broken)]);
}

#[tokio::test]
async fn keys_on_the_move_are_not_known_and_the_rest_is() {
    let server = Server {
        refuse: |_, questions| matches!(questions[0], KeyQuestion::Encoding(_)).then(|| no("MOVED")),
        ..Server::new(|_, question| match question {
            KeyQuestion::Scan { .. } => {
                let keys = ["k:1", "k:2", "k:3"].map(|key| key.as_bytes().to_vec()).to_vec();
                Ok(KeyAnswer::Scanned { cursor: 0, keys })
            }
            KeyQuestion::Type(key) if key == b"k:2" => Err(no("ASK")),
            question => Ok(well(question, 0)),
        })
    };
    let (sample, gaps) = look(&server, &SamplingOptions::default(), LONG).await;
    assert_eq!((sample.keys, sample.limits.as_slice(), gaps), (3, &[][..], vec![]));
    let of_type = &sample.patterns[0].types[0];
    assert_eq!((of_type.count, of_type.memory), (2, None));
}

#[tokio::test]
async fn each_server_of_a_cluster_has_its_share() {
    let node = |port| KeyNode { host: "h".to_owned(), port };
    let nodes = (0..3).map(node).collect();
    let server = Server {
        nodes,
        ..Server::new(|place, question| match (question, place.node.as_ref().map(|node| node.port)) {
            (KeyQuestion::Scan { .. }, Some(1)) => Err(no("NOPERM")),
            (KeyQuestion::Scan { cursor, .. }, Some(port)) => {
                let keys = (0..50).map(|number| format!("{port}:{}", cursor * 50 + number).into_bytes()).collect();
                Ok(KeyAnswer::Scanned { cursor: cursor + 1, keys })
            }
            _ => Ok(well(question, 0)),
        })
    };
    let (sample, gaps) = look(&server, &SamplingOptions { keys: 300, ..SamplingOptions::default() }, LONG).await;
    assert_eq!((sample.keys, sample.unavailable), (200, None));
    assert_eq!(gaps, [gap("keys of db0", Unavailable::Forbidden)]);
    let asked = server.asked.lock().expect("nobody panics");
    let of_key = |port: u16| format!("{port}:").into_bytes();
    for (place, question) in asked.iter() {
        if let KeyQuestion::Type(key) = question {
            let port = place.node.as_ref().expect("a node").port;
            assert!(key.starts_with(&of_key(port)), "{place:?}");
        }
    }
}

#[tokio::test]
async fn patterns_that_are_too_many_are_a_gap() {
    let server = Server::new(|_, question| match question {
        KeyQuestion::Scan { .. } => {
            let keys = ["a:1", "b:2", "b:3", "c:4"].map(|key| key.as_bytes().to_vec()).to_vec();
            Ok(KeyAnswer::Scanned { cursor: 0, keys })
        }
        question => Ok(well(question, 0)),
    });
    let options = SamplingOptions { collections: 2, documents: 0, ..SamplingOptions::default() };
    let (sample, gaps) = look(&server, &options, LONG).await;
    let patterns: Vec<&str> = sample.patterns.iter().map(|pattern| pattern.pattern.as_str()).collect();
    assert_eq!((patterns, sample.limits.as_slice()), (vec!["b:{number}", "a:{number}"], &[SampleLimit::Patterns][..]));
    assert_eq!(gaps, [gap("patterns of db0", Unavailable::OverLimit)]);
    assert_eq!(server.asked(|question| matches!(question, KeyQuestion::Memory(_))), 0);
}

#[test]
fn databases_are_those_with_keys_and_the_connection_s_own() {
    let counts = [3, 12].map(|database| (database, Count::default())).into();
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(wanted(1, Some(&counts), None), [1, 3, 12]);
    assert_eq!(wanted(1, None, None), [1]);
    assert_eq!(wanted(1, Some(&counts), Some(&names(&["db12", "db12", "db7", "12", "db1"]))), [1, 12]);
    assert_eq!(wanted(1, None, Some(&names(&["db7"]))), [7], "nobody says that it is not there");
}

#[test]
fn the_connection_s_own_database_is_the_first_and_so_many_are_told() {
    let counts = (0..5_000).map(|database| (database, Count::default())).collect();
    let mut databases = wanted(4_000, Some(&counts), None);
    assert_eq!((databases.len(), &databases[..4]), (5_000, &[4_000, 0, 1, 2][..]));
    assert!(cut(&mut databases));
    assert_eq!((databases.len(), databases[0], databases.last()), (MOST_TOLD, 4_000, Some(&998)));
    assert!(!cut(&mut databases));
}
