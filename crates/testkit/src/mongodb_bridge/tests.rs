//! The bridge and the engine behind it, asked by MongoDB's own driver.

mod on_engines {
    mod mongodb {
        use std::time::Duration;

        use ::mongodb::bson::{Document, doc};
        use ::mongodb::error::{Error, ErrorKind, WriteFailure};
        use ::mongodb::options::{ClientOptions, Credential, Tls, TlsOptions};
        use ::mongodb::{Client, Database};
        use futures_util::TryStreamExt;
        use uuid::Uuid;

        use crate::server::environment;

        async fn options() -> ClientOptions {
            let url = environment("BINDERY_TEST_MONGODB_URL").expect("run it through `cargo xtask test`");
            let mut options = ClientOptions::parse(url).await.unwrap();
            options.server_selection_timeout = Some(Duration::from_secs(10));
            options
        }

        /// A database that no other test uses.
        async fn database() -> Database {
            let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
            Client::with_options(options().await).unwrap().database(&format!("bridge_{}", Uuid::new_v4().simple()))
        }

        fn code(error: &Error) -> Option<i32> {
            match &*error.kind {
                ErrorKind::Command(error) => Some(error.code),
                ErrorKind::Write(WriteFailure::WriteError(error)) => Some(error.code),
                _ => None,
            }
        }

        #[tokio::test]
        async fn a_cursor_goes_on_from_page_to_page_on_any_connection() {
            let database = database().await;
            let numbers = database.collection::<Document>("numbers");
            numbers.insert_many((0..250).map(|number| doc! { "_id": number, "even": number % 2 == 0 })).await.unwrap();
            let all: Vec<Document> = numbers
                .find(doc! {})
                .sort(doc! { "_id": -1 })
                .batch_size(20)
                .await
                .unwrap()
                .try_collect()
                .await
                .unwrap();
            let expected: Vec<i32> = (0..250).rev().collect();
            assert_eq!(all.iter().map(|number| number.get_i32("_id").unwrap()).collect::<Vec<_>>(), expected);
            // A sample and groups keep their cursor on a connection of the engine.
            let sample = [doc! { "$sample": { "size": 100 } }];
            let sample: Vec<Document> =
                numbers.aggregate(sample).batch_size(7).await.unwrap().try_collect().await.unwrap();
            assert_eq!(sample.len(), 100);
            let groups = [doc! { "$group": { "_id": "$even", "n": { "$sum": 1 } } }];
            let groups: Vec<Document> = numbers.aggregate(groups).await.unwrap().try_collect().await.unwrap();
            assert!(groups.iter().all(|group| group.get_i32("n").unwrap() == 125), "{groups:?}");
            // One that nobody goes on with is killed by the driver when it is dropped.
            let mut cursor = numbers.find(doc! {}).batch_size(2).await.unwrap();
            assert!(cursor.advance().await.unwrap());
            drop(cursor);
            assert_eq!(numbers.count_documents(doc! { "even": true }).await.unwrap(), 125);
            database.drop().await.unwrap();
        }

        #[tokio::test]
        async fn writes_find_what_they_name_and_say_what_they_did() {
            let database = database().await;
            let books = database.collection::<Document>("books");
            books.insert_one(doc! { "_id": 1, "title": "Emma" }).await.unwrap();
            let twice = books.insert_one(doc! { "_id": 1 }).await.unwrap_err();
            assert_eq!(code(&twice), Some(11000), "{twice}");
            let changed = books.update_one(doc! { "_id": 1 }, doc! { "$set": { "pages": 400 } }).await.unwrap();
            assert_eq!((changed.matched_count, changed.modified_count), (1, 1));
            let found = books.find_one(doc! { "pages": { "$gt": 300 } }).await.unwrap().expect("found");
            assert_eq!(found, doc! { "_id": 1, "title": "Emma", "pages": 400 });
            assert_eq!(books.delete_many(doc! {}).await.unwrap().deleted_count, 1);
            database.drop().await.unwrap();
        }

        #[tokio::test]
        async fn indexes_validators_and_views_are_told_as_they_were_declared() {
            let database = database().await;
            let rule = doc! { "$jsonSchema": { "required": ["title"] } };
            database.create_collection("books").validator(rule.clone()).await.unwrap();
            let books = database.collection::<Document>("books");
            let refused = books.insert_one(doc! { "pages": 1 }).await.unwrap_err();
            assert_eq!(code(&refused), Some(121), "{refused}");
            let index = ::mongodb::IndexModel::builder()
                .keys(doc! { "title": 1 })
                .options(::mongodb::options::IndexOptions::builder().unique(true).name("by_title".to_owned()).build())
                .build();
            books.create_index(index).await.unwrap();
            assert_eq!(books.list_index_names().await.unwrap(), ["_id_", "by_title"]);
            database.run_command(doc! { "collMod": "books", "validationLevel": "moderate" }).await.unwrap();
            let pipeline = [doc! { "$match": { "pages": 1 } }];
            database.create_collection("thin").view_on("books".to_owned()).pipeline(pipeline).await.unwrap();
            let mut told: Vec<_> = database.list_collections().await.unwrap().try_collect().await.unwrap();
            told.sort_by(|left, right| left.name.cmp(&right.name));
            assert_eq!(told.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["books", "thin"]);
            assert_eq!(told[0].options.validator, Some(rule));
            assert_eq!(told[1].options.view_on.as_deref(), Some("books"));
            books.drop_index("by_title").await.unwrap();
            assert_eq!(books.list_index_names().await.unwrap(), ["_id_"]);
            books.drop().await.unwrap();
            let names = database.client().list_database_names().await.unwrap();
            assert!(names.iter().any(|name| name == database.name()), "{names:?}");
            database.drop().await.unwrap();
        }

        #[tokio::test]
        async fn a_refusal_carries_mongodb_s_number() {
            let database = database().await;
            let books = database.collection::<Document>("books");
            books.insert_one(doc! { "_id": 1 }).await.unwrap();
            let error = books.find(doc! { "$nonsense": 1 }).await.unwrap_err();
            assert_eq!(code(&error), Some(2), "{error}");
            let error = books.aggregate([doc! { "$nonsense": {} }]).await.unwrap_err();
            assert_eq!(code(&error), Some(40324), "{error}");
            let error = database.run_command(doc! { "nonsense": 1 }).await.unwrap_err();
            assert_eq!(code(&error), Some(59), "{error}");
            let error = database.run_command(doc! { "getMore": 4711_i64, "collection": "books" }).await.unwrap_err();
            assert_eq!(code(&error), Some(43), "{error}");
            database.drop().await.unwrap();
        }

        #[tokio::test]
        async fn users_log_in_with_their_own_password_and_have_their_own_rights() {
            let database = database().await;
            let admin = database.client().database("admin");
            database.collection::<Document>("books").insert_one(doc! { "_id": 1 }).await.unwrap();
            let name = format!("reader_{}", Uuid::new_v4().simple());
            let role = doc! { "role": "readAnyDatabase", "db": "admin" };
            let password = "p@ss/w:rd%?#\"'\\ \u{e9}\u{20ac}";
            admin.run_command(doc! { "createUser": &name, "pwd": password, "roles": [role] }).await.unwrap();
            let as_reader = |password: &str| {
                let (name, password) = (name.clone(), password.to_owned());
                async move {
                    let mut options = options().await;
                    options.credential = Some(Credential::builder().username(name).password(password).build());
                    Client::with_options(options).unwrap()
                }
            };
            let client = as_reader(password).await;
            let books = client.database(database.name()).collection::<Document>("books");
            assert_eq!(books.count_documents(doc! {}).await.unwrap(), 1);
            let error = books.insert_one(doc! { "_id": 2 }).await.unwrap_err();
            assert_eq!(code(&error), Some(13), "{error}");
            admin.run_command(doc! { "updateUser": &name, "pwd": "another" }).await.unwrap();
            let error = as_reader(password).await.list_database_names().await.unwrap_err();
            assert!(matches!(*error.kind, ErrorKind::Authentication { .. }), "{error}");
            assert!(as_reader("another").await.list_database_names().await.is_ok());
            let error = admin.run_command(doc! { "createUser": &name, "pwd": "x", "roles": [] }).await.unwrap_err();
            assert!(code(&error).is_some(), "{error}");
            assert!(as_reader("another").await.list_database_names().await.is_ok(), "nothing has changed");
            admin.run_command(doc! { "dropUser": &name }).await.unwrap();
            assert!(as_reader("another").await.list_database_names().await.is_err());
            database.drop().await.unwrap();
        }

        #[tokio::test]
        async fn without_a_login_nothing_is_told() {
            database().await;
            let mut options = options().await;
            options.credential = None;
            let error = Client::with_options(options).unwrap().list_database_names().await.unwrap_err();
            assert_eq!(code(&error), Some(13), "{error}");
        }

        #[tokio::test]
        async fn tls_is_spoken_on_the_same_port() {
            let database = database().await;
            let mut options = options().await;
            let authority = environment("BINDERY_TEST_CA").expect("run it through `cargo xtask test`");
            options.tls =
                Some(Tls::Enabled(TlsOptions::builder().ca_file_path(std::path::PathBuf::from(authority)).build()));
            let client = Client::with_options(options.clone()).unwrap();
            client.database(database.name()).run_command(doc! { "ping": 1 }).await.unwrap();
            options.tls = Some(Tls::Enabled(TlsOptions::default()));
            options.server_selection_timeout = Some(Duration::from_secs(1));
            let stranger = Client::with_options(options).unwrap();
            assert!(stranger.database("admin").run_command(doc! { "ping": 1 }).await.is_err(), "nobody vouches for it");
        }
    }
}
