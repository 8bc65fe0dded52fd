use std::fmt;

use shared_kernel::database::EngineDescription;
use shared_kernel::validation::Violations;

use super::{Definition, Held};

/// The engines that connections can be stored for. Each is told by what connects to it.
pub trait Engines: Send + Sync + fmt::Debug {
    /// Every engine, in the order of their names.
    fn all(&self) -> Vec<EngineDescription>;

    /// The engine of this name.
    fn find(&self, name: &str) -> Option<EngineDescription> {
        self.all().into_iter().find(|engine| engine.engine.as_str() == name)
    }

    /// What the engine itself finds wrong with a definition that has passed [`Definition::faults`], without touching network
    /// or files; pointers lead into the definition.
    fn check(&self, definition: &Definition, held: Held) -> Violations;
}
