//! Which of the engine's functions does what a command asks for.

/// How a function is called and what comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    /// Takes the database and the command; returns the first page of a cursor and how to go on.
    Pages(&'static str),
    /// Takes the database and the command; returns the answer.
    Command(&'static str),
    /// Takes the command alone; returns the answer.
    Server(&'static str),
    /// Takes the database, the collection that the command names, and the command; returns the answer.
    Collection(&'static str),
    /// Takes the database and the collection; returns nothing that is told.
    Drop(&'static str),
    /// Takes the database; returns nothing that is told.
    DropDatabase(&'static str),
}

/// The function for a command of this name.
pub(super) fn function(name: &str) -> Option<Function> {
    Some(match name {
        "aggregate" => Function::Pages(
            "SELECT cursorpage::bytea, continuation::bytea, persistconnection, cursorid \
             FROM documentdb_api.aggregate_cursor_first_page($1, $2::documentdb_core.bson)",
        ),
        "find" => Function::Pages(
            "SELECT cursorpage::bytea, continuation::bytea, persistconnection, cursorid \
             FROM documentdb_api.find_cursor_first_page($1, $2::documentdb_core.bson)",
        ),
        "listCollections" => Function::Pages(
            "SELECT cursorpage::bytea, continuation::bytea, persistconnection, cursorid \
             FROM documentdb_api.list_collections_cursor_first_page($1, $2::documentdb_core.bson)",
        ),
        "listIndexes" => Function::Pages(
            "SELECT cursorpage::bytea, continuation::bytea, persistconnection, cursorid \
             FROM documentdb_api.list_indexes_cursor_first_page($1, $2::documentdb_core.bson)",
        ),
        "count" => Function::Command("SELECT documentdb_api.count_query($1, $2::documentdb_core.bson)::bytea"),
        "create" => {
            Function::Command("SELECT documentdb_api.create_collection_view($1, $2::documentdb_core.bson)::bytea")
        }
        // In the foreground, so that the index is there when the answer is.
        "createIndexes" => Function::Command(
            "SELECT documentdb_api_internal.create_indexes_non_concurrently($1, $2::documentdb_core.bson, true)::bytea",
        ),
        "delete" => {
            Function::Command("SELECT p_result::bytea FROM documentdb_api.delete($1, $2::documentdb_core.bson)")
        }
        "distinct" => Function::Command("SELECT documentdb_api.distinct_query($1, $2::documentdb_core.bson)::bytea"),
        "dropIndexes" => Function::Command("CALL documentdb_api.drop_indexes($1, $2::documentdb_core.bson, NULL)"),
        "findAndModify" => Function::Command(
            "SELECT p_result::bytea FROM documentdb_api.find_and_modify($1, $2::documentdb_core.bson)",
        ),
        "insert" => {
            Function::Command("SELECT p_result::bytea FROM documentdb_api.insert($1, $2::documentdb_core.bson)")
        }
        "update" => {
            Function::Command("SELECT p_result::bytea FROM documentdb_api.update($1, $2::documentdb_core.bson)")
        }
        "validate" => Function::Command("SELECT documentdb_api.validate($1, $2::documentdb_core.bson)::bytea"),
        "connectionStatus" => {
            Function::Server("SELECT documentdb_api.connection_status($1::documentdb_core.bson)::bytea")
        }
        "createUser" => Function::Server("SELECT documentdb_api.create_user($1::documentdb_core.bson)::bytea"),
        "currentOp" => Function::Server("SELECT documentdb_api.current_op_command($1::documentdb_core.bson)::bytea"),
        "dropUser" => Function::Server("SELECT documentdb_api.drop_user($1::documentdb_core.bson)::bytea"),
        "killOp" => Function::Server("SELECT documentdb_api.kill_op($1::documentdb_core.bson)::bytea"),
        "listDatabases" => Function::Server("SELECT documentdb_api.list_databases($1::documentdb_core.bson)::bytea"),
        "renameCollection" => {
            Function::Server("SELECT documentdb_api.rename_collection($1::documentdb_core.bson)::bytea")
        }
        "updateUser" => Function::Server("SELECT documentdb_api.update_user($1::documentdb_core.bson)::bytea"),
        "usersInfo" => Function::Server("SELECT documentdb_api.users_info($1::documentdb_core.bson)::bytea"),
        "collMod" => Function::Collection("SELECT documentdb_api.coll_mod($1, $2, $3::documentdb_core.bson)::bytea"),
        "drop" => Function::Drop("SELECT documentdb_api.drop_collection($1, $2)"),
        "dropDatabase" => Function::DropDatabase("SELECT documentdb_api.drop_database($1)::text"),
        _ => return None,
    })
}
