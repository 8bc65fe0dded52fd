use std::fmt;

use shared_kernel::validation::Fault;

/// An International Standard Book Number (ISO 2108), kept as its thirteen digits.
///
/// An ISBN-10 is the ISBN-13 with the prefix 978 and another check digit, so the two are the same number here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Isbn([u8; 13]);

/// Why a text is no [`Isbn`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IsbnError {
    /// Something other than digits, hyphens and blanks, and an `X` at the end of an ISBN-10.
    #[error("the ISBN holds a character that is no digit, hyphen or blank")]
    Character,
    /// Neither ten nor thirteen digits.
    #[error("the ISBN has neither 10 nor 13 digits")]
    Length,
    /// Thirteen digits of another numbering: only 978 and 979 are for books, and 979-0 is for printed music.
    #[error("the number begins neither with 978 nor with 979-1 to 979-9, so it is no ISBN")]
    Prefix,
    /// The last digit does not fit the others: a digit is wrong, or two are swapped.
    #[error("the ISBN's check digit does not fit, so one of its digits is wrong")]
    CheckDigit,
}

impl Fault for IsbnError {
    fn code(&self) -> &'static str {
        match self {
            Self::Character => "invalid_character",
            Self::Length => "wrong_length",
            Self::Prefix => "not_an_isbn",
            Self::CheckDigit => "wrong_check_digit",
        }
    }
}

impl Isbn {
    /// Reads an ISBN-10 or ISBN-13, with hyphens or blanks wherever they stand.
    ///
    /// # Errors
    /// [`IsbnError`]
    pub fn parse(text: &str) -> Result<Self, IsbnError> {
        let mut places = [0; 14];
        let mut count = 0;
        for character in text.trim().chars() {
            let digit = match character {
                '-' | ' ' => continue,
                // Ten stands for itself only at the end of an ISBN-10, which is the tenth place.
                'X' | 'x' if count == 9 => 10,
                '0'..='9' => character as u8 - b'0',
                _ => return Err(IsbnError::Character),
            };
            // One digit more than fits shows that the number is too long; the rest does not matter.
            if let Some(place) = places.get_mut(count) {
                *place = digit;
                count += 1;
            }
        }
        let digits = &places[..count];
        if let Ok(ten) = <[u8; 10]>::try_from(digits) {
            Self::from_ten(ten)
        } else if digits.contains(&10) {
            Err(IsbnError::Character)
        } else if let Ok(thirteen) = <[u8; 13]>::try_from(digits) {
            Self::from_thirteen(thirteen)
        } else {
            Err(IsbnError::Length)
        }
    }

    fn from_ten(digits: [u8; 10]) -> Result<Self, IsbnError> {
        let sum: u32 = digits.iter().zip((1..=10).rev()).map(|(digit, weight)| u32::from(*digit) * weight).sum();
        if !sum.is_multiple_of(11) {
            return Err(IsbnError::CheckDigit);
        }
        let mut thirteen = [9, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        thirteen[3..12].copy_from_slice(&digits[..9]);
        thirteen[12] = check_digit(&thirteen);
        Ok(Self(thirteen))
    }

    fn from_thirteen(digits: [u8; 13]) -> Result<Self, IsbnError> {
        match digits {
            [9, 7, 8, ..] | [9, 7, 9, 1..=9, ..] if check_digit(&digits) == digits[12] => Ok(Self(digits)),
            [9, 7, 8, ..] | [9, 7, 9, 1..=9, ..] => Err(IsbnError::CheckDigit),
            _ => Err(IsbnError::Prefix),
        }
    }
}

impl fmt::Display for Isbn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.map(|digit| b'0' + digit);
        f.write_str(std::str::from_utf8(&digits).map_err(|_| fmt::Error)?)
    }
}

/// The thirteenth digit over the first twelve: with weights 1 and 3 in turn, the sum is a multiple of ten.
fn check_digit(digits: &[u8; 13]) -> u8 {
    let sum: u8 =
        digits[..12].iter().enumerate().map(|(index, digit)| if index % 2 == 0 { *digit } else { digit * 3 }).sum();
    (10 - sum % 10) % 10
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, IsbnError>) {
        assert_eq!(Isbn::parse(text).map(|isbn| isbn.to_string()), expected.map(str::to_owned), "{text}");
    }

    #[test]
    fn both_lengths_and_any_hyphens_are_one_number() {
        for text in ["978-3-16-148410-0", "9783161484100", " 978 3 16 148410 0 ", "3-16-148410-X", "316148410x"] {
            check(text, Ok("9783161484100"));
        }
        check("979-10-90636-07-1", Ok("9791090636071"));
        check("0-306-40615-2", Ok("9780306406157"));
    }

    #[test]
    fn what_is_no_isbn_is_refused_with_a_reason() {
        check("", Err(IsbnError::Length));
        check("978316148410", Err(IsbnError::Length));
        check(&"9".repeat(400), Err(IsbnError::Length));
        check("978-3-16-148410-1", Err(IsbnError::CheckDigit));
        check("3-16-148410-0", Err(IsbnError::CheckDigit));
        check("X16-148410-3", Err(IsbnError::Character));
        check("978316148X100", Err(IsbnError::Character));
        check("97831614X4100", Err(IsbnError::Character));
        check("97831614841٠٠", Err(IsbnError::Character));
        check("4006381333931", Err(IsbnError::Prefix));
        check("979-0-2600-0043-8", Err(IsbnError::Prefix));
    }

    #[test]
    fn every_reason_has_a_code_of_its_own() {
        let errors = [IsbnError::Character, IsbnError::Length, IsbnError::Prefix, IsbnError::CheckDigit];
        let codes: std::collections::BTreeSet<_> = errors.iter().map(Fault::code).collect();
        assert_eq!(codes.len(), errors.len());
    }

    prop_compose! {
        fn isbn()(group in 0..1_000_000_000_u64, prefix in prop_oneof![Just(978_u64), Just(979)]) -> Option<Isbn> {
            let twelve = format!("{:012}0", prefix * 1_000_000_000 + group);
            let mut digits: [u8; 13] = twelve.bytes().map(|byte| byte - b'0').collect::<Vec<_>>().try_into().expect("13");
            digits[12] = check_digit(&digits);
            Isbn::from_thirteen(digits).ok()
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn an_isbn_reads_back_as_itself(isbn in isbn()) {
            if let Some(isbn) = isbn {
                prop_assert_eq!(Isbn::parse(&isbn.to_string()), Ok(isbn));
            }
        }

        #[test]
        fn one_wrong_digit_is_always_noticed(isbn in isbn(), place in 3..13_usize, shift in 1..10_u8) {
            if let Some(Isbn(mut digits)) = isbn {
                digits[place] = (digits[place] + shift) % 10;
                let text: String = digits.iter().map(ToString::to_string).collect();
                prop_assert!(Isbn::parse(&text).is_err());
            }
        }

        #[test]
        fn nothing_makes_the_parser_panic(text in any::<String>()) {
            let _ = Isbn::parse(&text);
        }
    }
}
