//! What a stored connection is, and the ports through which it is kept, sealed, checked and accounted for.

mod audit;
mod connection;
mod definition;
mod display_name;
mod engines;
mod labels;
mod list;
mod login;
mod notes;
mod options;
mod place;
mod probe;
mod repository;
mod schema;
mod sealer;
mod secrets;
mod snapshot;
mod snapshots;
mod tls;
mod verbatim;

pub use audit::{AuditAction, AuditEntry, AuditFilter, AuditList, AuditLog, AuditRecord, AuditRetention};
pub use connection::{ConnectionId, ConnectionRecord, SecretsChange, StoredConnection};
pub use definition::{Definition, Held};
pub use display_name::{DisplayName, DisplayNameError};
pub use engines::Engines;
pub use labels::{LabelFilter, LabelKey, LabelKeyError, LabelValue, LabelValueError, Labels, TooManyLabels};
pub use list::{ConnectionFilter, ConnectionList, ConnectionSort};
pub use login::{SecretName, SecretNameError, Username, UsernameError};
pub use notes::{Notes, NotesError};
pub use options::{OptionValue, OptionValueError, Options};
pub use place::{DatabaseName, DatabaseNameError, FilePath, FilePathError, Host, HostError, Port, PortError};
pub use probe::{
    ConnectionHealth, HealthRepository, ProbeFacts, ProbeFault, ProbeReport, ProbeStage, Prober, StageResult,
};
pub use repository::{AddConnectionError, ConnectionRepository, Resealable, SecretsWrite, UpdateConnectionError};
pub use schema::{PartName, PartNameError, SchemaError, SchemaLook, SchemaReader};
pub use sealer::{Sealer, SealerError};
pub use secrets::{Given, GivenSecrets, SealedSecrets, SecretError, Secrets};
pub use snapshot::{
    Document, DocumentTooLarge, Snapshot, SnapshotId, SnapshotLabel, SnapshotLabelError, SnapshotRecord,
};
pub use snapshots::{AddSnapshotError, EarlierSnapshotError, SnapshotList, SnapshotRepository};
pub use tls::{Certificates, CertificatesError, Tls, TlsMode, UnknownTlsMode};
