//! What takes the engine: a call of its function, and cursors from page to page.

use std::time::Duration;

use bson::{Bson, Document, doc};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Connection, Row};

use super::commands::{Function, function};
use super::cursors::Cursor;
use super::engine::{Argument, call, document};
use super::refusal::{Refusal, translate_write_errors};
use super::session::{Session, whole};

impl Session {
    pub(super) async fn ask_the_engine(&mut self, name: &str, command: &Document) -> Result<Document, Refusal> {
        let database = command.get_str("$db").unwrap_or("admin").to_owned();
        match name {
            "getMore" => return self.more(&database, command).await,
            "killCursors" => return Ok(self.kill(command)),
            "sleep" => return self.sleep(command).await,
            "createUser" | "updateUser" if command.contains_key("pwd") => {
                return self.write_user(name, command).await;
            }
            _ => {}
        }
        let function = function(name).ok_or_else(|| Refusal::new(59, format!("no such command: '{name}'")))?;
        let mut connection = self.take_connection().await?;
        let outcome = self.call(&mut connection, function, name, &database, command).await;
        match outcome {
            Ok(Called::Answered(answer)) => {
                self.give_back(connection);
                Ok(answer)
            }
            Ok(Called::Page(row)) => self.page(&database, connection, &row),
            Err(refusal) => {
                // What cannot be said again is the connection's end; a refused statement is none.
                if refusal.code != 1 {
                    self.give_back(connection);
                }
                Err(refusal)
            }
        }
    }

    async fn call(
        &self,
        connection: &mut PgConnection,
        function: Function,
        name: &str,
        database: &str,
        command: &Document,
    ) -> Result<Called, Refusal> {
        let collection = command.get_str(name).unwrap_or_default();
        let spec = Argument::Bson(command);
        let answer = match function {
            Function::Pages(statement) => {
                return call(connection, statement, &[Argument::Text(database), spec]).await.map(Called::Page);
            }
            Function::Command(statement) => {
                document(&call(connection, statement, &[Argument::Text(database), spec]).await?, 0)?
            }
            Function::Server(statement) => document(&call(connection, statement, &[spec]).await?, 0)?,
            Function::Collection(statement) => {
                let arguments = [Argument::Text(database), Argument::Text(collection), spec];
                document(&call(connection, statement, &arguments).await?, 0)?
            }
            Function::Drop(statement) => {
                call(connection, statement, &[Argument::Text(database), Argument::Text(collection)]).await?;
                doc! { "ns": format!("{database}.{collection}"), "ok": 1.0 }
            }
            Function::DropDatabase(statement) => {
                call(connection, statement, &[Argument::Text(database)]).await?;
                doc! { "dropped": database, "ok": 1.0 }
            }
        };
        Ok(Called::Answered(told(answer)))
    }

    /// The first page of a cursor, which is kept when there are more.
    fn page(&mut self, database: &str, connection: PgConnection, row: &PgRow) -> Result<Document, Refusal> {
        let answer = document(row, 0)?;
        let continuation: Option<Vec<u8>> = row.try_get(1)?;
        let persistent: Option<bool> = row.try_get(2)?;
        let number: Option<i64> = row.try_get(3)?;
        let (Some(continuation), Some(number)) = (continuation, number.filter(|number| *number != 0)) else {
            self.give_back(connection);
            return Ok(answer);
        };
        let connection = if persistent == Some(true) {
            Some(connection)
        } else {
            self.give_back(connection);
            None
        };
        let user = self.user().to_owned();
        let cursor = Cursor { database: database.to_owned(), user, continuation, connection };
        self.shared.cursors.keep(number, cursor);
        Ok(answer)
    }

    async fn more(&mut self, database: &str, command: &Document) -> Result<Document, Refusal> {
        let number = whole(command.get("getMore")).unwrap_or_default();
        let unknown = || Refusal::new(43, format!("cursor id {number} not found"));
        let mut cursor = self.shared.cursors.take(number, self.user()).ok_or_else(unknown)?;
        if cursor.database != database {
            return Err(unknown());
        }
        let kept = cursor.connection.take();
        let persistent = kept.is_some();
        let mut connection = match kept {
            Some(connection) => connection,
            None => self.take_connection().await?,
        };
        let statement = "SELECT cursorpage::bytea, continuation::bytea FROM documentdb_api.cursor_get_more( \
                         $1, $2::documentdb_core.bson, $3::documentdb_core.bson)";
        let arguments = [Argument::Text(database), Argument::Bson(command), Argument::Raw(&cursor.continuation)];
        let row = call(&mut connection, statement, &arguments).await?;
        let answer = document(&row, 0)?;
        let continuation: Option<Vec<u8>> = row.try_get(1)?;
        if persistent && continuation.is_some() {
            cursor.connection = Some(connection);
        } else if !persistent {
            self.give_back(connection);
        }
        if let Some(continuation) = continuation {
            cursor.continuation = continuation;
            self.shared.cursors.keep(number, cursor);
        }
        Ok(answer)
    }

    fn kill(&self, command: &Document) -> Document {
        let asked = command.get_array("cursors").cloned().unwrap_or_default();
        let killed = |number: &Bson| {
            whole(Some(number)).is_some_and(|number| self.shared.cursors.take(number, self.user()).is_some())
        };
        let (killed, unknown): (Vec<Bson>, Vec<Bson>) = asked.into_iter().partition(killed);
        doc! { "cursorsKilled": killed, "cursorsNotFound": unknown, "cursorsAlive": [], "cursorsUnknown": [], "ok": 1.0 }
    }

    /// The engine refuses passwords with characters that it would have to quote. So it gets one that is not used, and its
    /// PostgreSQL, which has the users, the right one.
    async fn write_user(&mut self, name: &str, command: &Document) -> Result<Document, Refusal> {
        let quoted = |field: &str, mark: &str| {
            let text = command.get_str(field).unwrap_or_default();
            format!("{mark}{}{mark}", text.replace(mark, &mark.repeat(2)))
        };
        let statement = format!("ALTER ROLE {} PASSWORD {}", quoted(name, "\""), quoted("pwd", "'"));
        let mut spec = command.clone();
        spec.insert("pwd", format!("Un-used-{}", uuid::Uuid::new_v4().simple()));
        let mut connection = self.take_connection().await?;
        let function = function(name).ok_or_else(|| Refusal::internal(name))?;
        let mut transaction = connection.begin().await?;
        let Called::Answered(answer) = self.call(&mut transaction, function, name, "admin", &spec).await? else {
            return Err(Refusal::internal("a user is no cursor"));
        };
        if answer.get_f64("ok").unwrap_or(1.0) > 0.0 {
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *transaction).await?;
            transaction.commit().await?;
            self.give_back(connection);
        }
        Ok(answer)
    }

    /// MongoDB's test command: a server that is busy for as long as it is told.
    async fn sleep(&mut self, command: &Document) -> Result<Document, Refusal> {
        let time = Duration::from_millis(whole(command.get("millis")).unwrap_or_default().unsigned_abs());
        let mut connection = self.take_connection().await?;
        call(&mut connection, "SELECT pg_sleep($1)::text", &[Argument::Seconds(time.as_secs_f64())]).await?;
        self.give_back(connection);
        Ok(doc! { "ok": 1.0 })
    }
}

enum Called {
    Answered(Document),
    Page(PgRow),
}

/// The engine's answer as MongoDB words it.
fn told(mut answer: Document) -> Document {
    if let Some(Bson::Boolean(ok)) = answer.get("ok") {
        answer.insert("ok", f64::from(*ok));
    }
    translate_write_errors(&mut answer);
    // The answer about indexes is one of a cluster: what one shard says is what a server says.
    if let Ok(raw) = answer.get_document("raw")
        && let Some(shard) = raw.values().find_map(Bson::as_document)
    {
        return told(shard.clone());
    }
    if let Some(code) = answer.get_i32("code").ok().filter(|_| whole(answer.get("ok")) == Some(0)) {
        let refusal = Refusal::of_packed(code, answer.get_str("errmsg").unwrap_or_default());
        return refusal.answer();
    }
    answer
}
