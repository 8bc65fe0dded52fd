//! What a `CREATE` statement says that no pragma tells: names of constraints, conditions, collations, expressions. SQLite keeps the
//! statement as it was written, and has understood it; what is not understood here is left out.

use super::tokens::{Token, TokenKind, tokens};

/// What the statement of a table says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct TableText {
    pub(super) columns: Vec<ColumnText>,
    pub(super) checks: Vec<CheckText>,
    /// Primary keys and unique constraints.
    pub(super) keys: Vec<KeyText>,
    /// Foreign keys, in the order in which they are written.
    pub(super) foreign_keys: Vec<ForeignKeyText>,
    pub(super) auto_increment: bool,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ColumnText {
    pub(super) name: String,
    pub(super) collation: Option<String>,
    /// What it is computed from.
    pub(super) generated: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct CheckText {
    pub(super) name: Option<String>,
    pub(super) expression: String,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct KeyText {
    pub(super) name: Option<String>,
    pub(super) primary: bool,
    pub(super) columns: Vec<String>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ForeignKeyText {
    pub(super) name: Option<String>,
    pub(super) deferrable: bool,
    pub(super) deferred: bool,
}

/// Reads the statement of a table.
pub(super) fn table(sql: &str) -> TableText {
    let words = tokens(sql);
    let mut text = TableText::default();
    let Some(open) = words.iter().position(|word| word.is_sign('(')) else { return text };
    for item in items(inside(&words, open)) {
        let mut reader = Reader { sql, words: item, at: 0 };
        let is_constraint = item.first().is_some_and(|word| {
            ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"].iter().any(|start| word.is(start))
        });
        let column = if is_constraint {
            None
        } else {
            let Some(name) = reader.name() else { continue };
            text.columns.push(ColumnText { name: name.clone(), ..ColumnText::default() });
            Some(name)
        };
        reader.constraints(column.as_deref(), &mut text);
    }
    text
}

/// What is in the parentheses of an index, an expression each, and which rows it has.
pub(super) fn index(sql: &str) -> (Vec<String>, Option<String>) {
    let words = tokens(sql);
    let Some(open) = words.iter().position(|word| word.is_sign('(')) else { return (Vec::new(), None) };
    let parts = inside(&words, open);
    let expressions = items(parts).into_iter().map(|item| {
        // A direction at the end belongs to the part and not to the expression, and so does a collation that is not only that of the
        // last operand.
        let mut item = item;
        while let [rest @ .., last] = item
            && (last.is("ASC") || last.is("DESC"))
        {
            item = rest;
        }
        if let [rest @ .., collate, _] = item
            && collate.is("COLLATE")
            && is_operand(rest)
        {
            item = rest;
        }
        between(sql, item)
    });
    let after = &words[open + parts.len() + 1..];
    let predicate = after.iter().position(|word| word.is("WHERE")).map(|at| between(sql, &after[at + 1..]));
    (expressions.collect(), predicate)
}

/// Whether words are one operand, to all of which a collation behind them belongs: a name, a call, or what is in parentheses.
fn is_operand(words: &[Token]) -> bool {
    let is_group = |words: &[Token]| {
        words.first().is_some_and(|word| word.is_sign('(')) && inside(words, 0).len() + 2 == words.len()
    };
    match words {
        [word] => !matches!(word.kind, TokenKind::Other(_)),
        // A collation binds more tightly than `NOT`.
        [word, group @ ..] if !matches!(word.kind, TokenKind::Other(_)) => !word.is("NOT") && is_group(group),
        words => is_group(words),
    }
}

/// When a trigger happens and upon what: the words up to `ON`.
pub(super) fn trigger(sql: &str) -> Vec<String> {
    let upto = tokens(sql).into_iter().take_while(|word| !word.is("ON"));
    upto.filter_map(|word| if let TokenKind::Word(word) = word.kind { Some(word) } else { None }).collect()
}

/// The query of a view: what comes after `AS`.
pub(super) fn view(sql: &str) -> Option<String> {
    let words = tokens(sql);
    let at = words.iter().position(|word| word.is("AS"))?;
    Some(between(sql, &words[at + 1..]))
}

/// The words in the parentheses that open at `open`.
fn inside(words: &[Token], open: usize) -> &[Token] {
    let mut depth = 0_usize;
    for (at, word) in words.iter().enumerate().skip(open) {
        if word.is_sign('(') {
            depth += 1;
        } else if word.is_sign(')') {
            depth -= 1;
            if depth == 0 {
                return &words[open + 1..at];
            }
        }
    }
    words.get(open + 1..).unwrap_or_default()
}

/// What commas part, those in parentheses left alone.
fn items(words: &[Token]) -> Vec<&[Token]> {
    let mut depth = 0_usize;
    let parted = words.split(move |word| {
        if word.is_sign('(') {
            depth += 1;
        } else if word.is_sign(')') {
            depth = depth.saturating_sub(1);
        }
        depth == 0 && word.is_sign(',')
    });
    parted.filter(|item| !item.is_empty()).collect()
}

/// The text from the first word to the last one.
fn between(sql: &str, words: &[Token]) -> String {
    match (words.first(), words.last()) {
        (Some(first), Some(last)) => sql[first.start..last.end].to_owned(),
        _ => String::new(),
    }
}

/// Goes through the words of a column or a constraint.
struct Reader<'a> {
    sql: &'a str,
    words: &'a [Token],
    at: usize,
}

impl Reader<'_> {
    /// The next word as a name. In quotes of a text it is one too, as SQLite has it.
    fn name(&mut self) -> Option<String> {
        let word = self.words.get(self.at)?;
        self.at += 1;
        match &word.kind {
            TokenKind::Word(_) => Some(self.sql[word.start..word.end].to_owned()),
            TokenKind::Name(name) | TokenKind::Text(name) => Some(name.clone()),
            TokenKind::Other(_) => None,
        }
    }

    fn next_is(&mut self, word: &str) -> bool {
        let is = self.words.get(self.at).is_some_and(|next| next.is(word));
        self.at += usize::from(is);
        is
    }

    /// What is in the parentheses that come next, and goes behind them.
    fn group(&mut self) -> Option<&[Token]> {
        if !self.words.get(self.at)?.is_sign('(') {
            return None;
        }
        let inner = inside(self.words, self.at);
        self.at += inner.len() + 2;
        Some(inner)
    }

    fn group_text(&mut self) -> Option<String> {
        let sql = self.sql;
        self.group().map(|words| between(sql, words))
    }

    /// Reads everything from here on; `column` is the one that is being declared.
    fn constraints(&mut self, column: Option<&str>, text: &mut TableText) {
        let mut name = None;
        while self.at < self.words.len() {
            if self.next_is("CONSTRAINT") {
                name = self.name();
            } else if self.next_is("PRIMARY") {
                self.next_is("KEY");
                self.key(column, true, name.take(), text);
            } else if self.next_is("UNIQUE") {
                self.key(column, false, name.take(), text);
            } else if self.next_is("AUTOINCREMENT") {
                text.auto_increment = true;
            } else if self.next_is("CHECK") {
                let name = name.take();
                text.checks.extend(self.group_text().map(|expression| CheckText { name, expression }));
            } else if self.next_is("COLLATE") {
                let collation = self.name();
                if let Some(column) = text.columns.last_mut() {
                    column.collation = collation;
                }
            } else if self.next_is("REFERENCES") {
                self.name();
                self.group();
                text.foreign_keys.push(ForeignKeyText { name: name.take(), ..ForeignKeyText::default() });
            } else if self.next_is("NOT") {
                if self.next_is("DEFERRABLE") {
                    self.initially();
                }
            } else if self.next_is("DEFERRABLE") {
                let deferred = self.initially();
                if let Some(key) = text.foreign_keys.last_mut() {
                    (key.deferrable, key.deferred) = (true, deferred);
                }
            } else if self.next_is("AS") {
                let expression = self.group_text();
                if let Some(column) = text.columns.last_mut() {
                    column.generated = expression;
                }
            } else if self.group().is_none() {
                self.at += 1;
            }
        }
    }

    fn key(&mut self, column: Option<&str>, primary: bool, name: Option<String>, text: &mut TableText) {
        let columns = if let Some(column) = column {
            vec![column.to_owned()]
        } else {
            let sql = self.sql;
            let parts = items(self.group().unwrap_or_default());
            parts.into_iter().filter_map(|words| Reader { sql, words, at: 0 }.name()).collect()
        };
        text.keys.push(KeyText { name, primary, columns });
    }

    fn initially(&mut self) -> bool {
        if !self.next_is("INITIALLY") {
            return false;
        }
        let deferred = self.next_is("DEFERRED");
        if !deferred {
            self.next_is("IMMEDIATE");
        }
        deferred
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_says_what_no_pragma_tells() {
        let text = table(
            "CREATE TABLE \"a(,b\" (id INTEGER CONSTRAINT pk PRIMARY KEY AUTOINCREMENT, \
             [x y] varchar(3, 4) NOT NULL DEFAULT (',)(') COLLATE nocase CHECK (\"x y\" <> ',)') UNIQUE, \
             z INT GENERATED ALWAYS AS (id * (2)) STORED CONSTRAINT up REFERENCES p(q) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED, \
             CONSTRAINT two UNIQUE (\"x y\" DESC, z) ON CONFLICT IGNORE CONSTRAINT positive CHECK (z > 0), \
             FOREIGN KEY (z) REFERENCES p NOT DEFERRABLE INITIALLY DEFERRED) STRICT, WITHOUT ROWID",
        );
        let names: Vec<&str> = text.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["id", "x y", "z"]);
        assert_eq!(text.columns[1].collation.as_deref(), Some("nocase"));
        assert_eq!(text.columns[2].generated.as_deref(), Some("id * (2)"));
        let key = |name: Option<&str>, primary, columns: &[&str]| KeyText {
            name: name.map(str::to_owned),
            primary,
            columns: columns.iter().map(ToString::to_string).collect(),
        };
        assert_eq!(
            text.keys,
            [key(Some("pk"), true, &["id"]), key(None, false, &["x y"]), key(Some("two"), false, &["x y", "z"])]
        );
        let check = |name: Option<&str>, expression: &str| CheckText {
            name: name.map(str::to_owned),
            expression: expression.to_owned(),
        };
        assert_eq!(text.checks, [check(None, "\"x y\" <> ',)'"), check(Some("positive"), "z > 0")]);
        assert_eq!(
            text.foreign_keys,
            [
                ForeignKeyText { name: Some("up".to_owned()), deferrable: true, deferred: true },
                ForeignKeyText::default()
            ]
        );
        assert!(text.auto_increment);
    }

    #[test]
    fn an_index_says_its_expressions_and_its_rows() {
        let (parts, predicate) =
            index("CREATE INDEX i ON t (lower(a, ','), b COLLATE nocase DESC, (c + 1) ASC) WHERE a > 'where' AND b");
        assert_eq!(parts, ["lower(a, ',')", "b", "(c + 1)"]);
        assert_eq!(predicate.as_deref(), Some("a > 'where' AND b"));
    }

    #[test]
    fn a_collation_of_the_last_operand_belongs_to_the_expression() {
        let part = |expression: &str| {
            let (parts, _) = index(&format!("CREATE UNIQUE INDEX i ON t ({expression} COLLATE NOCASE DESC)"));
            parts.concat()
        };
        for expression in ["a", "[a b]", "lower(a)", "(a = b)", "\"f\"((a), b)", "CAST(a AS TEXT)"] {
            assert_eq!(part(expression), expression);
        }
        for expression in ["a = b", "(a) = (b)", "NOT (a)", "a IN (b)", "lower(a) || (b)", "-a"] {
            assert_eq!(part(expression), format!("{expression} COLLATE NOCASE"));
        }
    }

    #[test]
    fn no_text_is_too_strange() {
        for text in [
            "",
            "(",
            ")",
            "CREATE TABLE a (",
            "CREATE TABLE a (b, ",
            "CREATE TABLE a (b CHECK",
            "CREATE TABLE a ((",
            "CREATE TABLE a ('",
            "CREATE TABLE a (b REFERENCES",
            "CREATE TABLE a ())(",
            "CREATE INDEX i ON t (a",
        ] {
            let _ = (table(text), index(text), trigger(text), view(text));
        }
    }
}
