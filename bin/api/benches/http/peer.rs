//! The peer: bare actix-web handlers over sqlx's own pool that send the statements which the service sends, on the same
//! database. No validation, no versions, no problem details, no traces: what a service of this shape costs at least.

use actix_web::http::header::ContentType;
use actix_web::{App, HttpResponse, HttpServer, web};
use serde::{Deserialize, Serialize};
use sqlx::mysql::{MySqlConnectOptions, MySqlPoolOptions, MySqlRow, MySqlSslMode};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous};
use sqlx::types::chrono::{DateTime, NaiveDate, Utc};
use sqlx::{MySqlPool, Row, SqlitePool};
use uuid::Uuid;

/// The books' columns, in the order in which [`Book`] reads them.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, title, authors, isbn, published_on, pages, language, price_minor, currency, description, ",
            "version, created_at, updated_at FROM books ",
            $rest
        )
    };
}

const BY_ID: &str = select!("WHERE id = ?");
const LIST: &str = select!("ORDER BY created_at ASC, id ASC LIMIT 51");
const SEARCH: &str =
    select!("WHERE search_key LIKE ? ESCAPE '!' AND language = ? ORDER BY created_at ASC, id ASC LIMIT 51");
const INSERT: &str = "INSERT INTO books (id, title, title_sort, authors, search_key, isbn, version, created_at, \
                      updated_at) VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?)";
const INSERT_AUTHOR: &str = "INSERT INTO book_authors (book_id, position, name_key) VALUES (?, ?, ?)";

#[derive(Clone)]
enum Database {
    Sqlite(SqlitePool),
    MySql(MySqlPool),
}

#[derive(Serialize)]
struct Book {
    id: Uuid,
    title: String,
    authors: serde_json::Value,
    isbn: String,
    published_on: Option<NaiveDate>,
    pages: Option<i32>,
    language: Option<String>,
    price_minor: Option<i64>,
    currency: Option<String>,
    description: Option<String>,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

macro_rules! from_row {
    ($name:ident, $row:ty) => {
        fn $name(row: &$row) -> sqlx::Result<Book> {
            Ok(Book {
                id: row.try_get(0)?,
                title: row.try_get(1)?,
                authors: serde_json::from_str(row.try_get(2)?).map_err(|error| sqlx::Error::Decode(error.into()))?,
                isbn: row.try_get(3)?,
                published_on: row.try_get(4)?,
                pages: row.try_get(5)?,
                language: row.try_get(6)?,
                price_minor: row.try_get(7)?,
                currency: row.try_get(8)?,
                description: row.try_get(9)?,
                version: row.try_get(10)?,
                created_at: row.try_get(11)?,
                updated_at: row.try_get(12)?,
            })
        }
    };
}

from_row!(from_sqlite, SqliteRow);
from_row!(from_mysql, MySqlRow);

#[derive(Deserialize)]
struct NewBook {
    title: String,
    authors: Vec<String>,
    isbn: String,
}

#[derive(Deserialize)]
struct Search {
    q: Option<String>,
    language: Option<String>,
}

/// Serves until the process is killed. Prints the address, as the service does.
///
/// # Errors
/// When the database or the address cannot be had.
pub(crate) fn serve(engine: &str, database: &str, connections: u32) -> anyhow::Result<()> {
    let (engine, database) = (engine.to_owned(), database.to_owned());
    actix_web::rt::System::new().block_on(async move {
        let database = open(&engine, &database, connections).await?;
        let server = HttpServer::new(move || {
            App::new()
                .app_data(web::Data::new(database.clone()))
                .route("/api/v1/books", web::get().to(list))
                .route("/api/v1/books", web::post().to(create))
                .route("/api/v1/books/{id}", web::get().to(read))
        })
        .bind("127.0.0.1:0")?;
        for address in server.addrs() {
            println!("listening on http://{address}");
        }
        server.run().await?;
        Ok(())
    })
}

async fn open(engine: &str, database: &str, connections: u32) -> anyhow::Result<Database> {
    if engine == "sqlite" {
        let options = SqliteConnectOptions::new()
            .filename(database)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true);
        let pool = SqlitePoolOptions::new().max_connections(connections).test_before_acquire(false);
        return Ok(Database::Sqlite(pool.connect_with(options).await?));
    }
    let pool = MySqlPoolOptions::new().max_connections(connections).test_before_acquire(false);
    let options = database.parse::<MySqlConnectOptions>()?.ssl_mode(MySqlSslMode::Disabled);
    Ok(Database::MySql(pool.connect_with(options).await?))
}

async fn read(database: web::Data<Database>, id: web::Path<Uuid>) -> HttpResponse {
    let id = id.into_inner();
    let book = match database.get_ref() {
        Database::Sqlite(pool) => match sqlx::query(BY_ID).bind(id).fetch_one(pool).await {
            Ok(row) => from_sqlite(&row),
            Err(error) => Err(error),
        },
        Database::MySql(pool) => match sqlx::query(BY_ID).bind(id).fetch_one(pool).await {
            Ok(row) => from_mysql(&row),
            Err(error) => Err(error),
        },
    };
    answer(book)
}

async fn list(database: web::Data<Database>, search: web::Query<Search>) -> HttpResponse {
    let filter = search.q.as_ref().zip(search.language.as_ref()).map(|(q, language)| (format!("%{q}%"), language));
    let books = match database.get_ref() {
        Database::Sqlite(pool) => match &filter {
            Some((pattern, language)) => sqlx::query(SEARCH).bind(pattern).bind(language).fetch_all(pool).await,
            None => sqlx::query(LIST).fetch_all(pool).await,
        }
        .and_then(|rows| rows.iter().map(from_sqlite).collect::<sqlx::Result<Vec<Book>>>()),
        Database::MySql(pool) => match &filter {
            Some((pattern, language)) => sqlx::query(SEARCH).bind(pattern).bind(language).fetch_all(pool).await,
            None => sqlx::query(LIST).fetch_all(pool).await,
        }
        .and_then(|rows| rows.iter().map(from_mysql).collect::<sqlx::Result<Vec<Book>>>()),
    };
    answer(books)
}

async fn create(database: web::Data<Database>, book: web::Json<NewBook>) -> HttpResponse {
    #[expect(clippy::disallowed_methods, reason = "the peer has no kernel")]
    let (id, now) = (Uuid::now_v7(), Utc::now());
    let authors = serde_json::Value::from(book.authors.clone()).to_string();
    let title_key = book.title.to_lowercase();
    let search_key = format!("{title_key}\n{}\n{}", book.authors.join("\n").to_lowercase(), book.isbn);
    macro_rules! insert {
        ($pool:expr) => {
            async {
                let mut transaction = $pool.begin().await?;
                sqlx::query(INSERT)
                    .bind(id)
                    .bind(&book.title)
                    .bind(&title_key)
                    .bind(&authors)
                    .bind(&search_key)
                    .bind(&book.isbn)
                    .bind(now)
                    .bind(now)
                    .execute(&mut *transaction)
                    .await?;
                for (position, author) in (0_i32..).zip(&book.authors) {
                    let key = author.to_lowercase();
                    sqlx::query(INSERT_AUTHOR).bind(id).bind(position).bind(key).execute(&mut *transaction).await?;
                }
                transaction.commit().await
            }
        };
    }
    let outcome: sqlx::Result<()> = match database.get_ref() {
        Database::Sqlite(pool) => insert!(pool).await,
        Database::MySql(pool) => insert!(pool).await,
    };
    match outcome {
        Ok(()) => HttpResponse::Created().json(serde_json::json!({ "id": id, "title": book.title })),
        Err(error) => failure(&error),
    }
}

fn answer(outcome: sqlx::Result<impl Serialize>) -> HttpResponse {
    match outcome {
        Ok(value) => HttpResponse::Ok().json(value),
        Err(error) => failure(&error),
    }
}

fn failure(error: &sqlx::Error) -> HttpResponse {
    HttpResponse::InternalServerError().content_type(ContentType::plaintext()).body(error.to_string())
}
