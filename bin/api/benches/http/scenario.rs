//! What is asked of the servers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context;

use crate::load::RequestMaker;

/// Numbers of the books created so far, by all rounds against both servers: an ISBN may exist once.
static CREATED: AtomicU64 = AtomicU64::new(0);

/// One kind of load.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scenario {
    /// One book by its id.
    PointRead,
    /// The first page of all books.
    List,
    /// The first page of a search with two filters.
    FilteredSearch,
    /// A new book.
    Create,
    /// Nine point reads to one new book.
    Mix,
}

impl Scenario {
    /// Every scenario, reads before writes.
    pub(crate) const ALL: [Self; 5] = [Self::PointRead, Self::List, Self::FilteredSearch, Self::Create, Self::Mix];

    /// The name in the table.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::PointRead => "point read",
            Self::List => "list of 50",
            Self::FilteredSearch => "filtered search",
            Self::Create => "create",
            Self::Mix => "90/10 mix",
        }
    }

    /// What makes this scenario's requests.
    pub(crate) fn requests(self, ids: &Arc<[String]>) -> RequestMaker {
        let ids = Arc::clone(ids);
        match self {
            Self::PointRead => Arc::new(move |n| point_read(&ids, n)),
            Self::List => Arc::new(|_| get("/api/v1/books")),
            Self::FilteredSearch => Arc::new(|_| get("/api/v1/books?q=the&language=en")),
            Self::Create => Arc::new(|_| create()),
            Self::Mix => Arc::new(move |n| if n % 10 == 9 { create() } else { point_read(&ids, n) }),
        }
    }
}

/// A thousand ids out of the first pages.
pub(crate) async fn some_ids(address: SocketAddr) -> anyhow::Result<Arc<[String]>> {
    let client = reqwest::Client::new();
    let mut ids = Vec::new();
    let mut cursor = String::new();
    while ids.len() < 1000 {
        let page: serde_json::Value =
            client.get(format!("http://{address}/api/v1/books?limit=200{cursor}")).send().await?.json().await?;
        let items = page["items"].as_array().context("the list has no items")?;
        ids.extend(items.iter().filter_map(|item| item["id"].as_str()).map(str::to_owned));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    anyhow::ensure!(!ids.is_empty(), "there are no books");
    Ok(ids.into())
}

fn point_read(ids: &[String], n: u64) -> Vec<u8> {
    // A step that shares no factor with the number of ids visits all of them out of order.
    let index = usize::try_from(n).unwrap_or_default().wrapping_mul(7919) % ids.len();
    get(&format!("/api/v1/books/{}", ids[index]))
}

fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n").into_bytes()
}

fn create() -> Vec<u8> {
    let number = CREATED.fetch_add(1, Ordering::Relaxed);
    let body = format!(
        r#"{{"title":"The measure of book {number}","authors":["Ada Example","Bo Sample"],"isbn":"{}"}}"#,
        isbn(number)
    );
    format!(
        "POST /api/v1/books HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A valid ISBN-13 of the group 979-8, which the seed does not use.
fn isbn(number: u64) -> String {
    let digits = format!("9798{number:08}");
    let sum: u32 =
        digits.chars().filter_map(|digit| digit.to_digit(10)).zip([1, 3].into_iter().cycle()).map(|(d, w)| d * w).sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}
