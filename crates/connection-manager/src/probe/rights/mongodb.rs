use ::mongodb::bson::{Bson, Document, doc};
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, Documents as _};

use super::{Finding, Found};
use crate::mongodb::MongoDbConnection;

/// What a user may do to the collections of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    Nothing,
    /// Some of its collections.
    Certain,
    /// All of its collections.
    Database,
    /// All collections of all databases.
    Everything,
}

/// Asks what the server is, and what the login may do: every user may ask that of itself.
pub(super) async fn ask(connection: &MongoDbConnection, context: &RequestContext) -> Result<Found, DatabaseError> {
    let database = connection.database().unwrap_or("admin");
    let role = role_of(&run(connection, database, doc! { "hello": 1 }, context).await?);
    let question = doc! { "connectionStatus": 1, "showPrivileges": true };
    let told = match run(connection, database, question, context).await {
        // Not every service that speaks MongoDB's protocol tells.
        Err(error) if [DatabaseErrorKind::Unsupported, DatabaseErrorKind::Query].contains(error.kind()) => {
            Document::new()
        }
        told => told?,
    };
    Ok(Found { role, privileges: privileges(&told, database), finding: finding(&told, database) })
}

async fn run(
    connection: &MongoDbConnection,
    database: &str,
    command: Document,
    context: &RequestContext,
) -> Result<Document, DatabaseError> {
    let work = |client: ::mongodb::Client| {
        let command = command.clone();
        async move { client.database(database).run_command(command).await }
    };
    connection.with_client(work, context).await
}

fn role_of(hello: &Document) -> String {
    let is = |name| hello.get_bool(name).unwrap_or_default();
    let set = hello.get_str("setName").map(|name| format!(" of the replica set `{name}`")).unwrap_or_default();
    let role = if hello.get_str("msg").is_ok_and(|word| word == "isdbgrid") {
        "a router of a sharded cluster"
    } else if is("secondary") {
        "a secondary"
    } else if is("isWritablePrimary") || is("ismaster") {
        "a primary"
    } else {
        "neither primary nor secondary"
    };
    let mode = if is("readOnly") || is("secondary") { "read only" } else { "takes writes" };
    format!("{role}{set}, {mode}")
}

/// What the user may do, and whether that is nothing at all.
fn privileges(told: &Document, database: &str) -> Result<String, String> {
    let Ok(status) = told.get_document("authInfo") else { return Ok("the server does not tell".to_owned()) };
    let documents = |name| status.get_array(name).into_iter().flatten().filter_map(|value| value.as_document());
    if documents("authenticatedUsers").next().is_none() {
        return Ok("nobody is logged in: whatever the server lets anybody do".to_owned());
    }
    let role = |name: &str| {
        documents("authenticatedUserRoles").any(|role| role.get_str("role").is_ok_and(|role| role == name))
    };
    if !status.contains_key("authenticatedUserPrivileges") {
        let roles: Vec<&str> =
            documents("authenticatedUserRoles").filter_map(|role| role.get_str("role").ok()).collect();
        return Ok(format!("the server tells the user's roles alone: {}", roles.join(", ")));
    }
    let (reads, writes) = (granted(status, "find", database), granted(status, "insert", database));
    let shown = |reach| match reach {
        Reach::Nothing => "nothing".to_owned(),
        Reach::Certain => format!("certain collections of `{database}`"),
        Reach::Database => format!("`{database}`"),
        Reach::Everything => "any database".to_owned(),
    };
    let superuser = if role("root") { "; a superuser, which a service should not be" } else { "" };
    let text = format!("reads {}, writes to {}{superuser}", shown(reads), shown(writes));
    if (reads, writes) == (Reach::Nothing, Reach::Nothing) { Err(text) } else { Ok(text) }
}

/// What the user may do, in parts.
fn finding(told: &Document, database: &str) -> Finding {
    let status = told.get_document("authInfo").ok();
    let status = status.filter(|status| status.contains_key("authenticatedUserPrivileges"));
    let may = |action| status.map(|status| granted(status, action, database) > Reach::Nothing);
    let roles = status.and_then(|status| status.get_array("authenticatedUserRoles").ok());
    let is_root =
        |role: &Bson| role.as_document().is_some_and(|role| role.get_str("role").is_ok_and(|name| name == "root"));
    Finding::Privileges {
        reads: may("find"),
        writes: may("insert"),
        superuser: roles.map(|roles| roles.iter().any(is_root)),
    }
}

/// How far the privileges reach that allow an action.
fn granted(status: &Document, action: &str, database: &str) -> Reach {
    let privileges = status.get_array("authenticatedUserPrivileges").into_iter().flatten();
    let granted = privileges.filter_map(|value| value.as_document()).filter(|privilege| {
        let actions = privilege.get_array("actions").into_iter().flatten();
        actions.into_iter().any(|granted| [Some(action), Some("anyAction")].contains(&granted.as_str()))
    });
    granted.map(|privilege| reach(privilege, database)).max().unwrap_or(Reach::Nothing)
}

/// How much of the database a privilege is about.
fn reach(privilege: &Document, database: &str) -> Reach {
    let Ok(resource) = privilege.get_document("resource") else { return Reach::Nothing };
    if resource.get_bool("anyResource").unwrap_or_default() {
        return Reach::Everything;
    }
    match (resource.get_str("db"), resource.get_str("collection")) {
        (Ok(""), Ok("")) => Reach::Everything,
        (Ok(of), Ok("")) if of == database => Reach::Database,
        (Ok(of), Ok(_)) if of == database || of.is_empty() => Reach::Certain,
        _ => Reach::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(privileges: &[Document]) -> Document {
        let privileges: Vec<Bson> = privileges.iter().cloned().map(Bson::from).collect();
        doc! { "authInfo": {
            "authenticatedUsers": [{ "user": "ann", "db": "admin" }],
            "authenticatedUserRoles": [{ "role": "own", "db": "admin" }],
            "authenticatedUserPrivileges": privileges,
        } }
    }

    #[test]
    fn privileges_are_told_as_far_as_they_reach() {
        let on = |db: &str, collection: &str, action: &str| {
            doc! { "resource": { "db": db, "collection": collection }, "actions": [action, "collStats"] }
        };
        for (granted, expected) in [
            (vec![on("", "", "find")], Ok("reads any database, writes to nothing")),
            (
                vec![on("library", "", "find"), on("library", "books", "insert")],
                Ok("reads `library`, writes to certain collections of `library`"),
            ),
            (vec![on("other", "", "find"), on("other", "", "insert")], Err("reads nothing, writes to nothing")),
            (
                vec![doc! { "resource": { "anyResource": true }, "actions": ["anyAction"] }],
                Ok("reads any database, writes to any database"),
            ),
            (vec![], Err("reads nothing, writes to nothing")),
        ] {
            let told = privileges(&status(&granted), "library");
            assert_eq!(told.as_deref().map_err(String::as_str), expected, "{granted:?}");
            let Finding::Privileges { reads, writes, superuser } = finding(&status(&granted), "library") else {
                panic!("privileges")
            };
            let text = expected.unwrap_or_else(|text| text);
            let expected = (Some(!text.contains("reads nothing")), Some(!text.contains("to nothing")), Some(false));
            assert_eq!((reads, writes, superuser), expected, "{granted:?}");
        }
    }

    #[test]
    fn what_is_not_told_is_said_to_be_so() {
        assert!(privileges(&doc! { "ok": 1.0 }, "a").unwrap().contains("does not tell"));
        let nobody = doc! { "authInfo": { "authenticatedUsers": [], "authenticatedUserRoles": [] } };
        assert!(privileges(&nobody, "a").unwrap().contains("nobody is logged in"));
        let mut alone = status(&[]);
        alone.get_document_mut("authInfo").unwrap().remove("authenticatedUserPrivileges");
        assert!(privileges(&alone, "a").unwrap().ends_with("own"));
    }

    #[test]
    fn a_server_s_part_is_told() {
        for (hello, expected) in [
            (doc! { "isWritablePrimary": true }, "a primary, takes writes"),
            (doc! { "isWritablePrimary": true, "setName": "rs0" }, "a primary of the replica set `rs0`, takes writes"),
            (doc! { "secondary": true, "setName": "rs0" }, "a secondary of the replica set `rs0`, read only"),
            (doc! { "isWritablePrimary": true, "msg": "isdbgrid" }, "a router of a sharded cluster, takes writes"),
        ] {
            assert_eq!(role_of(&hello), expected);
        }
    }
}
