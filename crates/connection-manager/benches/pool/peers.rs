//! The other pools, as their users set them up; none of them tests a connection before it hands it out.

use std::convert::Infallible;

use sqlx::Sqlite;
use sqlx::sqlite::SqlitePoolOptions;

use crate::{CONNECTIONS, Checkout, Failure};

/// What makes connections that do nothing.
pub(crate) struct Idle;

impl deadpool::managed::Manager for Idle {
    type Type = ();
    type Error = Infallible;

    async fn create(&self) -> Result<(), Infallible> {
        Ok(())
    }

    async fn recycle(
        &self,
        (): &mut (),
        _: &deadpool::managed::Metrics,
    ) -> deadpool::managed::RecycleResult<Infallible> {
        Ok(())
    }
}

#[derive(Clone)]
pub(crate) struct Deadpool(deadpool::managed::Pool<Idle>);

impl Checkout for Deadpool {
    const NAME: &'static str = "deadpool";
    type Held<'pool> = deadpool::managed::Object<Idle>;

    async fn open() -> Result<Self, Failure> {
        Ok(Self(deadpool::managed::Pool::builder(Idle).max_size(CONNECTIONS as usize).build()?))
    }

    async fn checkout(&self) -> Result<Self::Held<'_>, Failure> {
        Ok(self.0.get().await?)
    }
}

impl bb8::ManageConnection for Idle {
    type Connection = ();
    type Error = Infallible;

    async fn connect(&self) -> Result<(), Infallible> {
        Ok(())
    }

    async fn is_valid(&self, (): &mut ()) -> Result<(), Infallible> {
        Ok(())
    }

    fn has_broken(&self, (): &mut ()) -> bool {
        false
    }
}

#[derive(Clone)]
pub(crate) struct Bb8(bb8::Pool<Idle>);

impl Checkout for Bb8 {
    const NAME: &'static str = "bb8";
    type Held<'pool> = bb8::PooledConnection<'pool, Idle>;

    async fn open() -> Result<Self, Failure> {
        Ok(Self(bb8::Pool::builder().max_size(CONNECTIONS).test_on_check_out(false).build(Idle).await?))
    }

    async fn checkout(&self) -> Result<Self::Held<'_>, Failure> {
        Ok(self.0.get().await?)
    }
}

/// `fast_pool` wants errors that are made of a text.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Refusal(String);

impl From<&str> for Refusal {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fast_pool::Manager for Idle {
    type Connection = ();
    type Error = Refusal;

    async fn connect(&self) -> Result<(), Refusal> {
        Ok(())
    }

    async fn check(&self, (): &mut ()) -> Result<(), Refusal> {
        Ok(())
    }
}

#[derive(Clone)]
pub(crate) struct FastPool(fast_pool::Pool<Idle>);

impl Checkout for FastPool {
    const NAME: &'static str = "fast_pool";
    type Held<'pool> = fast_pool::ConnectionGuard<Idle>;

    async fn open() -> Result<Self, Failure> {
        let pool = fast_pool::Pool::new(Idle);
        pool.set_max_open(CONNECTIONS.into());
        pool.set_max_idle_conns(CONNECTIONS.into());
        Ok(Self(pool))
    }

    async fn checkout(&self) -> Result<Self::Held<'_>, Failure> {
        Ok(self.0.get().await?)
    }
}

#[derive(Clone)]
pub(crate) struct Sqlx(sqlx::Pool<Sqlite>);

impl Checkout for Sqlx {
    const NAME: &'static str = "sqlx";
    type Held<'pool> = sqlx::pool::PoolConnection<Sqlite>;

    async fn open() -> Result<Self, Failure> {
        let options = SqlitePoolOptions::new().max_connections(CONNECTIONS).test_before_acquire(false);
        Ok(Self(options.connect("sqlite::memory:").await?))
    }

    async fn checkout(&self) -> Result<Self::Held<'_>, Failure> {
        Ok(self.0.acquire().await?)
    }
}
