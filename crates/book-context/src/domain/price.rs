use std::fmt;

use shared_kernel::validation::Fault;

use super::{Amount, Currency};

/// What a book costs: an amount with exactly as many decimals as its currency has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Price {
    minor_units: i64,
    currency: Currency,
}

/// Why an amount is no [`Price`] in its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// Too few or too many decimals.
    #[error("the amount has {actual} decimals, but {currency} has {expected}")]
    Decimals {
        /// The currency.
        currency: Currency,
        /// How many decimals it has.
        expected: u8,
        /// How many decimals were given.
        actual: u8,
    },
    /// A number of minor units that no amount can stand for.
    #[error("the price is {0} minor units, which is negative or too much")]
    OutOfRange(i64),
}

/// Prices in different currencies, where one was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the prices are in different currencies")]
pub struct MixedCurrencies;

impl Fault for PriceError {
    fn code(&self) -> &'static str {
        match self {
            Self::Decimals { .. } => "wrong_decimals",
            Self::OutOfRange(_) => "out_of_range",
        }
    }
}

impl Price {
    /// The most minor units: as many as [`Amount::MAX_DIGITS`] nines.
    pub const MAX_MINOR_UNITS: i64 = 999_999_999_999_999;

    /// A price of an amount that was written down.
    ///
    /// # Errors
    /// [`PriceError::Decimals`]
    pub fn try_new(amount: Amount, currency: Currency) -> Result<Self, PriceError> {
        let (expected, actual) = (currency.decimals(), amount.decimals());
        if expected == actual {
            Ok(Self { minor_units: amount.digits(), currency })
        } else {
            Err(PriceError::Decimals { currency, expected, actual })
        }
    }

    /// A price of so many cents, or what the currency's smallest unit is.
    ///
    /// # Errors
    /// [`PriceError::OutOfRange`]
    pub fn of_minor_units(minor_units: i64, currency: Currency) -> Result<Self, PriceError> {
        if (0..=Self::MAX_MINOR_UNITS).contains(&minor_units) {
            Ok(Self { minor_units, currency })
        } else {
            Err(PriceError::OutOfRange(minor_units))
        }
    }

    /// The average of `count` prices whose minor units sum up to `sum`, rounded half to even.
    ///
    /// # Errors
    /// [`PriceError::OutOfRange`] when there are none, or when no prices can have that sum.
    pub fn average(sum: i128, count: i64, currency: Currency) -> Result<Self, PriceError> {
        let count = i128::from(count);
        if count < 1 {
            return Err(PriceError::OutOfRange(0));
        }
        let (quotient, remainder) = (sum.div_euclid(count), sum.rem_euclid(count));
        let round_up = match (remainder * 2).cmp(&count) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Equal => quotient % 2 != 0,
            std::cmp::Ordering::Greater => true,
        };
        let average = quotient + i128::from(round_up);
        Self::of_minor_units(i64::try_from(average).unwrap_or(i64::MAX), currency)
    }

    /// The amount with the currency's decimals.
    pub const fn amount(self) -> Amount {
        Amount::of_minor_units(self.minor_units, self.currency.decimals())
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// The amount in the currency's smallest unit.
    pub const fn minor_units(self) -> i64 {
        self.minor_units
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount(), self.currency)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).expect("a currency")
    }

    fn amount(text: &str) -> Amount {
        Amount::parse(text).expect("an amount")
    }

    #[test]
    fn an_amount_has_the_decimals_of_its_currency() {
        for (text, code, minor_units) in [("12.50", "EUR", 1250), ("1250", "JPY", 1250), ("1.250", "KWD", 1250)] {
            let price = Price::try_new(amount(text), currency(code)).expect("a price");
            assert_eq!((price.minor_units(), price.to_string()), (minor_units, format!("{text} {code}")));
            assert_eq!(Price::of_minor_units(minor_units, currency(code)), Ok(price));
        }
        for (text, code) in [("12.5", "EUR"), ("12", "EUR"), ("12.500", "EUR"), ("12.50", "JPY")] {
            let error = Price::try_new(amount(text), currency(code)).expect_err("wrong decimals");
            assert_eq!(error.code(), "wrong_decimals");
        }
        let error = Price::try_new(amount("5.00"), currency("JPY")).expect_err("yen have no decimals");
        assert_eq!(error.to_string(), "the amount has 2 decimals, but JPY has 0");
    }

    #[test]
    fn minor_units_have_bounds() {
        for minor_units in [-1, Price::MAX_MINOR_UNITS + 1] {
            let error = Price::of_minor_units(minor_units, currency("EUR")).expect_err("out of range");
            assert_eq!(error.code(), "out_of_range");
        }
    }

    #[test]
    fn averages_are_rounded_half_to_even() {
        for (sum, count, expected) in
            [(5, 2, 2), (7, 2, 4), (10, 4, 2), (11, 4, 3), (9, 4, 2), (10, 3, 3), (11, 3, 4), (0, 9, 0)]
        {
            let average = Price::average(sum, count, currency("EUR")).map(Price::minor_units);
            assert_eq!(average, Ok(expected), "{sum} / {count}");
        }
        assert!(Price::average(1, 0, currency("EUR")).is_err());
        assert!(Price::average(-3, 1, currency("EUR")).is_err());
        assert!(Price::average(i128::MAX, 1, currency("EUR")).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn an_average_lies_among_its_prices(prices in proptest::collection::vec(0..=Price::MAX_MINOR_UNITS, 1..20)) {
            let count = i64::try_from(prices.len()).expect("a few");
            let sum = prices.iter().copied().map(i128::from).sum();
            let average = Price::average(sum, count, currency("EUR")).expect("an average").minor_units();
            prop_assert!(prices.iter().min() <= Some(&average) && Some(&average) <= prices.iter().max());
            let error = (i128::from(average) * i128::from(count) - sum).abs() * 2;
            prop_assert!(error <= i128::from(count));
        }
    }
}
