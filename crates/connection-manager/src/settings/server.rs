/// What the connections to one server have to share.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServerSettings {
    /// The most connections that all instances of the service together may have to the server; `None`: no limit. Leave
    /// some of what the server allows to its operators.
    pub connections: Option<u32>,
    /// How many instances of the service share them, each an equal part; 0 counts as 1.
    pub instances: u32,
}

impl ServerSettings {
    /// A limit for the one instance that there is.
    pub fn limited(connections: u32) -> Self {
        Self { connections: Some(connections), instances: 1 }
    }

    /// The same for one of several instances.
    #[must_use]
    pub fn with_instances(mut self, instances: u32) -> Self {
        self.instances = instances;
        self
    }

    /// This instance's part: never so much that all of them together exceed the limit, unless there are more instances
    /// than connections; one connection is the least to work with.
    pub fn limit(&self) -> Option<u32> {
        self.connections.map(|connections| (connections / self.instances.max(1)).max(1))
    }
}
