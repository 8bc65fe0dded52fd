use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use super::{SecretCopy, SecretKey};

/// A level of the cache that several processes share. It is a help and never a need: what goes wrong in it is counted and
/// logged there, and reads as an empty level. Every call is bounded in time.
#[async_trait]
pub trait SharedLevel: Send + Sync + fmt::Debug {
    /// The copy it holds, expired or not. What is damaged or made with an unknown key is not there.
    async fn read(&self, key: &SecretKey) -> Option<SecretCopy>;

    /// Keeps a copy until its end and for as long after that as it may be of use.
    async fn write(&self, key: &SecretKey, copy: &SecretCopy);

    /// Forgets a copy. Returns whether the level answered.
    async fn remove(&self, key: &SecretKey) -> bool;

    /// Asks for the right to be the one who asks the store.
    async fn lease(&self, key: &SecretKey) -> Lease;

    /// Gives the right back. One that has passed to somebody else by now stays with them.
    async fn release(&self, key: &SecretKey, token: &str);

    /// Leaves a mark for `life` by which the other processes notice that they are to forget their copies of a secret.
    /// Returns whether they will; a level that leaves this out has no way to tell them.
    async fn recall(&self, _id: &str, _mark: &str, _life: Duration) -> bool {
        false
    }

    /// The mark that was left last.
    async fn recalled(&self, _id: &str) -> Option<String> {
        None
    }
}

/// Who may ask the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lease {
    /// The caller, with the token to give it back by.
    Granted(String),
    /// Another process, whose answer will soon be in the level.
    Held,
    /// Everybody: the level does not answer.
    Away,
}
