use std::collections::BTreeMap;
use std::fmt;

/// MariaDB's list of global transaction ids, `domain-server-sequence` with commas between them: the last transaction of each
/// domain, whichever server it was written at. Sequence numbers of a domain grow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MariaDbSet(BTreeMap<u32, (u32, u64)>);

impl MariaDbSet {
    /// `None` for a text that is no list. An empty one is the list of a server on which nothing was written.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let ids = text.split(',').map(str::trim).filter(|id| !id.is_empty());
        let ids = ids.map(|id| {
            let mut numbers = id.splitn(3, '-');
            let mut next = || numbers.next();
            let (domain, server, sequence) = (next()?, next()?, next()?);
            Some((domain.parse().ok()?, (server.parse().ok()?, sequence.parse().ok()?)))
        });
        ids.collect::<Option<_>>().map(Self)
    }

    pub(super) fn contains(&self, other: &Self) -> bool {
        other.0.iter().all(|(domain, (_, needed))| self.0.get(domain).is_some_and(|(_, reached)| reached >= needed))
    }
}

impl fmt::Display for MariaDbSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (domain, (server, sequence))) in self.0.iter().enumerate() {
            write!(f, "{}{domain}-{server}-{sequence}", if index > 0 { "," } else { "" })?;
        }
        Ok(())
    }
}

/// MySQL's set of global transaction ids, `source[:tag]:first[-last][:first[-last]]…` with commas between sources: every
/// transaction that was executed, by the server that wrote it first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MySqlSet(BTreeMap<(String, String), Vec<(u64, u64)>>);

impl MySqlSet {
    /// `None` for a text that is no set. An empty one is the set of a server on which nothing was written.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut set: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let mut words = part.split(':').map(str::trim);
            let source = words.next().filter(|source| is_uuid(source))?.to_ascii_lowercase();
            let mut tag = String::new();
            for word in words {
                if word.starts_with(|first: char| first.is_ascii_digit()) {
                    let (first, last) = word.split_once('-').unwrap_or((word, word));
                    let interval = (first.parse().ok()?, last.parse().ok()?);
                    if interval.0 == 0 || interval.0 > interval.1 {
                        return None;
                    }
                    set.entry((source.clone(), tag.clone())).or_default().push(interval);
                } else if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                    tag = word.to_ascii_lowercase();
                } else {
                    return None;
                }
            }
        }
        set.values_mut().for_each(joined);
        Some(Self(set))
    }

    pub(super) fn contains(&self, other: &Self) -> bool {
        other.0.iter().all(|(source, needed)| {
            let Some(reached) = self.0.get(source) else { return needed.is_empty() };
            // Intervals that touch are one, so each that is needed lies within a single one.
            needed.iter().all(|(first, last)| reached.iter().any(|(from, to)| from <= first && last <= to))
        })
    }
}

/// Sorts intervals and joins those that touch.
fn joined(intervals: &mut Vec<(u64, u64)>) {
    intervals.sort_unstable();
    intervals.dedup_by(|next, before| {
        let touches = next.0 <= before.1.saturating_add(1);
        if touches {
            before.1 = before.1.max(next.1);
        }
        touches
    });
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

impl fmt::Display for MySqlSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, ((source, tag), intervals)) in self.0.iter().enumerate() {
            write!(f, "{}{source}", if index > 0 { "," } else { "" })?;
            if !tag.is_empty() {
                write!(f, ":{tag}")?;
            }
            for (first, last) in intervals {
                if first == last { write!(f, ":{first}")? } else { write!(f, ":{first}-{last}")? }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
    const TWO: &str = "4e11fa47-71ca-11e1-9e33-c80aa9429562";

    fn mysql(text: &str) -> MySqlSet {
        MySqlSet::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    fn mariadb(text: &str) -> MariaDbSet {
        MariaDbSet::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn a_domain_is_reached_by_its_sequence_whoever_wrote_it() {
        let reached = mariadb("0-1-100,5-2-7");
        for needed in ["", "0-1-100", "0-3-99", "5-2-7,0-1-1"] {
            assert!(reached.contains(&mariadb(needed)), "{needed}");
        }
        for needed in ["0-1-101", "5-2-7,0-1-101", "1-1-1"] {
            assert!(!reached.contains(&mariadb(needed)), "{needed}");
        }
        assert!(!mariadb("").contains(&mariadb("0-1-1")));
        for text in ["0-1", "0-1-x", "x", "0-1-1-1", "-1-1-1"] {
            assert_eq!(MariaDbSet::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_set_is_there_when_each_of_its_intervals_is() {
        let reached = mysql(&format!("{ONE}:1-5:7-10,\n{TWO}:3"));
        for needed in ["", &format!("{ONE}:1-5"), &format!("{ONE}:2:8-9,{TWO}:3"), &ONE.to_uppercase()] {
            assert!(reached.contains(&mysql(needed)), "{needed}");
        }
        for needed in [format!("{ONE}:6"), format!("{ONE}:1-7"), format!("{TWO}:1-3"), format!("{ONE}:t:1")] {
            assert!(!reached.contains(&mysql(&needed)), "{needed}");
        }
        assert!(mysql(&format!("{ONE}:1-5:6-10")).contains(&mysql(&format!("{ONE}:4-8"))));
    }

    #[test]
    fn a_set_is_written_shortest() {
        assert_eq!(
            mysql(&format!("{TWO}:3,{ONE}:4-6:1-3:9:t:2")).to_string(),
            format!("{ONE}:1-6:9,{ONE}:t:2,{TWO}:3")
        );
        for text in ["x", "1-5", &format!("{ONE}:0"), &format!("{ONE}:5-4"), &format!("{ONE}:a b"), &format!("{ONE}:")]
        {
            assert_eq!(MySqlSet::parse(text), None, "{text}");
        }
    }
}
