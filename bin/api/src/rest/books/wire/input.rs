use book_context::domain::{
    Amount, AuthorName, Authors, AuthorsError, BookChanges, BookDetails, Change, Currency, Description, Isbn, Language,
    PageCount, Price, PriceChange, PublicationDate, Title,
};
use serde_json::Value;
use shared_kernel::validation;

use crate::rest::json::{Faults, Object, pointer, text, whole_number};
use crate::rest::problem::{Fault, Problem};
use crate::rest::read_only::ReadOnly;

const SERVICE_FIELDS: &[&str] = &["id", "version", "created_at", "updated_at"];

/// What a caller may set when a book is added or replaced.
#[derive(Debug, Clone)]
pub(crate) struct BookInput {
    pub(crate) details: BookDetails,
    pub(crate) read_only: ReadOnly,
}

/// What a patch names.
#[derive(Debug, Clone)]
pub(crate) struct BookChange {
    pub(crate) changes: BookChanges,
    pub(crate) read_only: ReadOnly,
}

impl BookInput {
    /// Reads the body of a creation.
    pub(crate) fn create(body: &Value) -> Result<Self, Problem> {
        Self::read(body, &[])
    }

    /// Reads the body of a replacement.
    pub(crate) fn replace(body: &Value) -> Result<Self, Problem> {
        Self::read(body, SERVICE_FIELDS)
    }

    fn read(body: &Value, read_only: &[&'static str]) -> Result<Self, Problem> {
        let mut faults = Faults::default();
        let mut object = Object::new(body, "", &mut faults);
        let title =
            object.required("title", &mut faults).and_then(|value| parse(value, "/title", Title::parse, &mut faults));
        let authors = object.required("authors", &mut faults).and_then(|value| authors(value, &mut faults));
        let isbn =
            object.required("isbn", &mut faults).and_then(|value| parse(value, "/isbn", Isbn::parse, &mut faults));
        let published_on = object
            .optional("published_on")
            .and_then(|value| parse(value, "/published_on", PublicationDate::parse, &mut faults));
        let pages = object.optional("pages").and_then(|value| pages(value, &mut faults));
        let language =
            object.optional("language").and_then(|value| parse(value, "/language", Language::parse, &mut faults));
        let price = object.optional("price").and_then(|value| price(value, &mut faults));
        let description = object
            .optional("description")
            .and_then(|value| parse(value, "/description", Description::parse, &mut faults));
        let read_only = ReadOnly::take(&mut object, read_only);
        object.finish(&mut faults);
        faults.check()?;
        // Without a fault every required value is there.
        let (Some(title), Some(authors), Some(isbn)) = (title, authors, isbn) else { return Err(Problem::internal()) };
        let details = BookDetails { title, authors, isbn, published_on, pages, language, price, description };
        Ok(Self { details, read_only })
    }
}

impl BookChange {
    /// Reads a merge patch.
    pub(crate) fn read(body: &Value) -> Result<Self, Problem> {
        let mut faults = Faults::default();
        let mut object = Object::new(body, "", &mut faults);
        let changes = BookChanges {
            title: given(&mut object, "title", &mut faults)
                .and_then(|value| parse(value, "/title", Title::parse, &mut faults)),
            authors: given(&mut object, "authors", &mut faults).and_then(|value| authors(value, &mut faults)),
            isbn: given(&mut object, "isbn", &mut faults)
                .and_then(|value| parse(value, "/isbn", Isbn::parse, &mut faults)),
            published_on: change(object.raw("published_on"), |value| {
                parse(value, "/published_on", PublicationDate::parse, &mut faults)
            }),
            pages: change(object.raw("pages"), |value| pages(value, &mut faults)),
            language: change(object.raw("language"), |value| parse(value, "/language", Language::parse, &mut faults)),
            price: change(object.raw("price"), |value| Some(price_change(value, &mut faults))),
            description: change(object.raw("description"), |value| {
                parse(value, "/description", Description::parse, &mut faults)
            }),
        };
        let read_only = ReadOnly::take(&mut object, SERVICE_FIELDS);
        object.finish(&mut faults);
        faults.check()?;
        Ok(Self { changes, read_only })
    }
}

/// What becomes of a value that may be absent: left out keeps it, null clears it.
fn change<T>(value: Option<&Value>, read: impl FnOnce(&Value) -> Option<T>) -> Change<T> {
    match value {
        None => Change::Keep,
        Some(Value::Null) => Change::Clear,
        // A value that cannot be read has left a fault, so nothing will be kept on the strength of this.
        Some(value) => read(value).map_or(Change::Keep, Change::Set),
    }
}

/// The new value of something that a patch may replace and may not remove.
fn given<'a>(object: &mut Object<'a>, key: &'static str, faults: &mut Faults) -> Option<&'a Value> {
    let value = object.raw(key)?;
    if value.is_null() {
        faults.push(object.pointer_to(key), "required", format!("`{key}` cannot be removed"));
        return None;
    }
    Some(value)
}

fn parse<T, E: validation::Fault>(
    value: &Value,
    pointer: &str,
    parse: impl FnOnce(&str) -> Result<T, E>,
    faults: &mut Faults,
) -> Option<T> {
    let text = text(value, pointer, faults)?;
    faults.keep(parse(text), |error| Fault::of(pointer, &error))
}

fn authors(value: &Value, faults: &mut Faults) -> Option<Authors> {
    let Some(items) = value.as_array() else {
        faults.push("/authors", "wrong_type", "a list of names is expected here");
        return None;
    };
    if items.len() > Authors::MAX {
        // Nobody is helped by the faults of names in a list that is refused whatever they are.
        return faults.keep(Err(AuthorsError::TooMany(items.len())), |error| Fault::of("/authors", &error));
    }
    let names: Vec<Option<AuthorName>> = items
        .iter()
        .enumerate()
        .map(|(index, item)| parse(item, &pointer("/authors", &index.to_string()), AuthorName::parse, faults))
        .collect();
    let names = names.into_iter().collect::<Option<Vec<_>>>()?;
    faults.keep(Authors::try_new(names), |error| Fault::of("/authors", &error))
}

fn pages(value: &Value, faults: &mut Faults) -> Option<PageCount> {
    let number = whole_number(value, "/pages", faults)?;
    faults.keep(PageCount::try_new(number), |error| Fault::of("/pages", &error))
}

fn price(value: &Value, faults: &mut Faults) -> Option<Price> {
    let mut object = Object::new(value, "/price", faults);
    let amount = object.required("amount", faults).and_then(|value| amount(value, faults));
    let currency =
        object.required("currency", faults).and_then(|value| parse(value, "/price/currency", Currency::parse, faults));
    object.finish(faults);
    faults.keep(Price::try_new(amount?, currency?), |error| Fault::of("/price/amount", &error))
}

/// Whoever sends a number is told that it is a text.
fn amount(value: &Value, faults: &mut Faults) -> Option<Amount> {
    if !value.is_string() {
        faults.push("/price/amount", "wrong_type", "a string is expected here, such as \"12.50\"");
        return None;
    }
    parse(value, "/price/amount", Amount::parse, faults)
}

fn price_change(value: &Value, faults: &mut Faults) -> PriceChange {
    let mut object = Object::new(value, "/price", faults);
    let given_amount = given(&mut object, "amount", faults);
    let currency = given(&mut object, "currency", faults);
    object.finish(faults);
    PriceChange {
        amount: given_amount.and_then(|value| amount(value, faults)),
        currency: currency.and_then(|value| parse(value, "/price/currency", Currency::parse, faults)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn codes(outcome: Result<impl Sized, Problem>) -> Vec<String> {
        let faults = outcome.err().map(|problem| problem.faults().to_vec()).unwrap_or_default();
        faults.into_iter().map(|fault| format!("{} {}", fault.pointer.unwrap_or_default(), fault.code)).collect()
    }

    #[test]
    fn every_fault_of_a_new_book_is_named() {
        let body = json!({
            "title": 1,
            "authors": ["Leo Tolstoy", "", 2],
            "isbn": "978-0-14-044793-5",
            "published_on": "1869-02-30",
            "pages": 1.5,
            "language": "english language",
            "price": {"amount": 12.5, "currency": "XXX", "tax": 1},
        });
        assert_eq!(
            codes(BookInput::create(&body)),
            [
                "/title wrong_type",
                "/authors/1 empty",
                "/authors/2 wrong_type",
                "/isbn wrong_check_digit",
                "/published_on malformed_date",
                "/pages wrong_type",
                "/language malformed_language",
                "/price/amount wrong_type",
                "/price/currency not_money",
                "/price/tax unknown_field",
            ]
        );
        assert_eq!(codes(BookInput::create(&json!({}))), ["/title required", "/authors required", "/isbn required"]);
    }

    #[test]
    fn a_list_of_too_many_authors_is_one_fault() {
        let body = json!({"title": "T", "authors": vec![""; 349_000], "isbn": "0140447938"});
        assert_eq!(codes(BookInput::create(&body)), ["/authors too_long"]);
        assert_eq!(codes(BookChange::read(&json!({"authors": vec!["A"; 21]}))), ["/authors too_long"]);
    }

    #[test]
    fn decimals_have_to_fit_the_currency() {
        let with_price = |amount: &str, currency: &str| {
            let price = json!({"amount": amount, "currency": currency});
            let body = json!({"title": "T", "authors": ["A"], "isbn": "0140447938", "price": price});
            codes(BookInput::create(&body))
        };
        assert!(with_price("12.50", "EUR").is_empty());
        assert!(with_price("1200", "JPY").is_empty());
        assert_eq!(with_price("12.5", "EUR"), ["/price/amount wrong_decimals"]);
        let number = BookInput::create(&json!({"price": {"amount": 12.5, "currency": "EUR"}})).expect_err("a number");
        let told = number.faults().iter().find(|fault| fault.pointer.as_deref() == Some("/price/amount"));
        assert_eq!(told.map(|fault| fault.message.as_str()), Some("a string is expected here, such as \"12.50\""));
        assert_eq!(with_price("12.00", "JPY"), ["/price/amount wrong_decimals"]);
    }

    #[test]
    fn a_patch_keeps_clears_and_sets() {
        let patch = json!({"pages": null, "language": "de", "price": {"amount": "1.00"}, "title": "T"});
        let changes = BookChange::read(&patch).expect("well formed").changes;
        assert_eq!(changes.pages, Change::Clear);
        assert!(matches!(changes.language, Change::Set(_)));
        assert_eq!(changes.description, Change::Keep);
        assert!(matches!(changes.price, Change::Set(PriceChange { amount: Some(_), currency: None })));
        assert_eq!(
            codes(BookChange::read(&json!({"title": null, "price": {"currency": null}}))),
            ["/title required", "/price/currency required"]
        );
    }
}
