#![doc = include_str!("../README.md")]

pub mod application;
pub mod domain;
pub mod infrastructure;
