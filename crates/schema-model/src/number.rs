use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A whole number of up to 38 digits, as sequences of every engine count. In JSON it is a text: readers that keep numbers as
/// IEEE 754 doubles would change it from 2⁵³ on (RFC 8259, section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, pattern = "^-?[0-9]{1,39}$"))]
pub struct WholeNumber(pub i128);

impl<N: Into<i128>> From<N> for WholeNumber {
    fn from(number: N) -> Self {
        Self(number.into())
    }
}

impl FromStr for WholeNumber {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl fmt::Display for WholeNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for WholeNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for WholeNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| de::Error::invalid_value(de::Unexpected::Str(&text), &"a whole number"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_numbers_come_back_as_they_were() {
        for number in [0, i128::from(i64::MIN), i128::from(u64::MAX), i128::MAX] {
            let json = serde_json::to_string(&WholeNumber(number)).expect("JSON");
            assert_eq!(json, format!("\"{number}\""));
            assert_eq!(serde_json::from_str::<WholeNumber>(&json).expect("a number"), WholeNumber(number));
        }
        for wrong in ["\"1.5\"", "\"\"", "7", "\"a\""] {
            assert!(serde_json::from_str::<WholeNumber>(wrong).is_err(), "{wrong}");
        }
    }
}
