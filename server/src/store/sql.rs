//! `sql!("… $1 …", value, …)`: a query whose number of binds is checked while compiling.
//!
//! Why: SQLite reads a missing bind as NULL and says nothing; a wrong count must not compile.

/// A query over both databases. The text is a literal; the highest `$n` must be the number of
/// values given.
#[macro_export]
macro_rules! sql {
    ($text:expr $(, $value:expr)* $(,)?) => {{
        const TEXT: &str = $text;
        const VALUES: usize = [$(stringify!($value),)* ""].len() - 1;
        const { assert!($crate::store::sql::highest_bind(TEXT) == VALUES, "binds do not agree") };
        sqlx::query::<sqlx::Any>(TEXT)$(.bind($value))*
    }};
}

/// The highest `$n` in a statement, 0 when there is none.
pub const fn highest_bind(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut highest) = (0, 0);
    while at < bytes.len() {
        if bytes[at] == b'$' {
            let mut number = 0;
            at += 1;
            while at < bytes.len() && bytes[at].is_ascii_digit() {
                number = number * 10 + (bytes[at] - b'0') as usize;
                at += 1;
            }
            if number > highest {
                highest = number;
            }
        } else {
            at += 1;
        }
    }
    highest
}

#[cfg(test)]
mod tests {
    use super::highest_bind;

    #[test]
    fn the_highest_bind_is_found() {
        assert_eq!(highest_bind("SELECT 1"), 0);
        assert_eq!(highest_bind("SELECT $1, $2 WHERE $1 = $2"), 2);
        assert_eq!(highest_bind("VALUES ($9, $10, $11)"), 11);
        assert_eq!(highest_bind("ends in $3"), 3);
    }
}
