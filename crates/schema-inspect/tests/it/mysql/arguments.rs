use shared_kernel::RequestContext;
use shared_kernel::database::RawStatement;
use testkit::Server;

use super::{Sample, on_both};

on_both!(arguments_are_told_as_they_can_be_sent_back);

/// Whatever word of the server's own they are called by.
async fn arguments_are_told_as_they_can_be_sent_back(server: Server) {
    let sample = Sample::empty(server).await;
    let words = RawStatement::everywhere("SELECT", "SELECT LOWER(WORD) FROM information_schema.KEYWORDS").into();
    let sql = sample.connection.sql().expect("SQL");
    let rows = sql.query(&words, &RequestContext::system()).await.expect("an answer");
    let mut words: Vec<String> = rows.iter().map(|row| row.get::<String>(0).expect("a text")).collect();
    words.sort_unstable();
    words.dedup();
    assert!(words.len() > 500 && words.iter().any(|word| word == "select"), "{words:?}");
    let arguments: Vec<String> = words.iter().map(|word| format!("IN `{word}` int")).collect();
    sample.run(&format!("CREATE PROCEDURE first_one({}) SELECT 1", arguments.join(", "))).await;
    let told = sample.inspect(&sample.options()).await;
    let told = &sample.namespace(&told).routines[0].arguments;
    // What is a name without quotes has none: they would be in everybody's way.
    assert!(told.contains("IN account int") && told.contains("IN `select` int"), "{told}");
    sample.run(&format!("CREATE PROCEDURE second_one({told}) SELECT 1")).await;
    let found = sample.inspect(&sample.options()).await;
    let [first, second] = sample.namespace(&found).routines.as_slice() else { panic!("there are two") };
    assert_eq!(first.arguments, second.arguments);
}
