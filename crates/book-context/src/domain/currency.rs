use std::fmt;

use shared_kernel::validation::Fault;

/// A currency of ISO 4217 in which a price can be told.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency {
    code: iso_currency::Currency,
    decimals: u8,
}

/// Why a text is no [`Currency`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CurrencyError {
    /// No code of ISO 4217.
    #[error("the currency is no three-letter code of ISO 4217, such as `EUR`")]
    Unknown,
    /// A code without a minor unit: metals, bond units, testing, no currency.
    #[error("the code stands for no currency that a price can be told in")]
    NoMoney,
}

impl Fault for CurrencyError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown_currency",
            Self::NoMoney => "not_money",
        }
    }
}

impl Currency {
    /// Reads a code in any letter case.
    ///
    /// # Errors
    /// [`CurrencyError`]
    pub fn parse(text: &str) -> Result<Self, CurrencyError> {
        let code =
            iso_currency::Currency::from_code(&text.trim().to_ascii_uppercase()).ok_or(CurrencyError::Unknown)?;
        let decimals = code.exponent().and_then(|exponent| u8::try_from(exponent).ok());
        decimals.map(|decimals| Self { code, decimals }).ok_or(CurrencyError::NoMoney)
    }

    /// The three letters.
    pub fn code(self) -> &'static str {
        self.code.code()
    }

    /// How many decimals an amount has: the exponent of the minor unit.
    pub const fn decimals(self) -> u8 {
        self.decimals
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl PartialOrd for Currency {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Currency {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.code().cmp(other.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn currencies_know_their_decimals() {
        for (text, code, decimals) in [("EUR", "EUR", 2), (" jpy ", "JPY", 0), ("Kwd", "KWD", 3), ("CLF", "CLF", 4)] {
            let currency = Currency::parse(text).expect("a currency");
            assert_eq!((currency.code(), currency.decimals()), (code, decimals));
            assert_eq!((currency.to_string(), format!("{currency:?}")), (code.to_owned(), code.to_owned()));
        }
    }

    #[test]
    fn what_is_no_money_is_refused() {
        for text in ["", "EURO", "E", "ABC", "€"] {
            assert_eq!(Currency::parse(text).map_err(|error| error.code()), Err("unknown_currency"), "{text}");
        }
        for text in ["XAU", "XXX", "XTS"] {
            assert_eq!(Currency::parse(text).map_err(|error| error.code()), Err("not_money"), "{text}");
        }
    }

    #[test]
    fn currencies_stand_in_the_order_of_their_codes() {
        let [aud, eur] = ["AUD", "EUR"].map(|code| Currency::parse(code).expect("a currency"));
        assert!(aud < eur && aud.partial_cmp(&aud) == Some(std::cmp::Ordering::Equal));
    }
}
