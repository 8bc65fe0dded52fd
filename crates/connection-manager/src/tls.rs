//! The process's one TLS stack.

#[cfg(any(feature = "mongodb", feature = "redis"))]
pub(crate) mod client;

/// Makes aws-lc-rs the process's provider unless one was chosen before. Costs nothing when repeated.
pub fn install_provider() {
    // An error says that there is a provider already, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// Whether TLS is what went wrong: rustls reports a refused certificate as input and output gone wrong.
#[cfg(any(feature = "mongodb", feature = "mysql", feature = "postgres", feature = "redis", feature = "sqlite"))]
pub(crate) fn is_at_fault(cause: &std::io::Error) -> bool {
    cause.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>)
}
