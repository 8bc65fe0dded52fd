//! A look around among the keys of a database.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use schema_model::{Gap, KeySample, SampleLimit, SampleMethod, Unavailable};
use shared_kernel::database::{DatabaseError, KeyAnswer, KeyNode, KeyPlace, KeyQuestion, Keyspace};

use super::facts::{self, Count};
use super::seen::Seen;
use super::{MOST_NODES, observed, pattern, refusal, tree};
use crate::asking::{Asking, Tally};
use crate::stages::Stages;
use crate::{InspectError, SamplingOptions};

/// At how many places a server looks for keys at once, and how often it is asked to.
const PLACES: u32 = 100;
const MOST_SCANS: u32 = 200;

/// How many keys are asked about in one go, and about how many bytes questions and answers may have.
const TOGETHER: usize = 200;
const TOGETHER_BYTES: u64 = 1024 * 1024;

/// What a server says of a key that is another thing or elsewhere by now.
const ELSEWHERE: [&str; 4] = ["ASK", "MOVED", "TRYAGAIN", "WRONGTYPE"];

/// What came of a question.
type Answer = Result<KeyAnswer, Unavailable>;

/// Looks around, and keeps in mind what could not be seen.
pub(super) struct Look<'a> {
    keyspace: &'a dyn Keyspace,
    asking: Asking<'a>,
    options: &'a SamplingOptions,
    /// Who has keys: one without a name, or the servers of a cluster.
    nodes: Vec<Option<KeyNode>>,
    /// Why that is not known, where it is not.
    hidden: Unavailable,
    /// Why no database but the connection's own is entered, where none is.
    barred: Option<Unavailable>,
    /// How many bytes of keys and names may still be kept of this database, and whether some were left for want of them.
    left: u64,
    full: bool,
    tally: Tally,
    gaps: BTreeSet<Gap>,
}

/// How much is kept of what one place has.
#[derive(Clone, Copy)]
struct Share {
    keys: usize,
    bytes: u64,
}

/// Keys that were met.
#[derive(Default)]
struct Met {
    keys: Vec<Seen>,
    /// Whether there are no others.
    all: bool,
    /// Why there is no more to be had.
    stopped: Option<Unavailable>,
}

impl<'a> Look<'a> {
    /// Finds out who has keys.
    pub(super) async fn begin(
        keyspace: &'a dyn Keyspace,
        asking: Asking<'a>,
        options: &'a SamplingOptions,
    ) -> Result<Self, InspectError> {
        let mut look = Self {
            keyspace,
            asking,
            options,
            nodes: Vec::new(),
            hidden: Unavailable::Broken,
            barred: None,
            left: 0,
            full: false,
            tally: Tally::default(),
            gaps: BTreeSet::new(),
        };
        // One server has no fellows to be asked for; of a cluster each master is.
        let asked =
            asking.ask_together("nodes", &mut look.tally, 0, |context| async move { keyspace.nodes(&context).await });
        match asked.await? {
            Ok(nodes) if nodes.is_empty() => look.nodes.push(None),
            Ok(nodes) => {
                look.barred = Some(Unavailable::Broken);
                look.tally.more("nodes", u32::try_from(nodes.len()).unwrap_or(u32::MAX));
                if nodes.len() > MOST_NODES {
                    look.gap("nodes", Unavailable::OverLimit);
                }
                look.nodes.extend(nodes.into_iter().take(MOST_NODES).map(Some));
            }
            Err(reason) => {
                look.hidden = reason;
                look.gap("nodes", reason);
            }
        }
        Ok(look)
    }

    /// Where the keys of a database are.
    pub(super) fn places(&self, database: u32) -> Vec<KeyPlace> {
        self.nodes.iter().map(|node| KeyPlace { database, node: node.clone() }).collect()
    }

    /// Whether there is one server alone, as far as the connection knows.
    pub(super) fn is_alone(&self) -> bool {
        self.nodes == [None]
    }

    pub(super) fn gap(&mut self, part: impl Into<String>, reason: Unavailable) {
        self.gaps.insert(Gap { object: None, part: part.into(), reason });
    }

    /// Writes down what it took, and returns what could not be seen.
    pub(super) fn told(self, stages: &mut Stages<'_>) -> Vec<Gap> {
        self.tally.told(stages);
        self.gaps.into_iter().collect()
    }

    /// Asks at one place. What is refused is told for each question by itself.
    pub(super) async fn ask(
        &mut self,
        stage: &'static str,
        place: &KeyPlace,
        questions: &[KeyQuestion],
    ) -> Result<Result<Vec<Answer>, Unavailable>, InspectError> {
        let (keyspace, asking) = (self.keyspace, self.asking);
        let is_own = place.database == keyspace.database();
        if let (false, Some(reason)) = (is_own, self.barred) {
            return Ok(Err(reason));
        }
        // Another database is entered and left again.
        let steps = if is_own { 0 } else { 2 };
        let statements = u32::try_from(questions.len() + steps).unwrap_or(u32::MAX);
        let asked = asking.ask_together(stage, &mut self.tally, statements, |context| async move {
            match keyspace.look(place, questions, &context).await {
                // All that it is about is on the move.
                Err(error) if is_elsewhere(&error) => Ok(questions.iter().map(|_| Ok(KeyAnswer::Missing)).collect()),
                outcome => outcome,
            }
        });
        let answers = match asked.await? {
            Ok(answers) if answers.len() == questions.len() => answers,
            Ok(_) => return Ok(Err(Unavailable::Broken)),
            Err(reason) => {
                // Who may not enter this one may enter none; and where its number is too high, those that follow are higher.
                if !is_own && reason != Unavailable::OverLimit {
                    self.barred = Some(reason);
                }
                return Ok(Err(reason));
            }
        };
        let answers = answers.into_iter().map(|answer| match answer {
            Ok(answer) => Ok(Ok(answer)),
            Err(error) if is_elsewhere(&error) => Ok(Ok(KeyAnswer::Missing)),
            Err(source) => match refusal(&source) {
                Some(reason) => Ok(Err(reason)),
                None => Err(InspectError::Database { stage, source }),
            },
        });
        answers.collect::<Result<Vec<_>, _>>().map(Ok)
    }

    /// Tells of a database without a look into it.
    pub(super) fn past(&mut self, database: u32, count: Option<Count>) -> KeySample {
        let name = facts::name(database);
        self.gap(format!("keys of {name}"), Unavailable::OverLimit);
        KeySample { unavailable: Some(Unavailable::OverLimit), ..sample(name, count) }
    }

    /// Looks at some keys of a database.
    pub(super) async fn sample(&mut self, database: u32, count: Option<Count>) -> Result<KeySample, InspectError> {
        let mut sample = sample(facts::name(database), count);
        let places = self.places(database);
        (self.left, self.full) = (self.options.bytes, false);
        let mut met = self.meet(&places).await?;
        sample.keys = met.keys.len() as u64;
        if let Some(reason) = met.stopped {
            self.gap(format!("keys of {}", sample.namespace), reason);
            if met.keys.is_empty() {
                sample.unavailable = Some(reason);
            }
        }
        let mut limits = BTreeSet::new();
        if !met.all && met.stopped.is_none() && !self.full {
            limits.insert(SampleLimit::Keys);
        }
        let everybody: Vec<usize> = (0..met.keys.len()).collect();
        let mut in_time = self.each("types", &places, &mut met.keys, &everybody, Seen::about_key).await?;
        let mut patterns: Vec<(String, Vec<usize>)> =
            tree::patterns(met.keys.iter().map(|seen| pattern::pieces(&seen.key))).into_iter().collect();
        // Those that are as frequent stay in the order of their names.
        patterns.sort_by_key(|(_, keys)| std::cmp::Reverse(keys.len()));
        if patterns.len() > self.options.collections as usize {
            patterns.truncate(self.options.collections as usize);
            limits.insert(SampleLimit::Patterns);
            self.gap(format!("patterns of {}", sample.namespace), Unavailable::OverLimit);
        }
        let chosen = self.chosen(&met.keys, &patterns);
        in_time &= self.each("values", &places, &mut met.keys, &chosen, Seen::about_value).await?;
        in_time &= self.each("fields", &places, &mut met.keys, &chosen, Seen::about_fields).await?;
        if !in_time || met.stopped == Some(Unavailable::OverLimit) {
            limits.insert(SampleLimit::Time);
        }
        if self.full {
            limits.insert(SampleLimit::Bytes);
        }
        let total = if met.all { Some(sample.keys) } else { sample.total };
        let observer = observed::Observer { keys: &met.keys, total, paths: self.options.paths };
        sample.patterns =
            patterns.into_iter().map(|(pattern, keys)| observer.pattern(pattern, &keys, &mut limits)).collect();
        sample.limits = limits.into_iter().collect();
        Ok(sample)
    }

    /// Meets keys, each server's share of them.
    async fn meet(&mut self, places: &[KeyPlace]) -> Result<Met, InspectError> {
        let mut met = Met { all: !places.is_empty(), ..Met::default() };
        if places.is_empty() {
            met.stopped = Some(self.hidden);
        }
        let parts = u32::try_from(places.len()).unwrap_or(u32::MAX).max(1);
        let share =
            Share { keys: self.options.keys.div_ceil(parts) as usize, bytes: self.options.bytes / u64::from(parts) };
        for (number, place) in places.iter().enumerate() {
            let all = self.meet_at(place, number, share, &mut met).await?;
            met.all &= all;
        }
        Ok(met)
    }

    /// Meets so many keys at one place; says whether there are no others.
    async fn meet_at(
        &mut self,
        place: &KeyPlace,
        number: usize,
        mut share: Share,
        met: &mut Met,
    ) -> Result<bool, InspectError> {
        let (mut known, mut cursor) = (HashSet::new(), 0);
        for _ in 0..MOST_SCANS {
            let scan = [KeyQuestion::Scan { cursor, count: PLACES }];
            let answer = self.ask("keys", place, &scan).await?.and_then(|mut answers| answers.pop().transpose());
            let (next, keys) = match answer {
                Ok(Some(KeyAnswer::Scanned { cursor, keys })) => (cursor, keys),
                Ok(_) => {
                    met.stopped = Some(Unavailable::Broken);
                    return Ok(false);
                }
                Err(reason) => {
                    met.stopped = Some(reason);
                    return Ok(false);
                }
            };
            for key in keys {
                if known.contains(key.as_slice()) {
                    continue;
                }
                if known.len() == share.keys {
                    return Ok(false);
                }
                let Some(bytes) = share.bytes.checked_sub(key.len() as u64) else {
                    self.full = true;
                    return Ok(false);
                };
                share.bytes = bytes;
                self.left = self.left.saturating_sub(key.len() as u64);
                let key: Arc<[u8]> = key.into();
                known.insert(Arc::clone(&key));
                met.keys.push(Seen::new(number, key));
            }
            if next == 0 {
                return Ok(true);
            }
            if known.len() == share.keys {
                return Ok(false);
            }
            cursor = next;
        }
        Ok(false)
    }

    /// Asks about each of these keys, many in one go; says whether there was time for all.
    async fn each(
        &mut self,
        stage: &'static str,
        places: &[KeyPlace],
        keys: &mut [Seen],
        chosen: &[usize],
        about: impl Fn(&Seen) -> Vec<KeyQuestion>,
    ) -> Result<bool, InspectError> {
        let (mut in_time, mut fits) = (true, true);
        for (number, place) in places.iter().enumerate() {
            let here: Vec<usize> = chosen.iter().copied().filter(|key| keys[*key].place == number).collect();
            let mut rest = here.as_slice();
            while fits && !rest.is_empty() {
                let (some, others) = rest.split_at(together(keys, rest));
                rest = others;
                let (mut whose, mut questions) = (Vec::new(), Vec::new());
                for key in some {
                    for question in about(&keys[*key]) {
                        whose.push(*key);
                        questions.push(question);
                    }
                }
                if questions.is_empty() {
                    continue;
                }
                match self.ask(stage, place, &questions).await? {
                    Ok(answers) => {
                        for ((key, question), answer) in whose.into_iter().zip(&questions).zip(answers) {
                            match answer {
                                Ok(answer) if size(question, &answer) > self.left => {
                                    (self.full, fits) = (true, false);
                                }
                                Ok(answer) => {
                                    self.left -= size(question, &answer);
                                    keys[key].take(question, answer);
                                }
                                Err(reason) => self.gap(part(question), reason),
                            }
                        }
                    }
                    Err(reason) => {
                        for question in &questions {
                            self.gap(part(question), reason);
                        }
                        in_time &= reason != Unavailable::OverLimit;
                        break;
                    }
                }
            }
        }
        Ok(in_time)
    }

    /// Some keys of each pattern and type, in the order in which they were met.
    fn chosen(&self, keys: &[Seen], patterns: &[(String, Vec<usize>)]) -> Vec<usize> {
        let mut chosen = Vec::new();
        for (_, of_pattern) in patterns {
            let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
            chosen.extend(of_pattern.iter().copied().filter(|key| {
                let Some(kind) = &keys[*key].kind else { return false };
                let count = counts.entry(kind).or_default();
                *count += 1;
                *count <= self.options.documents
            }));
        }
        chosen.sort_unstable();
        chosen
    }
}

fn sample(namespace: String, count: Option<Count>) -> KeySample {
    KeySample {
        namespace,
        total: count.map(|count| count.keys),
        expiring: count.map(|count| count.expiring),
        method: SampleMethod::First,
        keys: 0,
        unavailable: None,
        patterns: Vec::new(),
        limits: Vec::new(),
    }
}

/// Whether a key is another thing or elsewhere by now.
fn is_elsewhere(error: &DatabaseError) -> bool {
    error.code().is_some_and(|code| ELSEWHERE.contains(&code))
}

/// How many of these keys, the first ones, are asked about in one go.
fn together(keys: &[Seen], these: &[usize]) -> usize {
    let mut bytes = 0_u64;
    let fits = |key: &&usize| {
        bytes = bytes.saturating_add(keys[**key].weight());
        bytes <= TOGETHER_BYTES
    };
    these.iter().take(TOGETHER).take_while(fits).count().max(1)
}

/// How many bytes of an answer are kept that may be of any length.
fn size(question: &KeyQuestion, answer: &KeyAnswer) -> u64 {
    match (question, answer) {
        (KeyQuestion::Fields { count, .. }, KeyAnswer::Names(names)) => {
            names.iter().take(*count as usize).map(|name| name.len() as u64).sum()
        }
        _ => 0,
    }
}

/// What a gap is called that a refused question leaves.
fn part(question: &KeyQuestion) -> &'static str {
    match question {
        KeyQuestion::Facts(_) => "facts",
        KeyQuestion::Scan { .. } => "keys",
        KeyQuestion::Type(_) => "types of keys",
        KeyQuestion::TimeToLive(_) => "expiry of keys",
        KeyQuestion::Encoding(_) => "encodings of keys",
        KeyQuestion::Length(..) => "lengths of keys",
        KeyQuestion::Memory(_) => "memory of keys",
        KeyQuestion::Fields { .. } => "fields of hashes",
    }
}
