//! Identifiers that the application makes itself, so that a row's id is known before the row is written.

use std::fmt;

use uuid::Uuid;

/// Where new identifiers come from.
pub trait IdGenerator: Send + Sync + fmt::Debug {
    /// A new UUID version 7 (RFC 9562, section 5.7): ids made later sort later.
    fn next(&self) -> Uuid;
}

/// UUIDs of version 7 from the operating system's clock and random source.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemIdGenerator;

impl IdGenerator for SystemIdGenerator {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that makes ids")]
    fn next(&self) -> Uuid {
        Uuid::now_v7()
    }
}

/// Declares a typed identifier over a UUID, so that a user's id is never taken for a book's.
///
/// ```
/// shared_kernel::typed_id! {
///     /// Identifies a shelf.
///     pub struct ShelfId;
/// }
/// let id: ShelfId = "0190163d-8694-739b-aea5-966c26f8ad91".parse()?;
/// assert_eq!(id.to_string(), "0190163d-8694-739b-aea5-966c26f8ad91");
/// # Ok::<(), uuid::Error>(())
/// ```
#[macro_export]
macro_rules! typed_id {
    ($(#[$attribute:meta])* $visibility:vis struct $name:ident;) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        $visibility struct $name($crate::id::reexport::Uuid);

        impl $name {
            /// Takes a UUID for an identifier of this type.
            $visibility const fn new(uuid: $crate::id::reexport::Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID behind the identifier.
            $visibility const fn uuid(self) -> $crate::id::reexport::Uuid {
                self.0
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(&self.0, f)
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::id::reexport::Error;

            fn from_str(text: &str) -> ::std::result::Result<Self, Self::Err> {
                $crate::id::reexport::Uuid::try_parse(text).map(Self)
            }
        }
    };
}

#[doc(hidden)]
pub mod reexport {
    pub use uuid::{Error, Uuid};
}
