use sea_query::{Condition, Expr, ExprTrait, LikeExpr, Query, SelectStatement};
use shared_kernel::Version;
use shared_kernel::database::keyset::Keyset;
use shared_kernel::database::{Dialect, Statement, StatementTemplate, text_key, uuid_key};
use shared_kernel::text::{first_code_points, fold_key};
use uuid::Uuid;

use crate::domain::{User, UserFilter, UserId, UserList, UserSort};

const TABLE: &str = "users";

/// The columns of `users`.
pub(super) mod columns {
    pub(in super::super) const ID: &str = "id";
    pub(in super::super) const NAME: &str = "name";
    /// The name folded and cut, for ORDER BY.
    pub(in super::super) const NAME_SORT: &str = "name_sort";
    pub(in super::super) const EMAIL: &str = "email";
    /// The address folded: unique, and for ORDER BY.
    pub(in super::super) const EMAIL_KEY: &str = "email_key";
    /// Name and address folded, for `q`.
    pub(in super::super) const SEARCH_KEY: &str = "search_key";
    pub(in super::super) const STATUS: &str = "status";
    pub(in super::super) const VERSION: &str = "version";
    pub(in super::super) const CREATED_AT: &str = "created_at";
    pub(in super::super) const UPDATED_AT: &str = "updated_at";

    /// What is selected of a user, in this order: rows are read by position.
    pub(in super::super) const USER: [&str; 7] = [ID, NAME, EMAIL, STATUS, VERSION, CREATED_AT, UPDATED_AT];

    /// What a list selects after that, for the order.
    pub(in super::super) const KEYS: [&str; 2] = [NAME_SORT, EMAIL_KEY];
}
use columns::{CREATED_AT, EMAIL, EMAIL_KEY, ID, KEYS, NAME, NAME_SORT, SEARCH_KEY, STATUS, UPDATED_AT, USER, VERSION};

/// How much of a folded name takes part in the order, so that the key fits every engine's index.
const SORT_LENGTH: usize = 200;

pub(super) fn insert(user: &User, dialect: Dialect) -> Statement {
    let mut names = vec![ID, CREATED_AT];
    let mut values: Vec<Expr> = vec![uuid_key(dialect, user.id().uuid()).into(), user.created_at().into()];
    for (name, value) in changing(user, dialect) {
        names.push(name);
        values.push(value);
    }
    Query::insert().into_table(TABLE).columns(names).values_panic(values).to_owned().into()
}

pub(super) fn update(user: &User, expected: Version, dialect: Dialect) -> Statement {
    Query::update()
        .table(TABLE)
        .values(changing(user, dialect))
        .cond_where(at_version(user.id(), expected, dialect))
        .to_owned()
        .into()
}

pub(super) fn delete(id: UserId, expected: Version, dialect: Dialect) -> Statement {
    Query::delete().from_table(TABLE).cond_where(at_version(id, expected, dialect)).to_owned().into()
}

pub(super) fn select_by_id(id: UserId, dialect: Dialect) -> Statement {
    static BY_ID: StatementTemplate = StatementTemplate::new(|dialect| {
        select().and_where(Expr::col(ID).eq(uuid_key(dialect, Uuid::nil()))).to_owned().into()
    });
    BY_ID.with([uuid_key(dialect, id.uuid())])
}

/// The users of a list, without order and limit.
pub(super) fn select_list(filter: &UserFilter) -> SelectStatement {
    let mut select = select();
    select.columns(KEYS);
    if let Some(term) = &filter.q {
        select.and_where(Expr::col(SEARCH_KEY).like(LikeExpr::new(term.like_pattern()).escape('!')));
    }
    if let Some(status) = filter.status {
        select.and_where(Expr::col(STATUS).eq(status.as_str()));
    }
    select
}

pub(super) fn keyset(list: &UserList) -> Keyset {
    let column = match list.sort {
        UserSort::Name => NAME_SORT,
        UserSort::Email => EMAIL_KEY,
        UserSort::CreatedAt => CREATED_AT,
        UserSort::UpdatedAt => UPDATED_AT,
    };
    Keyset::over(column, ID, list.direction)
}

fn select() -> SelectStatement {
    Query::select().columns(USER).from(TABLE).to_owned()
}

/// Every column that can change, with the user's value: the keys are made here and nowhere else.
fn changing(user: &User, dialect: Dialect) -> [(&'static str, Expr); 8] {
    let name_key = fold_key(user.name().as_str());
    let email_key = user.email().key();
    // A name and an address hold no line end, so that no search term matches across the two.
    let search_key = format!("{name_key}\n{email_key}");
    [
        (NAME, user.name().as_str().into()),
        (NAME_SORT, text_key(dialect, first_code_points(&name_key, SORT_LENGTH)).into()),
        (EMAIL, user.email().as_str().into()),
        (EMAIL_KEY, text_key(dialect, email_key).into()),
        (SEARCH_KEY, search_key.into()),
        (STATUS, user.status().as_str().into()),
        (VERSION, user.version().get().into()),
        (UPDATED_AT, user.updated_at().into()),
    ]
}

fn at_version(id: UserId, expected: Version, dialect: Dialect) -> Condition {
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
        check(&select_by_id(UserId::new(Uuid::nil()), Dialect::Sqlite), &USER);
        check(&select_list(&UserFilter::default()).into(), &[USER.as_slice(), KEYS.as_slice()].concat());
    }
}
