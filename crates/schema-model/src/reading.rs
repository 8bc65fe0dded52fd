use serde::{Deserialize, Serialize};

/// What was read, or why it could not be: an inspection answers what it can and marks the rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum Reading<T> {
    /// It was read.
    Known(T),
    /// It is there, and could not be read.
    Unknown {
        /// Why.
        unavailable: Unavailable,
    },
}

/// Why something could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Unavailable {
    /// Somebody holds, or waits for, a lock that the engine would have waited behind.
    Locked,
    /// The login may not see it.
    Forbidden,
    /// It is longer than was asked for.
    TooLong,
    /// The engine cannot read it itself, as a view whose table is gone.
    Broken,
    /// A limit was reached before: the inspection's, of time or of number, or the server's, of how often it may be asked.
    OverLimit,
    /// An earlier version of what looks has looked, which did not ask for it: it may be there or not.
    NotAsked,
}

impl<T> Reading<T> {
    /// What could not be read, and why.
    pub fn unavailable(reason: Unavailable) -> Self {
        Self::Unknown { unavailable: reason }
    }

    /// What was read.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown { .. } => None,
        }
    }

    /// Why nothing was read.
    pub fn reason(&self) -> Option<Unavailable> {
        match self {
            Self::Known(_) => None,
            Self::Unknown { unavailable } => Some(*unavailable),
        }
    }
}

impl<T> From<T> for Reading<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_looks_like_a_reason_stays_a_text() {
        for reading in [
            Reading::Known("now()".to_owned()),
            Reading::Known(r#"{"unavailable":"locked"}"#.to_owned()),
            Reading::unavailable(Unavailable::Locked),
        ] {
            let json = serde_json::to_string(&reading).expect("JSON");
            assert_eq!(serde_json::from_str::<Reading<String>>(&json).expect("a reading"), reading);
        }
        let locked = serde_json::to_string(&Reading::<String>::unavailable(Unavailable::Locked)).expect("JSON");
        assert_eq!(locked, r#"{"unavailable":"locked"}"#);
    }
}
