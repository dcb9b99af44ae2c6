//! "Did you mean …?"

/// Beyond this many names nobody looks for the nearest one: it would take long and help little.
const MAX_COMPARED_NAMES: usize = 500;
/// The most names that a hint lists.
const MAX_LISTED_NAMES: usize = 20;

/// The name that was probably meant, if one is near enough.
pub(crate) fn nearest<'a>(written: &str, names: &[&'a str]) -> Option<&'a str> {
    let written_length = written.chars().count();
    if names.len() > MAX_COMPARED_NAMES || written_length > 100 {
        return None;
    }
    let allowed = |name: &str| (written_length.max(name.chars().count()) / 3).max(1);
    let distances = names.iter().map(|name| (distance(written, name), *name));
    distances
        .filter(|(distance, name)| *distance <= allowed(name))
        .min()
        .map(|(_, name)| name)
}

/// A hint for a name that is not there: the nearest one, then all of them.
pub(crate) fn hint(written: &str, names: &[&str], what: &str) -> String {
    let all = listed(names, what);
    match nearest(written, names) {
        Some(name) => format!("did you mean `{name}`? {all}"),
        None => all,
    }
}

fn distance(written: &str, name: &str) -> usize {
    strsim::damerau_levenshtein(&written.to_lowercase(), &name.to_lowercase())
}

fn listed(names: &[&str], what: &str) -> String {
    let mut sorted = names.to_vec();
    sorted.sort_unstable();
    let more = sorted.len().saturating_sub(MAX_LISTED_NAMES);
    sorted.truncate(MAX_LISTED_NAMES);
    match (sorted.is_empty(), more) {
        (true, _) => format!("there are no {what}"),
        (false, 0) => format!("the {what} are: {}", sorted.join(", ")),
        (false, more) => format!("the {what} are: {} and {more} more", sorted.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_found() {
        let names = ["grain", "location", "customer"];
        assert_eq!(nearest("grian", &names), Some("grain"));
        assert_eq!(nearest("Location", &names), Some("location"));
        assert_eq!(nearest("costumer", &names), Some("customer"));
    }

    #[test]
    fn something_else_is_not() {
        assert_eq!(nearest("owner", &["grain", "location"]), None);
        assert_eq!(nearest("", &["a_long_name"]), None);
    }

    #[test]
    fn long_lists_are_cut() {
        let names: Vec<String> = (0..30).map(|number| format!("n{number:02}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert!(hint("zzzzzz", &names, "tasks").ends_with("n18, n19 and 10 more"));
        assert_eq!(hint("x", &[], "datasets"), "there are no datasets");
    }
}
