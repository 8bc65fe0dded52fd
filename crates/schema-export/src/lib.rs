#![doc = include_str!("../README.md")]

mod dbml;
mod diagram;
mod dot;
mod exporter;
mod json;
mod markdown;
mod mermaid;
mod plantuml;
mod sql;
mod svg;
mod text;

pub use dbml::DbmlExporter;
pub use dot::DotExporter;
pub use exporter::{Export, ExportError, Exporter, Exporters, Omission};
pub use json::JsonExporter;
pub use markdown::MarkdownExporter;
pub use mermaid::MermaidExporter;
pub use plantuml::PlantUmlExporter;
pub use sql::{SqlExporter, SqlOptions};
pub use svg::SvgExporter;
