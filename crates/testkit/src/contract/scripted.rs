use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{fs, io};

use connection_manager::{ConnectionSettings, PasswordSource, PoolSettings, TlsSettings};
use secrecy::SecretString;
use shared_kernel::database::Engine;

use super::Target;
use crate::Server;
use crate::tds::{Answer, Column, Length, Matcher, Reply, ResultSet, Statement, TdsServer, TdsType, TdsValue};

impl Target {
    /// The scriptable TDS server, with a script for those cases that need no engine: what travels, what fails on the
    /// way and what the driver makes of it, for SQL Server where there is none.
    ///
    /// The script keeps rows so that values come back as they arrived, and answers with the errors that SQL Server has
    /// for duplicates, missing references and deadlocks. It knows no T-SQL and undoes nothing.
    ///
    /// # Panics
    /// When no port can be had.
    pub async fn scripted() -> Self {
        let script = Arc::new(Script::default());
        let tables = script.clone();
        let server = TdsServer::builder()
            .user("sa", "secret")
            .database("contract")
            .on(Matcher::starts_with("SELECT "), Answer::computed(select_number))
            .on(Matcher::starts_with("DECLARE @counted"), Answer::computed(count))
            .on(Matcher::starts_with("CREATE TABLE"), Reply::done())
            .on(Matcher::starts_with("SELEC 1"), Reply::error(102, "Incorrect syntax near 'SELEC'."))
            .on(Matcher::contains("no_such_table"), Reply::error(208, "Invalid object name 'no_such_table'."))
            .on(Matcher::when(about_a_table), Answer::computed(move |statement| tables.answer(statement)))
            .start()
            .await
            .expect("a port for the TDS server");
        let folder = tempfile::tempdir().expect("the folder for temporary files is writable");
        let authority = authority_file(&server, folder.path().join("ca.pem")).expect("the file can be written");
        let settings = ConnectionSettings::new(Engine::SQLSERVER)
            .with_host("127.0.0.1")
            .with_port(server.address().port())
            .with_database("contract")
            .with_username("sa")
            .with_password(PasswordSource::Literal(SecretString::from("secret")))
            .with_tls(TlsSettings::required())
            .with_pool(PoolSettings::sized(0, 8));
        Self::new(Server::SqlServer, settings, (server, folder)).with_authority(authority)
    }
}

fn authority_file(server: &TdsServer, file: PathBuf) -> io::Result<PathBuf> {
    fs::write(&file, server.ca_pem())?;
    Ok(file)
}

/// `SELECT <number> AS answer`.
fn select_number(statement: &Statement) -> Reply {
    let number = statement.text.split_whitespace().nth(1).and_then(|word| word.parse::<i32>().ok());
    match (number, statement.text.ends_with(" AS answer")) {
        (Some(number), true) => Reply::rows(ResultSet::new([Column::new("answer", TdsType::Int)]).row([number.into()])),
        (Some(1), false) => Reply::rows(ResultSet::new([Column::new("", TdsType::Int)]).row([1.into()])),
        _ if statement.text.contains("@@VERSION") => {
            let column = Column::new("", TdsType::NVarChar(Length::Of(300)));
            Reply::rows(ResultSet::new([column]).row([crate::tds::VERSION.into()]))
        }
        _ => Reply::error(50_000, format!("the script has no answer to {statement:?}")),
    }
}

/// `… WHILE @counted < <number> …; SELECT 0 AS slept`, at six hundred a millisecond.
fn count(statement: &Statement) -> Reply {
    let text = statement.text.split("@counted < ").nth(1).unwrap_or_default();
    let number = text.split_whitespace().next().and_then(|word| word.parse::<u64>().ok()).unwrap_or_default();
    let slept = ResultSet::new([Column::new("slept", TdsType::Int)]).row([0.into()]);
    Reply::rows(slept).after(Duration::from_millis(number / 600))
}

fn about_a_table(statement: &Statement) -> bool {
    ["[edges]", "[items]", "[parts]"].iter().any(|table| statement.text.contains(table))
}

type Row = BTreeMap<String, TdsValue>;

/// The rows that were sent.
#[derive(Default)]
struct Script {
    tables: Mutex<BTreeMap<&'static str, Vec<Row>>>,
}

impl Script {
    fn answer(&self, statement: &Statement) -> Reply {
        let table =
            ["edges", "items", "parts"].into_iter().find(|table| statement.text.contains(&format!("[{table}]")));
        let Some(table) = table else { return Reply::error(208, "Invalid object name.") };
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        match statement.text.split_whitespace().next() {
            Some("INSERT") => {
                let row = inserted(statement);
                if let Some(refusal) = refusal(table, &row, &tables) {
                    return refusal;
                }
                tables.entry(table).or_default().push(row);
                Reply::changed(1)
            }
            Some("DELETE") if table == "items" => Reply::still_referenced("parts_item_fkey", "dbo.parts"),
            Some("DELETE") => Reply::changed(tables.remove(table).map_or(0, |rows| rows.len() as u64)),
            Some("UPDATE") if statement.values().contains(&&TdsValue::from("crossed by second")) => Reply::deadlock(),
            Some("UPDATE") => Reply::changed(1),
            Some("SELECT") => {
                let rows = tables.get(table).map(Vec::as_slice).unwrap_or_default();
                selected(statement, rows)
            }
            _ => Reply::error(50_000, format!("the script has no answer to {statement:?}")),
        }
    }
}

/// What constraints say to a new row.
fn refusal(table: &str, row: &Row, tables: &BTreeMap<&'static str, Vec<Row>>) -> Option<Reply> {
    let taken = |table: &str, column: &str, value: &str| {
        let rows = tables.get(table).map(Vec::as_slice).unwrap_or_default();
        rows.iter().any(|other| other.get(column) == row.get(value))
    };
    match table {
        "items" if row.get("label") == Some(&TdsValue::Null) => {
            Some(Reply::error(515, "Cannot insert the value NULL into column 'label', table 'contract.dbo.items'."))
        }
        "items" if taken("items", "id", "id") => Some(Reply::unique_constraint("PK__items", "dbo.items", "(1)")),
        "items" if taken("items", "label", "label") => {
            Some(Reply::unique_constraint("items_label_key", "dbo.items", "(one)"))
        }
        "parts" if !taken("items", "id", "item_id") => Some(Reply::foreign_key("parts_item_fkey", "dbo.items")),
        _ => None,
    }
}

/// The columns and values of `INSERT INTO [t] ([a], [b]) VALUES (@P1, NULL)`.
fn inserted(statement: &Statement) -> Row {
    let lists: Vec<Vec<&str>> = statement
        .text
        .split('(')
        .skip(1)
        .filter_map(|part| part.split(')').next())
        .map(|list| list.split(',').map(str::trim).collect())
        .collect();
    let [columns, values] = lists.as_slice() else { return Row::new() };
    let values = values.iter().map(|value| {
        let parameter = value.strip_prefix("@P").and_then(|number| number.parse::<usize>().ok());
        let parameter = parameter.and_then(|number| statement.parameters.get(number.checked_sub(1)?));
        parameter.map_or(TdsValue::Null, |parameter| parameter.value.clone())
    });
    columns.iter().map(|column| column.trim_matches(['[', ']']).to_owned()).zip(values).collect()
}

/// The rows in the order of their ids, each column in the type that the table would give it.
fn selected(statement: &Statement, rows: &[Row]) -> Reply {
    let list = statement.text.split(" FROM ").next().unwrap_or_default();
    let names: Vec<&str> = list.split(['[', ']']).skip(1).step_by(2).collect();
    let columns = names.iter().map(|name| Column::new(*name, declared(name)));
    let mut rows: Vec<&Row> = rows.iter().collect();
    rows.sort_by_key(|row| if let Some(TdsValue::Int(id)) = row.get("id") { *id } else { 0 });
    let result = rows.into_iter().fold(ResultSet::new(columns), |result, row| {
        result.row(names.iter().map(|name| stored(row.get(*name).cloned().unwrap_or(TdsValue::Null))))
    });
    Reply::rows(result)
}

/// The column's type in the tables of the cases.
fn declared(column: &str) -> TdsType {
    match column {
        "flag" => TdsType::Bit,
        "whole" => TdsType::BigInt,
        "number" => TdsType::Float,
        "amount" => TdsType::Decimal { precision: 28, scale: 10 },
        "bytes" => TdsType::VarBinary(Length::Max),
        "uid" => TdsType::UniqueIdentifier,
        "uid_key" => TdsType::Binary(16),
        "day" => TdsType::Date,
        "moment" => TdsType::DateTimeOffset(6),
        "id" => TdsType::Int,
        _ => TdsType::NVarChar(Length::Max),
    }
}

/// A decimal gets the scale of its column, as it would be stored.
fn stored(value: TdsValue) -> TdsValue {
    match value {
        TdsValue::Decimal { unscaled, scale } if scale <= 10 => {
            TdsValue::Decimal { unscaled: unscaled * 10_i128.pow(u32::from(10 - scale)), scale: 10 }
        }
        value => value,
    }
}
