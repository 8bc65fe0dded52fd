use std::collections::BTreeMap;

use testkit::tds::{Column, Length, ResultSet, TdsType, TdsValue};

/// What a server with the sample of `sqlserver/sample.sql` says to each question, with the types that the documentation of
/// `sys.*` gives; object numbers are made up.
pub(super) struct Answers(BTreeMap<&'static str, Vec<&'static str>>);

/// What tells each question from the others.
const QUESTIONS: [(&str, &str); 10] = [
    ("database", "SERVERPROPERTY('ProductVersion')"),
    ("namespaces", "FROM sys.databases AS d"),
    ("objects", "t.temporal_type"),
    ("columns", "LEFT JOIN sys.identity_columns AS i"),
    ("constraints", "FROM sys.key_constraints AS k"),
    ("indexes", "FROM sys.index_columns AS c"),
    ("triggers", "FROM sys.trigger_events AS e"),
    ("definitions", "FROM sys.sql_modules AS m"),
    ("uses", "FROM sys.sql_expression_dependencies AS d"),
    ("statistics", "FROM sys.partitions AS p"),
];

/// The text in a question that it is known by.
pub(super) fn question(stage: &str) -> &'static str {
    QUESTIONS.iter().find(|(name, _)| *name == stage).expect("a stage").1
}

impl Answers {
    pub(super) fn of_the_sample() -> Self {
        let mut answers = BTreeMap::new();
        for section in include_str!("answers.txt").split("== ").skip(1) {
            let mut lines = section.lines();
            answers.insert(lines.next().expect("a stage"), lines.collect());
        }
        Self(answers)
    }

    /// Of an empty database.
    pub(super) fn of_nothing() -> Self {
        let mut answers = Self::of_the_sample();
        for (stage, lines) in &mut answers.0 {
            if !["database", "namespaces"].contains(stage) {
                lines.truncate(1);
            }
        }
        answers
    }

    /// With one more row.
    pub(super) fn and(mut self, stage: &'static str, row: &'static str) -> Self {
        self.0.get_mut(stage).expect("a stage").push(row);
        self
    }

    /// Without the rows that begin so.
    pub(super) fn without(mut self, stage: &'static str, beginning: &str) -> Self {
        self.0.get_mut(stage).expect("a stage").retain(|row| !row.starts_with(beginning));
        self
    }

    /// With the rows that begin so a number of times more.
    pub(super) fn again(mut self, stage: &'static str, beginning: &str, times: usize) -> Self {
        let rows = self.0.get_mut(stage).expect("a stage");
        let repeated: Vec<&str> = rows.iter().copied().filter(|row| row.starts_with(beginning)).collect();
        assert!(!repeated.is_empty(), "{stage}: {beginning}");
        rows.extend(repeated.repeat(times));
        self
    }

    pub(super) fn questions(&self) -> Vec<(&'static str, ResultSet)> {
        QUESTIONS.iter().map(|(stage, question)| (*question, result(&self.0[stage]))).collect()
    }
}

fn result(lines: &[&str]) -> ResultSet {
    let columns: Vec<(&str, TdsType)> = lines[0]
        .split(" | ")
        .map(|column| {
            let (name, kind) = column.split_once(' ').expect("a name and a type");
            (name, declared(kind))
        })
        .collect();
    let head = ResultSet::new(columns.iter().map(|(name, kind)| Column::new(*name, *kind)));
    lines[1..].iter().fold(head, |result, line| {
        let cells: Vec<&str> = line.split(" | ").collect();
        assert_eq!(cells.len(), columns.len(), "{line}");
        result.row(cells.iter().zip(&columns).map(|(cell, (_, kind))| value(cell, *kind)))
    })
}

fn declared(kind: &str) -> TdsType {
    match kind {
        "bit" => TdsType::Bit,
        "tinyint" => TdsType::TinyInt,
        "int" => TdsType::Int,
        "bigint" => TdsType::BigInt,
        "varchar" => TdsType::VarChar(Length::Of(2)),
        "nvarchar" => TdsType::NVarChar(Length::Max),
        other => panic!("no type {other}"),
    }
}

fn value(cell: &str, kind: TdsType) -> TdsValue {
    match (cell, kind) {
        ("~", _) => TdsValue::Null,
        ("''", _) => "".into(),
        (cell, TdsType::Bit) => (cell == "1").into(),
        (cell, TdsType::TinyInt | TdsType::Int | TdsType::BigInt) => TdsValue::Int(cell.parse().expect("a number")),
        (cell, _) => cell.replace("\\n", "\n").into(),
    }
}
