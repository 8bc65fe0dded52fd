//! connection-manager
