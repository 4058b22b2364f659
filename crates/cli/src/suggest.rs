//! Finds the name that was meant where one is misspelt.

/// How alike two names have to be, between 0 and 1: the measure and the bar by which clap suggests options.
const ALIKE: f64 = 0.7;

/// As in `; did you mean "acme"?`, or nothing where no name is like it.
pub fn did_you_mean<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let alike = |name: &'a str| (strsim::jaro(wrong, name), name);
    let best = names
        .into_iter()
        .map(alike)
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    match best {
        Some((how_much, name)) if how_much > ALIKE => format!("; did you mean \"{name}\"?"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_alike_is_suggested_and_nothing_that_is_unlike() {
        let names = ["acme", "acme-test", "globex"];
        assert_eq!(
            did_you_mean("acme-tset", names),
            "; did you mean \"acme-test\"?"
        );
        assert_eq!(did_you_mean("initech", names), "");
        assert_eq!(did_you_mean("acme", []), "");
    }
}
