use std::fmt;

use chrono::{Datelike, NaiveDate};
use shared_kernel::validation::Fault;

/// The day a book came out, in the Gregorian calendar, from 1000-01-01 to 9999-12-31: what every engine's DATE holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicationDate(NaiveDate);

/// Why a text or a day is no [`PublicationDate`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublicationDateError {
    /// Not a day written as `YYYY-MM-DD` (RFC 3339, `full-date`).
    #[error("the date is not a day of the calendar in the form YYYY-MM-DD")]
    Malformed,
    /// Before the year 1000 or after the year 9999.
    #[error("the date is not in the years 1000 to 9999")]
    OutOfRange,
}

impl Fault for PublicationDateError {
    fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "malformed_date",
            Self::OutOfRange => "out_of_range",
        }
    }
}

impl PublicationDate {
    /// Reads a day written as `YYYY-MM-DD`.
    ///
    /// # Errors
    /// [`PublicationDateError`]
    pub fn parse(text: &str) -> Result<Self, PublicationDateError> {
        // chrono would also read `+2020-1-1`; the form is fixed here.
        let shaped = text.len() == 10
            && text.bytes().enumerate().all(|(index, byte)| match index {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        if !shaped {
            return Err(PublicationDateError::Malformed);
        }
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| PublicationDateError::Malformed)?;
        Self::try_new(day)
    }

    /// A day.
    ///
    /// # Errors
    /// [`PublicationDateError::OutOfRange`]
    pub fn try_new(day: NaiveDate) -> Result<Self, PublicationDateError> {
        if (1000..=9999).contains(&day.year()) { Ok(Self(day)) } else { Err(PublicationDateError::OutOfRange) }
    }

    /// The day.
    pub const fn date(self) -> NaiveDate {
        self.0
    }
}

impl fmt::Display for PublicationDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.format("%Y-%m-%d").fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_in_one_form() {
        for text in ["1000-01-01", "1869-05-01", "2024-02-29", "9999-12-31"] {
            let date = PublicationDate::parse(text).expect("a day");
            assert_eq!(date.to_string(), text);
            assert_eq!(PublicationDate::try_new(date.date()), Ok(date));
        }
        for text in [
            "",
            "2023-02-29",
            "2023-1-01",
            "+2023-01-1",
            "20230101xx",
            "2023/01/01",
            "2023-01-01T00:00:00Z",
            "２０２３-0",
        ] {
            assert_eq!(PublicationDate::parse(text), Err(PublicationDateError::Malformed), "{text}");
        }
    }

    #[test]
    fn days_that_an_engine_cannot_store_are_refused() {
        let error = PublicationDate::parse("0999-12-31").expect_err("too early");
        assert_eq!((error, error.code()), (PublicationDateError::OutOfRange, "out_of_range"));
        assert_eq!(PublicationDate::try_new(NaiveDate::MAX), Err(PublicationDateError::OutOfRange));
        assert_eq!(PublicationDateError::Malformed.code(), "malformed_date");
    }
}
