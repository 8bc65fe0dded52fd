//! What items are made of, without their values.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use shared_kernel::database::{Bounded, Bounds, Ending, Shape};

type Attributes = HashMap<String, AttributeValue>;

/// The shapes of items that lie within the bounds; `is_all` says whether the service had no more of them.
pub(super) fn shapes(items: &[Attributes], is_all: bool, bounds: Bounds) -> Bounded<Shape> {
    let most = usize::try_from(bounds.documents).unwrap_or(usize::MAX);
    let mut found = Vec::with_capacity(items.len().min(most));
    let mut left = bounds.bytes;
    for attributes in items.iter().take(most) {
        let Some(rest) = left.checked_sub(bytes_of_map(attributes)) else {
            return Bounded { items: found, ending: Ending::Bytes };
        };
        left = rest;
        found.push(item(attributes));
    }
    let ending = match (is_all, items.len()) {
        (true, count) if count <= most => Ending::All,
        // The service ends an answer at one megabyte.
        (false, count) if count < most => Ending::Bytes,
        _ => Ending::Documents,
    };
    Bounded { items: found, ending }
}

fn item(attributes: &Attributes) -> Shape {
    let mut fields: Vec<(String, Shape)> =
        attributes.iter().map(|(name, value)| (name.clone(), shape(value))).collect();
    fields.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    Shape::Object("M", fields)
}

/// The words are those of the service. It lets nobody nest deeper than 32 levels, and the SDK reads no more than 64.
fn shape(value: &AttributeValue) -> Shape {
    match value {
        AttributeValue::B(_) => Shape::Scalar("B"),
        AttributeValue::Bool(_) => Shape::Scalar("BOOL"),
        AttributeValue::Bs(_) => Shape::Scalar("BS"),
        AttributeValue::L(items) => Shape::Array("L", items.iter().map(shape).collect()),
        AttributeValue::M(attributes) => item(attributes),
        AttributeValue::N(_) => Shape::Scalar("N"),
        AttributeValue::Ns(_) => Shape::Scalar("NS"),
        AttributeValue::Null(_) => Shape::Scalar("NULL"),
        AttributeValue::S(_) => Shape::Scalar("S"),
        AttributeValue::Ss(_) => Shape::Scalar("SS"),
        _ => Shape::Scalar("unknown"),
    }
}

/// About how many bytes an item has, as the service counts them.
fn bytes_of_map(attributes: &Attributes) -> u64 {
    attributes.iter().map(|(name, value)| length(name.len()) + bytes(value)).sum()
}

fn bytes(value: &AttributeValue) -> u64 {
    match value {
        AttributeValue::B(blob) => length(blob.as_ref().len()),
        AttributeValue::Bs(blobs) => blobs.iter().map(|blob| length(blob.as_ref().len())).sum(),
        AttributeValue::L(items) => 3 + items.iter().map(|item| 1 + bytes(item)).sum::<u64>(),
        AttributeValue::M(attributes) => 3 + bytes_of_map(attributes),
        AttributeValue::N(text) | AttributeValue::S(text) => length(text.len()),
        AttributeValue::Ns(texts) | AttributeValue::Ss(texts) => texts.iter().map(|text| length(text.len())).sum(),
        _ => 1,
    }
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(count: usize) -> Vec<Attributes> {
        let text = || AttributeValue::S("twelve bytes".to_owned());
        vec![HashMap::from([("text".to_owned(), text()), ("list".to_owned(), AttributeValue::L(vec![text()]))]); count]
    }

    #[test]
    fn a_list_ends_where_it_was_wanted_to() {
        // Four and twelve bytes, and four, three, one and twelve.
        let each = 36;
        for (count, is_all, bounds, kept, ending) in [
            (3, true, Bounds::documents(3), 3, Ending::All),
            (3, false, Bounds::documents(3), 3, Ending::Documents),
            (3, false, Bounds::documents(5), 3, Ending::Bytes),
            (3, true, Bounds::documents(2), 2, Ending::Documents),
            (3, true, Bounds::documents(3).within(3 * each), 3, Ending::All),
            (3, true, Bounds::documents(3).within(3 * each - 1), 2, Ending::Bytes),
            (0, true, Bounds::documents(3), 0, Ending::All),
        ] {
            let found = shapes(&items(count), is_all, bounds);
            assert_eq!((found.items.len(), found.ending), (kept, ending), "{count} {is_all} {bounds:?}");
        }
    }

    #[test]
    fn no_value_comes_along() {
        let one = HashMap::from([
            ("b".to_owned(), AttributeValue::Ss(vec!["hush".to_owned()])),
            ("a".to_owned(), AttributeValue::M(HashMap::from([("n".to_owned(), AttributeValue::N("7".to_owned()))]))),
            ("c".to_owned(), AttributeValue::L(vec![AttributeValue::Null(true), AttributeValue::Bool(true)])),
        ]);
        let inner = Shape::Object("M", vec![("n".to_owned(), Shape::Scalar("N"))]);
        let list = Shape::Array("L", vec![Shape::Scalar("NULL"), Shape::Scalar("BOOL")]);
        let fields = vec![("a".to_owned(), inner), ("b".to_owned(), Shape::Scalar("SS")), ("c".to_owned(), list)];
        assert_eq!(shapes(&[one], true, Bounds::documents(1)).items, [Shape::Object("M", fields)]);
    }
}
