//! The cases of `tests/cases`, each file one test.

use crate::testing::check_file;

macro_rules! cases {
    ($($name:ident),+ $(,)?) => {
        $(
            #[test]
            fn $name() {
                check_file(include_str!(concat!("../tests/cases/", stringify!($name), ".txt")));
            }
        )+
    };
}

cases![
    customers,
    duplicates,
    equality,
    keys,
    multisets,
    nested,
    normalizers,
    numbers,
    rules,
    schemas,
    selectors,
    text,
    times,
    tolerance,
];
