use std::fmt;

use sea_query::{ArrayType, Value, ValueType};
use sql_dialect::Dialect;

use super::{DatabaseError, DatabaseErrorKind};

/// What a connector hands out for each row: the driver's own row behind a narrow door.
pub trait RowSource: Send + Sync {
    /// How many columns the row has.
    fn len(&self) -> usize;

    /// Whether the row has no column.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name of the column at `index`, from 0.
    fn column_name(&self, index: usize) -> Option<&str>;

    /// The first column of this name; letter case counts.
    fn column_index(&self, name: &str) -> Option<usize> {
        (0..self.len()).find(|index| self.column_name(*index) == Some(name))
    }

    /// Decodes the column at `index` as `wanted`, whatever type it is stored in, as long as nothing is lost.
    ///
    /// NULL comes back as the empty value of that type.
    ///
    /// # Errors
    /// [`DatabaseErrorKind::Decode`] when the stored value is not one of the wanted type.
    fn decode(&self, index: usize, wanted: &ArrayType) -> Result<Value, DatabaseError>;
}

/// One row of an answer.
pub struct Row(Box<dyn RowSource>);

impl Row {
    /// Wraps a connector's row.
    pub fn new(source: impl RowSource + 'static) -> Self {
        Self(Box::new(source))
    }

    /// The value of a column, by name or by position from 0.
    ///
    /// Engines store one Rust type differently, so the type asked for decides how the column is read. `Option<T>`
    /// reads NULL as `None`; a missing column is an error even then.
    ///
    /// # Errors
    /// [`DatabaseErrorKind::Decode`] when there is no such column, when it is NULL and `T` is not an `Option`, or when
    /// it holds no value of type `T`.
    pub fn get<T: ValueType>(&self, column: impl ColumnIndex) -> Result<T, DatabaseError> {
        let index = column.index_in(self.0.as_ref())?;
        let value = self.0.decode(index, &T::array_type())?;
        T::try_from(value).map_err(|_| {
            let name = self.0.column_name(index).unwrap_or_default();
            DatabaseError::new(
                DatabaseErrorKind::Decode,
                format!("column `{name}` is NULL or not a {}", T::type_name()),
            )
        })
    }

    /// The text of a column that [`super::text_key`] filled.
    ///
    /// # Errors
    /// As [`Row::get`].
    pub fn get_text_key(&self, dialect: Dialect, column: impl ColumnIndex) -> Result<String, DatabaseError> {
        match dialect {
            Dialect::SqlServer => String::from_utf8(self.get(column)?).map_err(|error| {
                DatabaseError::new(DatabaseErrorKind::Decode, "a text key is not UTF-8").with_source(error.utf8_error())
            }),
            Dialect::MySql | Dialect::Postgres | Dialect::Sqlite => self.get(column),
        }
    }

    /// The connector's row, for code that knows which connector it talks to.
    pub fn source(&self) -> &dyn RowSource {
        self.0.as_ref()
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Names alone: a row's values are data and do not belong in a log.
        f.debug_list().entries((0..self.0.len()).map(|index| self.0.column_name(index).unwrap_or_default())).finish()
    }
}

/// How a column is named: by its name or by its position from 0.
pub trait ColumnIndex: Copy {
    /// The position in `row`.
    ///
    /// # Errors
    /// [`DatabaseErrorKind::Decode`] when the row has no such column.
    fn index_in(&self, row: &dyn RowSource) -> Result<usize, DatabaseError>;
}

impl ColumnIndex for &str {
    fn index_in(&self, row: &dyn RowSource) -> Result<usize, DatabaseError> {
        row.column_index(self)
            .ok_or_else(|| DatabaseError::new(DatabaseErrorKind::Decode, format!("the row has no column `{self}`")))
    }
}

impl ColumnIndex for usize {
    fn index_in(&self, row: &dyn RowSource) -> Result<usize, DatabaseError> {
        if *self < row.len() {
            Ok(*self)
        } else {
            let message = format!("the row has {} columns, none at position {self}", row.len());
            Err(DatabaseError::new(DatabaseErrorKind::Decode, message))
        }
    }
}

/// Where `name` stands in a list of columns, for code that selects a fixed list and reads its rows by position. Meant for
/// constants: the list is then the one place that says what stands where.
///
/// ```
/// # use shared_kernel::database::position_of;
/// const SELECTED: &[&str] = &["id", "name"];
/// const NAME: usize = position_of(SELECTED, "name");
/// assert_eq!(NAME, 1);
/// ```
///
/// # Panics
/// When the list lacks the name: in a constant, that is an error of the compiler.
pub const fn position_of(columns: &[&str], name: &str) -> usize {
    let mut position = 0;
    while position < columns.len() {
        if same(columns[position].as_bytes(), name.as_bytes()) {
            return position;
        }
        position += 1;
    }
    panic!("the list lacks the column")
}

/// Equality of texts cannot be asked in a constant.
const fn same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut index = 0;
    while index < one.len() {
        if one[index] != other[index] {
            return false;
        }
        index += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_that_of_the_whole_name() {
        const COLUMNS: &[&str] = &["title_sort", "title", "authors"];
        assert_eq!(position_of(COLUMNS, "title"), 1);
        assert_eq!(position_of(COLUMNS, "authors"), 2);
    }

    #[test]
    #[should_panic(expected = "the list lacks the column")]
    fn a_name_that_is_not_in_the_list_has_no_position() {
        position_of(&["title"], "Title");
    }

    struct OneColumn(Value);

    impl RowSource for OneColumn {
        fn len(&self) -> usize {
            1
        }

        fn column_name(&self, index: usize) -> Option<&str> {
            (index == 0).then_some("pages")
        }

        fn decode(&self, _index: usize, _wanted: &ArrayType) -> Result<Value, DatabaseError> {
            Ok(self.0.clone())
        }
    }

    #[test]
    fn a_column_is_found_by_name_and_by_position() {
        let row = Row::new(OneColumn(Value::BigInt(Some(12))));
        assert_eq!(row.get::<i64>("pages").expect("by name"), 12);
        assert_eq!(row.get::<i64>(0).expect("by position"), 12);
    }

    #[test]
    fn null_is_none_or_an_error_but_never_a_default() {
        let row = Row::new(OneColumn(Value::BigInt(None)));
        assert_eq!(row.get::<Option<i64>>("pages").expect("optional"), None);
        let error = row.get::<i64>("pages").expect_err("not optional");
        assert_eq!(error.kind(), &DatabaseErrorKind::Decode);
        assert_eq!(error.to_string(), "column `pages` is NULL or not a i64");
    }

    #[test]
    fn a_missing_column_is_an_error_even_for_an_option() {
        let row = Row::new(OneColumn(Value::BigInt(None)));
        assert!(row.get::<Option<i64>>("page").is_err());
        assert!(row.get::<Option<i64>>(1).is_err());
    }

    #[test]
    fn a_row_does_not_show_its_values() {
        let row = Row::new(OneColumn(Value::String(Some("secret".to_owned()))));
        assert_eq!(format!("{row:?}"), r#"["pages"]"#);
    }
}
