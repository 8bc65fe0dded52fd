use sea_query::{Condition, Expr, ExprTrait, LikeExpr, Order, Query, SelectStatement, Value};
use shared_kernel::Version;
use shared_kernel::database::keyset::Keyset;
use shared_kernel::database::{Dialect, Statement, StatementTemplate, text_key, uuid_key};
use shared_kernel::paging::Limit;
use uuid::Uuid;

use super::documents;
use crate::domain::{
    ConnectionFilter, ConnectionId, ConnectionList, ConnectionSort, DatabaseName, FilePath, Host, LabelFilter, Notes,
    Port, SealedSecrets, SecretName, SecretsWrite, StoredConnection, Username,
};

const TABLE: &str = "connections";
const LABELS_TABLE: &str = "connection_labels";

/// The columns of `connections`.
pub(super) mod columns {
    pub(in super::super) const ID: &str = "id";
    pub(in super::super) const NAME: &str = "name";
    /// The name folded: unique, and for ORDER BY.
    pub(in super::super) const NAME_KEY: &str = "name_key";
    /// The name folded as text, for `q`.
    pub(in super::super) const SEARCH_KEY: &str = "search_key";
    pub(in super::super) const ENGINE: &str = "engine";
    pub(in super::super) const HOST: &str = "host";
    pub(in super::super) const PORT: &str = "port";
    pub(in super::super) const DATABASE: &str = "database_name";
    pub(in super::super) const PATH: &str = "path";
    pub(in super::super) const USERNAME: &str = "username";
    pub(in super::super) const TLS: &str = "tls";
    pub(in super::super) const OPTIONS: &str = "options";
    pub(in super::super) const LABELS: &str = "labels";
    pub(in super::super) const NOTES: &str = "notes";
    pub(in super::super) const SECRET: &str = "secret";
    pub(in super::super) const KEY_NAME: &str = "key_name";
    pub(in super::super) const DATA_KEY: &str = "data_key";
    pub(in super::super) const SEALED_PASSWORD: &str = "sealed_password";
    pub(in super::super) const SEALED_CLIENT_KEY: &str = "sealed_client_key";
    pub(in super::super) const VERSION: &str = "version";
    pub(in super::super) const CREATED_AT: &str = "created_at";
    pub(in super::super) const UPDATED_AT: &str = "updated_at";

    /// What is selected of sealed secrets, in this order: rows are read by position.
    pub(in super::super) const SEALED: [&str; 6] =
        [ID, VERSION, KEY_NAME, DATA_KEY, SEALED_PASSWORD, SEALED_CLIENT_KEY];

    /// What is selected of a connection, in this order.
    pub(in super::super) const CONNECTION: [&str; 20] = [
        ID,
        VERSION,
        KEY_NAME,
        DATA_KEY,
        SEALED_PASSWORD,
        SEALED_CLIENT_KEY,
        NAME,
        ENGINE,
        HOST,
        PORT,
        DATABASE,
        PATH,
        USERNAME,
        TLS,
        OPTIONS,
        LABELS,
        NOTES,
        SECRET,
        CREATED_AT,
        UPDATED_AT,
    ];

    /// What a list selects after that, for the order.
    pub(in super::super) const KEYS: [&str; 1] = [NAME_KEY];
}

use columns::{
    CONNECTION, CREATED_AT, DATA_KEY, DATABASE, ENGINE, HOST, ID, KEY_NAME, KEYS, LABELS, NAME, NAME_KEY, NOTES,
    OPTIONS, PATH, PORT, SEALED, SEALED_CLIENT_KEY, SEALED_PASSWORD, SEARCH_KEY, SECRET, TLS, UPDATED_AT, USERNAME,
    VERSION,
};

/// The columns of `connection_labels`.
const CONNECTION_ID: &str = "connection_id";
const LABEL_KEY: &str = "label_key";
const LABEL_VALUE: &str = "label_value";

pub(super) fn insert(connection: &StoredConnection, dialect: Dialect) -> Statement {
    let mut names = vec![ID, CREATED_AT];
    let mut values: Vec<Expr> = vec![uuid_key(dialect, connection.id().uuid()).into(), connection.created_at().into()];
    for (name, value) in changing(connection, dialect).into_iter().chain(sealed(connection.sealed())) {
        names.push(name);
        values.push(value);
    }
    Query::insert().into_table(TABLE).columns(names).values_panic(values).to_owned().into()
}

pub(super) fn update(
    connection: &StoredConnection,
    secrets: SecretsWrite,
    expected: Version,
    dialect: Dialect,
) -> Statement {
    let secrets = match secrets {
        SecretsWrite::Leave => None,
        SecretsWrite::Write => Some(sealed(connection.sealed())),
    };
    Query::update()
        .table(TABLE)
        .values(changing(connection, dialect).into_iter().chain(secrets.into_iter().flatten()))
        .cond_where(at_version(connection.id(), expected, dialect))
        .to_owned()
        .into()
}

/// Writes secrets that were sealed anew, and nothing else.
pub(super) fn reseal(id: ConnectionId, version: Version, secrets: &SealedSecrets, dialect: Dialect) -> Statement {
    Query::update()
        .table(TABLE)
        .values(sealed(Some(secrets)))
        .cond_where(at_version(id, version, dialect))
        .to_owned()
        .into()
}

/// Deletes the connection; its labels go with it by their foreign key.
pub(super) fn delete(id: ConnectionId, expected: Version, dialect: Dialect) -> Statement {
    Query::delete().from_table(TABLE).cond_where(at_version(id, expected, dialect)).to_owned().into()
}

pub(super) fn select_by_id(id: ConnectionId, dialect: Dialect) -> Statement {
    static BY_ID: StatementTemplate = StatementTemplate::new(|dialect| {
        select().and_where(Expr::col(ID).eq(uuid_key(dialect, Uuid::nil()))).to_owned().into()
    });
    BY_ID.with([uuid_key(dialect, id.uuid())])
}

pub(super) fn select_versions(ids: &[ConnectionId], dialect: Dialect) -> Statement {
    let ids = ids.iter().map(|id| uuid_key(dialect, id.uuid()));
    Query::select().columns([ID, VERSION]).from(TABLE).and_where(Expr::col(ID).is_in(ids)).to_owned().into()
}

pub(super) fn select_sealed_otherwise(
    key_name: &str,
    after: Option<ConnectionId>,
    limit: Limit,
    dialect: Dialect,
) -> Statement {
    let mut select = Query::select().columns(SEALED).from(TABLE).to_owned();
    // A comparison with NULL holds for no row, so that those without secrets are left out.
    select.and_where(Expr::col(KEY_NAME).ne(key_name));
    if let Some(after) = after {
        select.and_where(Expr::col(ID).gt(uuid_key(dialect, after.uuid())));
    }
    select.order_by(ID, Order::Asc).limit(limit.get().into()).to_owned().into()
}

/// The connections of a list, without order and limit.
pub(super) fn select_list(filter: &ConnectionFilter, dialect: Dialect) -> SelectStatement {
    let mut select = select();
    select.columns(KEYS);
    if let Some(term) = &filter.q {
        select.and_where(Expr::col(SEARCH_KEY).like(LikeExpr::new(term.like_pattern()).escape('!')));
    }
    if let Some(engine) = &filter.engine {
        select.and_where(Expr::col(ENGINE).eq(engine.as_str()));
    }
    if let Some(label) = &filter.label {
        select.and_where(Expr::col(ID).in_subquery(labelled(label, dialect)));
    }
    select
}

pub(super) fn keyset(list: &ConnectionList) -> Keyset {
    let column = match list.sort {
        ConnectionSort::Name => NAME_KEY,
        ConnectionSort::CreatedAt => CREATED_AT,
        ConnectionSort::UpdatedAt => UPDATED_AT,
    };
    Keyset::over(column, ID, list.direction)
}

/// The rows by which a connection is found by its labels; `None` where it has none.
pub(super) fn insert_labels(connection: &StoredConnection, dialect: Dialect) -> Option<Statement> {
    let labels = &connection.definition().labels;
    if labels.is_empty() {
        return None;
    }
    let mut insert =
        Query::insert().into_table(LABELS_TABLE).columns([CONNECTION_ID, LABEL_KEY, LABEL_VALUE]).to_owned();
    for (key, value) in labels.iter() {
        insert.values_panic([
            Expr::from(uuid_key(dialect, connection.id().uuid())),
            key.as_str().into(),
            text_key(dialect, value.as_str()).into(),
        ]);
    }
    Some(insert.into())
}

pub(super) fn delete_labels(id: ConnectionId, dialect: Dialect) -> Statement {
    let of = Expr::col(CONNECTION_ID).eq(uuid_key(dialect, id.uuid()));
    Query::delete().from_table(LABELS_TABLE).and_where(of).to_owned().into()
}

/// The ids of the connections with a label.
fn labelled(label: &LabelFilter, dialect: Dialect) -> SelectStatement {
    let mut select = Query::select().column(CONNECTION_ID).from(LABELS_TABLE).to_owned();
    select.and_where(Expr::col(LABEL_KEY).eq(label.key.as_str()));
    if let Some(value) = &label.value {
        select.and_where(Expr::col(LABEL_VALUE).eq(text_key(dialect, value.as_str())));
    }
    select
}

fn select() -> SelectStatement {
    Query::select().columns(CONNECTION).from(TABLE).to_owned()
}

/// Every column that can change but those of secrets, with the connection's value: the keys are made here and nowhere else.
fn changing(connection: &StoredConnection, dialect: Dialect) -> [(&'static str, Expr); 16] {
    let definition = connection.definition();
    let name_key = definition.name.key();
    let text = |text: Option<&str>| Expr::from(Value::from(text.map(str::to_owned)));
    [
        (NAME, definition.name.as_str().into()),
        (NAME_KEY, text_key(dialect, &name_key).into()),
        (SEARCH_KEY, name_key.into()),
        (ENGINE, definition.engine.as_str().into()),
        (HOST, text(definition.host.as_ref().map(Host::as_str))),
        (PORT, Value::from(definition.port.map(Port::get).map(i32::from)).into()),
        (DATABASE, text(definition.database.as_ref().map(DatabaseName::as_str))),
        (PATH, text(definition.path.as_ref().map(FilePath::as_str))),
        (USERNAME, text(definition.username.as_ref().map(Username::as_str))),
        (TLS, text(definition.tls.as_ref().map(documents::of_tls).as_deref())),
        (OPTIONS, documents::of_options(&definition.options).into()),
        (LABELS, documents::of_labels(&definition.labels).into()),
        (NOTES, text(definition.notes.as_ref().map(Notes::as_str))),
        (SECRET, text(definition.secret.as_ref().map(SecretName::as_str))),
        (VERSION, connection.version().get().into()),
        (UPDATED_AT, connection.updated_at().into()),
    ]
}

fn sealed(secrets: Option<&SealedSecrets>) -> [(&'static str, Expr); 4] {
    let bytes = |bytes: Option<Vec<u8>>| Expr::from(Value::Bytes(bytes));
    [
        (KEY_NAME, Value::from(secrets.map(|sealed| sealed.key_name.clone())).into()),
        (DATA_KEY, bytes(secrets.map(|sealed| sealed.data_key.clone()))),
        (SEALED_PASSWORD, bytes(secrets.and_then(|sealed| sealed.password.clone()))),
        (SEALED_CLIENT_KEY, bytes(secrets.and_then(|sealed| sealed.client_key.clone()))),
    ]
}

fn at_version(id: ConnectionId, expected: Version, dialect: Dialect) -> Condition {
    Condition::all().add(Expr::col(ID).eq(uuid_key(dialect, id.uuid()))).add(Expr::col(VERSION).eq(expected.get()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(statement: &Statement, expected: &[&str]) {
        let sql = statement.render(Dialect::Sqlite).expect("a plain select").sql;
        let (columns, _) = sql.strip_prefix("SELECT ").and_then(|rest| rest.split_once(" FROM ")).expect("a select");
        let columns: Vec<&str> = columns.split(", ").map(|column| column.trim_matches('"')).collect();
        assert_eq!(columns, expected);
    }

    #[test]
    fn rows_hold_their_columns_where_they_are_read() {
        let id = ConnectionId::new(Uuid::nil());
        check(&select_by_id(id, Dialect::Sqlite), &CONNECTION);
        let list = select_list(&ConnectionFilter::default(), Dialect::Sqlite);
        check(&list.into(), &[CONNECTION.as_slice(), KEYS.as_slice()].concat());
        check(&select_sealed_otherwise("one", Some(id), Limit::default(), Dialect::Sqlite), &SEALED);
        assert_eq!(CONNECTION[..SEALED.len()], SEALED);
    }
}
