//! "Did you mean …?"

/// Beyond this many names nobody looks for the nearest one: it would take long and help little.
const MAX_COMPARED_NAMES: usize = 500;
/// A longer name is no slip of the finger.
const MAX_COMPARED_CHARS: usize = 100;
/// The most names that a hint lists.
const MAX_LISTED_NAMES: usize = 20;

/// The name that was probably meant, if exactly one is near enough.
pub(crate) fn nearest<'a>(written: &str, names: &[&'a str]) -> Option<&'a str> {
    if names.len() > MAX_COMPARED_NAMES || written.chars().count() > MAX_COMPARED_CHARS {
        return None;
    }
    let near = |name: &&'a str| {
        let longer = written.chars().count().max(name.chars().count());
        let distance = distance(written, name);
        (distance < longer && distance <= (longer / 3).max(1)).then_some((distance, *name))
    };
    let mut near: Vec<_> = names.iter().filter_map(near).collect();
    near.sort_unstable();
    match near.as_slice() {
        [(first, _), (second, _), ..] if first == second => None,
        [(_, name), ..] => Some(name),
        [] => None,
    }
}

/// A hint for a name that is not there: the nearest one, then all of them.
#[must_use]
pub fn hint(written: &str, names: &[&str], what: &str) -> String {
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
        assert_eq!(nearest("d", &["a"]), None);
    }

    #[test]
    fn of_equals_none_is_nearest() {
        assert_eq!(nearest("v4", &["v1", "v2"]), None);
        assert_eq!(nearest("v4", &["v1", "w"]), Some("v1"));
    }

    #[test]
    fn long_lists_are_cut() {
        let names: Vec<String> = (0..30).map(|number| format!("n{number:02}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert!(hint("zzzzzz", &names, "tasks").ends_with("n18, n19 and 10 more"));
        assert_eq!(hint("x", &[], "datasets"), "there are no datasets");
    }
}
