//! SeaORM's entities on a lease of the pool, beside the kernel's statements on the same connection.
//!
//! `cargo run -p connection-manager --features sea-orm --example seaorm_entities -- sqlite::memory:`, or the URL of a
//! MySQL, MariaDB or PostgreSQL database, in which it makes the table `seaorm_shelf` and drops it again.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

mod shelves;

use std::error::Error;
use std::time::Duration;

use connection_manager::{ConnectionFactory, ConnectionManager, ConnectionSettings};
use shared_kernel::RequestContext;
use shared_kernel::database::{Access, Connections};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "sqlite::memory:".to_owned());
    let settings = ConnectionSettings::from_url(&url)?;
    let manager = ConnectionManager::builder(ConnectionFactory::compiled()).connection("shelves", settings).build()?;
    let connection = manager.get("shelves", Access::Write, &RequestContext::system()).await?;
    let (shelves, counted) = shelves::arrange(connection.as_ref()).await?;
    for shelf in shelves {
        println!("{} has {} places", shelf.name, shelf.places);
    }
    println!("{counted} shelves");
    manager.close(Duration::from_secs(1)).await;
    Ok(())
}
