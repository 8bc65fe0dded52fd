//! The process's one crypto provider.

/// Makes aws-lc-rs the process's provider unless one was chosen before. Costs nothing when repeated.
pub fn install_provider() {
    // An error says that there is a provider already, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}
