//! Short lists in order: errors of a form, days, declines. One small way for all of them, because
//! the standard library's sorts, made for long lists, were a thirtieth of the browser's module.

/// The items, the least key first; those of equal keys stay as they came. Quadratic: not for lists
/// that a stranger can make long.
pub fn in_order<T, K: Ord>(items: impl IntoIterator<Item = T>, key: impl Fn(&T) -> K) -> Vec<T> {
    let mut sorted: Vec<T> = Vec::new();
    for item in items {
        let mine = key(&item);
        let after = sorted.iter().rev().take_while(|other| key(other) > mine).count();
        sorted.insert(sorted.len().saturating_sub(after), item);
    }
    sorted
}

#[cfg(test)]
mod tests {
    use super::in_order;

    #[test]
    fn the_least_is_first_and_equals_stay_as_they_came() {
        let sorted = in_order([(2, 'a'), (1, 'b'), (2, 'c'), (0, 'd'), (1, 'e')], |(n, _)| *n);
        let letters: String = sorted.iter().map(|(_, letter)| letter).collect();
        assert_eq!(letters, "dbeac");
    }
}
