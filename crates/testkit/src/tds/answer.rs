//! From a statement to the tokens of its answer.

use super::request::{Statement, Via};
use super::script::{Part, Reply, ResultSet, ServerMessage, squeeze};
use super::token::{DoneKind, Ending, Tokens};
use super::transaction::{Step, Transaction};
use super::value::{Column, Length, Misfit, TdsType, TdsValue};

/// What `SELECT @@VERSION` answers unless the script says otherwise.
pub const VERSION: &str =
    "Microsoft SQL Server 2022 (RTM) - 16.0.1000.6 (X64)\n\tscriptable TDS server, no T-SQL engine";

/// The answers that need no script: a sign of life, the version, the transaction count, settings, transactions.
pub(super) fn built_in(statement: &Statement, transaction: &Transaction) -> Reply {
    let text = squeeze(&statement.text).trim_end_matches(';').to_ascii_uppercase();
    let one = |kind, value: TdsValue| Reply::rows(ResultSet::new([Column::new("", kind)]).row([value]));
    match text.as_str() {
        "SELECT 1" => one(TdsType::Int, 1.into()),
        "SELECT @@VERSION" => one(TdsType::NVarChar(Length::Of(300)), VERSION.into()),
        "SELECT @@TRANCOUNT" => one(TdsType::Int, TdsValue::Int(transaction.depth().into())),
        _ if Step::of(statement).is_some() || text.starts_with("SET ") => Reply::done(),
        _ => Reply::error(50_000, format!("the script has no answer to {statement:?}")),
    }
}

/// Encodes a reply. A script that does not fit its own columns becomes an error message that says so.
pub(super) fn encode(statement: &Statement, reply: &Reply, transaction: &mut Transaction) -> Tokens {
    let mut tokens = Tokens::default();
    let outcome = try_encode(statement, reply, transaction, &mut tokens);
    if let Err(misfit) = outcome {
        tokens = Tokens::default();
        let error = Reply::error(50_001, misfit.to_string());
        // An error message fits into any answer.
        let _ = try_encode(statement, &error, transaction, &mut tokens);
    }
    tokens
}

fn try_encode(
    statement: &Statement,
    reply: &Reply,
    transaction: &mut Transaction,
    tokens: &mut Tokens,
) -> Result<(), Misfit> {
    let in_procedure = matches!(statement.via, Via::Procedure(_));
    let failed = reply.messages().any(ServerMessage::is_error);
    transaction.apply(statement, reply, tokens);

    let kind = if in_procedure { DoneKind::InProcedure } else { DoneKind::Batch };
    let ending = Ending { command: command(statement), in_transaction: transaction.depth() > 0, ..Ending::default() };
    let mut endings = reply.parts.iter().filter(|part| ends_a_statement(part)).count();
    for part in &reply.parts {
        let mut ending = ending;
        match part {
            Part::Rows(result) => {
                tokens.result(result)?;
                ending.rows = Some(result.rows.len() as u64);
            }
            Part::Changed(count) => ending.rows = Some(*count),
            Part::Message(message) => {
                tokens.message(message);
                ending.error = true;
            }
        }
        if ends_a_statement(part) {
            endings -= 1;
            tokens.done(kind, Ending { more: in_procedure || endings > 0, ..ending });
        }
    }
    if in_procedure {
        tokens.return_status();
        tokens.done(DoneKind::Procedure, Ending { error: failed, ..ending });
    } else if !reply.parts.iter().any(ends_a_statement) {
        tokens.done(DoneKind::Batch, ending);
    }
    Ok(())
}

fn ends_a_statement(part: &Part) -> bool {
    match part {
        Part::Rows(_) | Part::Changed(_) => true,
        Part::Message(message) => message.is_error(),
    }
}

/// The current command of DONE (MS-TDS section 2.2.7.6), by which a driver tells a SELECT's count from a change's.
fn command(statement: &Statement) -> u16 {
    match verb(statement).as_str() {
        "SELECT" => 0xC1,
        "INSERT" => 0xC3,
        "DELETE" => 0xC4,
        "UPDATE" => 0xC5,
        "MERGE" => 0x117,
        _ => 0,
    }
}

/// The statement's first word, in upper case.
pub(super) fn verb(statement: &Statement) -> String {
    let word = statement.text.split(|character: char| !character.is_ascii_alphabetic()).find(|word| !word.is_empty());
    word.unwrap_or_default().to_ascii_uppercase()
}
