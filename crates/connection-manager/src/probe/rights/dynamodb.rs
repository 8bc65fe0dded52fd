use shared_kernel::RequestContext;
use shared_kernel::database::DatabaseError;

use super::{Finding, Found};
use crate::dynamodb::{DynamoDbConnection, Rights, Tried};

/// Tries what changes nothing: the service has no answer to the question what its caller may do.
pub(super) async fn ask(connection: &DynamoDbConnection, context: &RequestContext) -> Result<Found, DatabaseError> {
    let rights = connection.rights(context).await?;
    let table = connection.table();
    Ok(Found { role: role(&rights, table), privileges: Ok(privileges(&rights, table)), finding: finding(&rights) })
}

fn role(rights: &Rights, table: Option<&str>) -> String {
    let table = table.unwrap_or_default();
    match &rights.describes {
        None => "the service, of which no table is named".to_owned(),
        // Also while a table is changed it takes both.
        Some(Tried::Allowed(state)) if state == "ACTIVE" || state == "UPDATING" => {
            format!("the table `{table}` is {state}, takes writes")
        }
        Some(Tried::Allowed(state)) => format!("the table `{table}` is {state}, may take no writes"),
        Some(Tried::Forbidden | Tried::NotTold) => format!("the table `{table}`, whose state is not told"),
    }
}

fn privileges(rights: &Rights, table: Option<&str>) -> String {
    fn may<T>(tried: &Tried<T>, what: &str) -> String {
        match tried {
            Tried::Allowed(_) => format!("may {what}"),
            Tried::Forbidden => format!("may not {what}"),
            Tried::NotTold => format!("whether it may {what} is not told"),
        }
    }
    let table = table.unwrap_or_default();
    let described = rights.describes.as_ref().map(|tried| may(tried, &format!("describe `{table}`")));
    let read = rights.reads.as_ref().map(|tried| may(tried, &format!("read items of `{table}`")));
    let parts = [Some(may(&rights.lists, "list tables")), described, read];
    let limits = match rights.limits {
        Tried::Allowed((reads, writes)) => format!("a table may have {reads} reads and {writes} writes a second"),
        Tried::Forbidden => "may not ask for the account's limits".to_owned(),
        Tried::NotTold => "the account's limits are not told".to_owned(),
    };
    let told: Vec<String> = parts.into_iter().flatten().collect();
    format!("{}; whether it may write is not told, as it would have to be tried; {limits}", told.join(", "))
}

fn finding(rights: &Rights) -> Finding {
    let reads = match rights.reads {
        Some(Tried::Allowed(())) => Some(true),
        Some(Tried::Forbidden) => Some(false),
        Some(Tried::NotTold) | None => None,
    };
    Finding::Privileges { reads, writes: None, superuser: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rights(describes: Option<Tried<String>>, reads: Option<Tried>) -> Rights {
        Rights { lists: Tried::Forbidden, describes, reads, limits: Tried::Allowed((40_000, 10_000)) }
    }

    #[test]
    fn what_was_refused_and_what_was_not_told_are_two_things() {
        let active = || Some(Tried::Allowed("ACTIVE".to_owned()));
        let rest = "whether it may write is not told, as it would have to be tried; a table may have 40000 reads and 10000 \
                    writes a second";
        for (rights, table, told, reads) in [
            (rights(None, None), None, "may not list tables", None),
            (
                rights(active(), Some(Tried::Allowed(()))),
                Some("t"),
                "may not list tables, may describe `t`, may read items of `t`",
                Some(true),
            ),
            (
                rights(active(), Some(Tried::Forbidden)),
                Some("t"),
                "may not list tables, may describe `t`, may not read items of `t`",
                Some(false),
            ),
            (
                rights(Some(Tried::Forbidden), Some(Tried::NotTold)),
                Some("t"),
                "may not list tables, may not describe `t`, whether it may read items of `t` is not told",
                None,
            ),
        ] {
            assert_eq!(privileges(&rights, table), format!("{told}; {rest}"));
            assert_eq!(finding(&rights), Finding::Privileges { reads, writes: None, superuser: None });
        }
    }

    #[test]
    fn a_table_s_state_is_told() {
        for (describes, expected) in [
            (None, "the service, of which no table is named"),
            (Some(Tried::Allowed("UPDATING".to_owned())), "the table `t` is UPDATING, takes writes"),
            (Some(Tried::Allowed("ARCHIVED".to_owned())), "the table `t` is ARCHIVED, may take no writes"),
            (Some(Tried::Forbidden), "the table `t`, whose state is not told"),
        ] {
            assert_eq!(role(&rights(describes, None), Some("t")), expected);
        }
    }
}
