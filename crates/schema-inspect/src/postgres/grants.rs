use std::collections::BTreeMap;

use schema_model::Grant;

/// Letters of privileges (<https://www.postgresql.org/docs/current/ddl-priv.html>), by the words that stand for them.
const PRIVILEGES: [(char, &str); 16] = [
    ('r', "SELECT"),
    ('w', "UPDATE"),
    ('a', "INSERT"),
    ('d', "DELETE"),
    ('D', "TRUNCATE"),
    ('x', "REFERENCES"),
    ('t', "TRIGGER"),
    ('X', "EXECUTE"),
    ('U', "USAGE"),
    ('C', "CREATE"),
    ('T', "TEMPORARY"),
    ('c', "CONNECT"),
    ('s', "SET"),
    ('A', "ALTER SYSTEM"),
    ('m', "MAINTAIN"),
    ('R', "RULE"),
];

/// Reads access items: `grantee=rw*/grantor`, where a star says that the privilege may be granted on.
pub(super) fn read(items: &[String]) -> Vec<Grant> {
    let mut grants: BTreeMap<(Option<String>, Option<String>), Grant> = BTreeMap::new();
    for item in items {
        let Some((grantee, rest)) = role(item) else { continue };
        let Some((letters, grantor)) = rest.strip_prefix('=').and_then(|rest| rest.split_once('/')) else { continue };
        let grantee = (!grantee.is_empty()).then_some(grantee);
        let grantor = role(grantor).map(|(name, _)| name);
        let grant = grants.entry((grantee.clone(), grantor.clone())).or_insert_with(|| Grant {
            grantee,
            grantor,
            privileges: Vec::new(),
            grantable: Vec::new(),
        });
        let mut letters = letters.chars().peekable();
        while let Some(letter) = letters.next() {
            let known = PRIVILEGES.iter().find(|(known, _)| *known == letter);
            let word = known.map_or_else(|| letter.to_string(), |(_, word)| (*word).to_owned());
            if letters.next_if_eq(&'*').is_some() {
                grant.grantable.push(word.clone());
            }
            grant.privileges.push(word);
        }
        grant.privileges.sort_unstable();
        grant.grantable.sort_unstable();
    }
    grants.into_values().collect()
}

/// The role that a text begins with, and what comes after it. In quotes two of them stand for one.
fn role(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find('=').unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let mut name = String::new();
    let mut characters = quoted.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        if character != '"' {
            name.push(character);
        } else if characters.next_if(|(_, next)| *next == '"').is_some() {
            name.push('"');
        } else {
            return Some((name, &quoted[at + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants(items: &[&str]) -> Vec<Grant> {
        read(&items.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn roles_and_letters_are_told() {
        let found = grants(&["ann=arw*/postgres", "=r/postgres", r#""o'ne ""x=y/z"""=X/"po st""#]);
        assert_eq!(found[0].grantee, None);
        assert_eq!(found[0].privileges, ["SELECT"]);
        assert_eq!(found[1].grantee.as_deref(), Some("ann"));
        assert_eq!(found[1].privileges, ["INSERT", "SELECT", "UPDATE"]);
        assert_eq!(found[1].grantable, ["UPDATE"]);
        assert_eq!(found[2].grantee.as_deref(), Some(r#"o'ne "x=y/z""#));
        assert_eq!((found[2].grantor.as_deref(), &*found[2].privileges), (Some("po st"), &["EXECUTE".to_owned()][..]));
    }

    #[test]
    fn what_is_no_access_item_is_left_out() {
        assert_eq!(grants(&["", "\"open", "ann", "ann=r"]), []);
    }
}
