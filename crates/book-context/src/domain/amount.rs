use std::fmt;

use shared_kernel::validation::Fault;

/// An amount of money as it is written, before a currency says how many decimals it must have: digits, and perhaps a
/// point and more digits. Never a float.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Amount {
    /// The digits without the point.
    digits: i64,
    decimals: u8,
}

/// Why a text is no [`Amount`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not digits with at most one point between them. There is no sign, no exponent and no thousands separator.
    #[error("the amount is no decimal number such as `12.50`")]
    Malformed,
    /// Below zero.
    #[error("the amount is negative; it is 0 or more")]
    Negative,
    /// More digits than an amount may have.
    #[error("the amount has more than {max} digits", max = Amount::MAX_DIGITS)]
    TooLong,
}

impl Fault for AmountError {
    fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "malformed_amount",
            Self::Negative => "negative",
            Self::TooLong => "too_long",
        }
    }
}

impl Amount {
    /// The most digits, before and behind the point together: sums over many books stay far from any integer's end.
    pub const MAX_DIGITS: usize = 15;

    /// Reads an amount such as `12.50`, `0` or `1999`.
    ///
    /// # Errors
    /// [`AmountError`]
    pub fn parse(text: &str) -> Result<Self, AmountError> {
        let (whole, fraction) = match text.split_once('.') {
            Some((_, "")) => return Err(AmountError::Malformed),
            Some((whole, fraction)) => (whole, fraction),
            None => (text, ""),
        };
        let digits_only = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if let Some(unsigned) = whole.strip_prefix('-') {
            let negative = !unsigned.is_empty() && digits_only(unsigned) && digits_only(fraction);
            return Err(if negative { AmountError::Negative } else { AmountError::Malformed });
        }
        let padded = whole.len() > 1 && whole.starts_with('0');
        if whole.is_empty() || padded || !digits_only(whole) || !digits_only(fraction) {
            return Err(AmountError::Malformed);
        }
        if whole.len() + fraction.len() > Self::MAX_DIGITS {
            return Err(AmountError::TooLong);
        }
        let digits = whole.bytes().chain(fraction.bytes()).fold(0, |sum, byte| sum * 10 + i64::from(byte - b'0'));
        let decimals = u8::try_from(fraction.len()).map_err(|_| AmountError::TooLong)?;
        Ok(Self { digits, decimals })
    }

    /// The amount of so many minor units.
    pub(super) const fn of_minor_units(digits: i64, decimals: u8) -> Self {
        Self { digits, decimals }
    }

    /// The digits without the point.
    pub(super) const fn digits(self) -> i64 {
        self.digits
    }

    /// How many digits stand behind the point.
    pub const fn decimals(self) -> u8 {
        self.decimals
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.decimals == 0 {
            return self.digits.fmt(f);
        }
        // No amount has as many decimals as would overflow here: all its digits fit.
        let unit = 10_i64.checked_pow(self.decimals.into()).unwrap_or(i64::MAX);
        let (whole, fraction) = (self.digits / unit, self.digits % unit);
        write!(f, "{whole}.{fraction:0>width$}", width = self.decimals.into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_keep_their_decimals() {
        for (text, digits, decimals) in [
            ("0", 0, 0),
            ("0.00", 0, 2),
            ("12.50", 1250, 2),
            ("0.005", 5, 3),
            ("999999999999999", 999_999_999_999_999, 0),
        ] {
            let amount = Amount::parse(text).expect("an amount");
            assert_eq!((amount.digits(), amount.decimals(), amount.to_string().as_str()), (digits, decimals, text));
        }
    }

    #[test]
    fn what_is_no_amount_is_refused_with_a_reason() {
        for text in [
            "", ".", "1.", ".5", "+1", "1e3", "1,000", "007", "00", "1.2.3", " 1", "٣", "NaN", "-", "-x", "--1", "1.-5",
        ] {
            assert_eq!(Amount::parse(text).map_err(|error| error.code()), Err("malformed_amount"), "{text}");
        }
        for text in ["-1", "-0.50"] {
            assert_eq!(Amount::parse(text).map_err(|error| error.code()), Err("negative"), "{text}");
        }
        assert_eq!(Amount::parse("10000000000000.00").map_err(|error| error.code()), Err("too_long"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn an_amount_reads_back_as_itself(text in "(0|[1-9][0-9]{0,8})(\\.[0-9]{1,6})?") {
            prop_assert_eq!(Amount::parse(&text).expect("an amount").to_string(), text);
        }

        #[test]
        fn nothing_makes_the_parser_panic(text in "[-+.0-9eE ]{0,20}") {
            let _ = Amount::parse(&text);
        }
    }
}
