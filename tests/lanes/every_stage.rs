//! Every assignment of stages to three customers: published rows are exactly what the stages say.

use understudy_core::stage::Stage;

use super::scene::Scene;

const STAGES: [Stage; 3] = [Stage::Off, Stage::Shadow, Stage::Live];

#[test]
fn published_rows_are_exactly_what_the_stages_say() {
    let scene = Scene::new();
    for (a, b, c) in assignments() {
        scene.moved(&["A"], a);
        scene.moved(&["B"], b);
        scene.moved(&["C"], c);
        scene.run().exits(0).alerts_nobody();
        let lanes = [("A", a), ("B", b), ("C", c)];
        let live = lanes.into_iter().filter(|(_, stage)| *stage == Stage::Live);
        scene.check_new(
            &live
                .map(|(customer, _)| customer)
                .collect::<Vec<_>>()
                .join(" "),
        );
    }
}

#[test]
fn published_rows_are_exactly_what_the_stages_say_where_everybody_else_is_live() {
    let scene = Scene::at(&[], Stage::Live);
    for (a, b, c) in assignments().filter(|(a, _, c)| *a == Stage::Live || a == c) {
        scene.moved(&["A"], a);
        scene.moved(&["B"], b);
        scene.moved(&["C"], c);
        scene.run().exits(0).alerts_nobody();
        let lanes = [("A", a), ("B", b), ("C", c), ("NULL", Stage::Live)];
        let live = lanes.into_iter().filter(|(_, stage)| *stage == Stage::Live);
        scene.check_new(
            &live
                .map(|(customer, _)| customer)
                .collect::<Vec<_>>()
                .join(" "),
        );
    }
}

fn assignments() -> impl Iterator<Item = (Stage, Stage, Stage)> {
    (0..27).map(|number| {
        (
            STAGES[number / 9],
            STAGES[number / 3 % 3],
            STAGES[number % 3],
        )
    })
}
