//! A database that is small and hard.

use connection_manager::mongodb::driver_crate::bson::oid::ObjectId;
use connection_manager::mongodb::driver_crate::bson::{Bson, DateTime, Document, doc};
use testkit::mongodb::run;

use super::Sample;

/// Stands in every text of every document: nobody may see it.
pub(super) const VALUE: &str = "hush-hush";

/// A name with everything that a name may have.
pub(super) const ODD: &str = "o.d\"d '--;\n名 😀";

pub(super) async fn fill(sample: &Sample) {
    let send = async |command: Document| {
        let answer = run(&*sample.connection, &sample.name, command).await.expect("it is done");
        assert!(!answer.contains_key("writeErrors"), "{answer}");
    };
    send(doc! {
        "create": "goods",
        "validator": { "$jsonSchema": {
            "bsonType": "object",
            "required": ["_id", "title"],
            "properties": {
                "title": { "bsonType": "string", "description": "what it is called" },
                "price": { "bsonType": ["double", "int", "null", "string"] },
            },
        } },
        "validationLevel": "moderate",
    })
    .await;
    send(doc! { "create": "rules", "validator": { "amount": { "$gte": 0 } }, "validationAction": "warn" }).await;
    send(doc! { "create": "empty" }).await;
    let pipeline = [doc! { "$match": { "price": { "$lt": 10 } } }, doc! { "$project": { "title": 1 } }];
    send(doc! { "create": "cheap", "viewOn": "goods", "pipeline": pipeline.to_vec() }).await;
    send(doc! { "insert": "goods", "documents": goods() }).await;
    send(doc! { "insert": ODD, "documents": [{ "_id": 1, "a.b": VALUE, "Ü \"名\" 😀": VALUE, "": VALUE }] }).await;
    send(doc! { "insert": "many", "documents": (0..300).map(|number| doc! { "_id": number, "number": number }).collect::<Vec<_>>() })
        .await;
    send(doc! { "createIndexes": "goods", "indexes": indexes() }).await;
}

fn indexes() -> Vec<Document> {
    vec![
        doc! { "name": "by title", "key": { "title": 1, "maker.name": -1 } },
        doc! { "name": "code", "key": { "code": 1 }, "unique": true, "sparse": true },
        doc! { "name": "forgotten", "key": { "seen": 1 }, "expireAfterSeconds": 1_000_000_000 },
        doc! { "name": "dear", "key": { "price": 1 }, "partialFilterExpression": { "price": { "$gt": 100 } } },
        doc! { "name": "words", "key": { "title": "text", "notes": "text" }, "weights": { "title": 10 } },
        doc! { "name": "places", "key": { "place": "2dsphere" } },
        doc! { "name": "hashed", "key": { "maker.name": "hashed" } },
        doc! { "name": "attributes", "key": { "attributes.$**": 1 } },
        doc! { "name": ODD, "key": { "Ü.名": 1 } },
    ]
}

/// 16 documents, of which all are picked.
fn goods() -> Vec<Document> {
    (0..16).map(good).collect()
}

fn good(number: i32) -> Document {
    let text = |what: &str| format!("{VALUE} {what} {number}");
    let mut good = doc! { "_id": ObjectId::new(), "title": text("title") };
    // Of several types, null, or missing.
    match number {
        0..6 => good.insert("price", Bson::Double(f64::from(number) + 0.5)),
        6..9 => good.insert("price", number),
        9..11 => good.insert("price", Bson::Null),
        11 => good.insert("price", text("price")),
        _ => None,
    };
    // Objects, and something else in one place.
    match number {
        0..10 => {
            let mut maker =
                doc! { "name": text("maker"), "address": { "town": text("town"), "map": { "square": { "deep": 1 } } } };
            if number < 3 {
                maker.insert("since", 1900 + number);
            }
            good.insert("maker", maker)
        }
        10 => good.insert("maker", text("maker")),
        _ => None,
    };
    if number % 2 == 0 {
        good.insert("tags", vec![Bson::from(text("tag")), Bson::Null, Bson::from(number)]);
        good.insert("lines", vec![doc! { "count": number, "note": text("line") }, doc! { "count": 2.5 }]);
    }
    if number == 1 {
        good.insert("tags", Vec::<Bson>::new());
        good.insert("grid", vec![Bson::Array(vec![Bson::from(1), Bson::Array(vec![Bson::from(2)])])]);
    }
    // Keys that are values: days, numbers, identifiers, and people.
    let day = format!("2024-01-{:02}", number + 1);
    good.insert("sold", doc! { &day: { "pieces": number, "to": text("customer") }, "total": 1 });
    good.insert("stock", doc! { format!("{}", number * 1000): number, ObjectId::new().to_hex(): 1 });
    good.insert(
        "ratings",
        (0..3).map(|rating| (format!("{VALUE}-user-{number}-{rating}"), Bson::from(rating))).collect::<Document>(),
    );
    if number < 4 {
        good.insert("code", format!("{VALUE}-{number}"));
        good.insert("seen", DateTime::from_millis(1_700_000_000_000));
        good.insert("place", doc! { "type": "Point", "coordinates": [13.4, 52.5] });
    }
    good
}
