use crate::Dialect;

/// The statements that make the demo schema and fill it, each to be sent on its own.
///
/// - `people (id, name, city, age, active, boss_id)`: five rows. `city` and `boss_id` can be NULL; one name holds a
///   bracket and one ends with a blank; two people are of the same age.
/// - `orders (id, person_id, amount, note)`: four rows, of the people 1, 1, 2 and 4. `note` can be NULL; two notes hold
///   a wildcard of LIKE.
/// - `counters (id, hits)`: no rows; both columns have a default.
///
/// Text is compared by code points and in the case it is written in, wherever the engine lets a column say so.
pub fn schema(dialect: Dialect) -> Vec<String> {
    let (bigint, text, boolean, text_of) = match dialect {
        Dialect::MySql => ("BIGINT", "VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", "BOOLEAN", ""),
        Dialect::Postgres => ("BIGINT", "TEXT COLLATE \"C\"", "BOOLEAN", ""),
        Dialect::Sqlite => ("INTEGER", "TEXT", "BOOLEAN", ""),
        Dialect::SqlServer => ("BIGINT", "NVARCHAR(200) COLLATE Latin1_General_100_BIN2", "BIT", "N"),
    };
    let (yes, no) = if dialect == Dialect::SqlServer { ("1", "0") } else { ("TRUE", "FALSE") };
    let key = match dialect {
        Dialect::Sqlite | Dialect::Postgres | Dialect::MySql => "PRIMARY KEY",
        Dialect::SqlServer => "NOT NULL PRIMARY KEY",
    };
    vec![
        format!(
            "CREATE TABLE people (id {bigint} {key}, name {text} NOT NULL, city {text} NULL, age {bigint} NOT NULL, \
             active {boolean} NOT NULL, boss_id {bigint} NULL)"
        ),
        format!(
            "CREATE TABLE orders (id {bigint} {key}, person_id {bigint} NOT NULL, amount {bigint} NOT NULL, \
             note {text} NULL)"
        ),
        format!("CREATE TABLE counters (id {bigint} DEFAULT 7, hits {bigint} DEFAULT 0)"),
        format!(
            "INSERT INTO people (id, name, city, age, active, boss_id) VALUES \
             (1, {text_of}'Ada', {text_of}'London', 36, {yes}, NULL), \
             (2, {text_of}'Bob', NULL, 25, {yes}, 1), \
             (3, {text_of}'Cleo', {text_of}'Paris', 25, {no}, 1), \
             (4, {text_of}'Dan [x]', {text_of}'Paris', 41, {yes}, 2), \
             (5, {text_of}'Eve ', NULL, 19, {no}, 3)"
        ),
        format!(
            "INSERT INTO orders (id, person_id, amount, note) VALUES \
             (1, 1, 100, {text_of}'first'), (2, 1, 250, NULL), (3, 2, 75, {text_of}'50% off'), \
             (4, 4, 300, {text_of}'a_b')"
        ),
    ]
}
