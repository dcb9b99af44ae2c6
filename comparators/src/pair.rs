//! Rows of one key: which old row became which new one.
//!
//! The pairing is the one with the fewest differing cells, found by the Hungarian method in its form with shortest
//! augmenting paths (Jonker and Volgenant, "A shortest augmenting path algorithm for dense and sparse linear
//! assignment problems", 1987), whose cost grows with the cube of the rows.

/// Rows of one key on one side, beyond which a best pairing is not looked for.
pub(crate) const MAX_ROWS_TO_PAIR: usize = 128;

/// For each row of the shorter side, the row of the longer side that it is paired with.
/// `cost` gives the number of differing cells of a shorter side's row and a longer side's row.
pub(crate) fn cheapest_pairs(
    shorter: usize,
    longer: usize,
    cost: impl Fn(usize, usize) -> u32,
) -> Vec<usize> {
    assert!(
        shorter <= longer,
        "every row of the shorter side finds a partner"
    );
    let mut assignment = Assignment::new(shorter, longer);
    for row in 0..shorter {
        assignment.assign(row, &cost);
    }
    let mut partner = vec![0; shorter];
    for (column, row) in assignment.row_of.iter().enumerate() {
        if let Some(row) = row {
            partner[*row] = column;
        }
    }
    partner
}

struct Assignment {
    /// Dual prices of rows and columns: a pair's cost less both is never negative, and zero where it is assigned.
    row_price: Vec<i64>,
    column_price: Vec<i64>,
    /// The row that each column is assigned to.
    row_of: Vec<Option<usize>>,
}

/// The state of the search for one augmenting path.
struct Search {
    /// The least reduced cost at which each column is reached, and the column from which it is.
    reach: Vec<i64>,
    from: Vec<Option<usize>>,
    done: Vec<bool>,
}

impl Assignment {
    fn new(rows: usize, columns: usize) -> Self {
        Self {
            row_price: vec![0; rows],
            column_price: vec![0; columns],
            row_of: vec![None; columns],
        }
    }

    /// Gives one more row a column, at the least cost of all rows so far together.
    fn assign(&mut self, start: usize, cost: &impl Fn(usize, usize) -> u32) {
        let columns = self.row_of.len();
        let mut search = Search {
            reach: vec![i64::MAX; columns],
            from: vec![None; columns],
            done: vec![false; columns],
        };
        let mut row = start;
        let mut last = None;
        let mut distance = 0;
        let free = loop {
            self.relax(row, last, distance, &mut search, cost);
            let next = nearest(&search);
            distance = search.reach[next];
            search.done[next] = true;
            last = Some(next);
            match self.row_of[next] {
                Some(assigned) => row = assigned,
                None => break next,
            }
        };
        self.reprice(start, distance, &search);
        self.augment(start, free, &search);
    }

    fn relax(
        &self,
        row: usize,
        last: Option<usize>,
        distance: i64,
        search: &mut Search,
        cost: &impl Fn(usize, usize) -> u32,
    ) {
        for column in 0..self.row_of.len() {
            let reduced =
                i64::from(cost(row, column)) - self.row_price[row] - self.column_price[column];
            if !search.done[column] && distance + reduced < search.reach[column] {
                search.reach[column] = distance + reduced;
                search.from[column] = last;
            }
        }
    }

    fn reprice(&mut self, start: usize, distance: i64, search: &Search) {
        self.row_price[start] += distance;
        for column in 0..self.row_of.len() {
            if search.done[column] {
                let slack = distance - search.reach[column];
                self.column_price[column] -= slack;
                if let Some(row) = self.row_of[column] {
                    self.row_price[row] += slack;
                }
            }
        }
    }

    fn augment(&mut self, start: usize, free: usize, search: &Search) {
        let mut column = free;
        while let Some(before) = search.from[column] {
            self.row_of[column] = self.row_of[before];
            column = before;
        }
        self.row_of[column] = Some(start);
    }
}

fn nearest(search: &Search) -> usize {
    let open = (0..search.reach.len()).filter(|column| !search.done[*column]);
    open.min_by_key(|column| search.reach[*column])
        .expect("the longer side has a free row for every shorter one")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(costs: &[&[u32]]) -> u32 {
        let columns = costs[0].len();
        let pairs = cheapest_pairs(costs.len(), columns, |row, column| costs[row][column]);
        let mut used = vec![false; columns];
        for column in &pairs {
            assert!(
                !std::mem::replace(&mut used[*column], true),
                "a row is paired once"
            );
        }
        pairs
            .iter()
            .enumerate()
            .map(|(row, column)| costs[row][*column])
            .sum()
    }

    fn cheapest_by_trying_all(costs: &[&[u32]], used: &mut Vec<bool>) -> u32 {
        let Some((first, rest)) = costs.split_first() else {
            return 0;
        };
        (0..used.len())
            .filter_map(|column| {
                if std::mem::replace(&mut used[column], true) {
                    return None;
                }
                let sum = first[column] + cheapest_by_trying_all(rest, used);
                used[column] = false;
                Some(sum)
            })
            .min()
            .unwrap_or(u32::MAX / 2)
    }

    #[test]
    fn the_greedy_choice_is_not_always_taken() {
        assert_eq!(total(&[&[0, 1], &[1, 9]]), 2);
    }

    #[test]
    fn no_other_pairing_is_cheaper() {
        let mut state = 7_u64;
        for _ in 0..500 {
            let mut next = |bound: u64| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) % bound
            };
            let rows = 1 + next(5) as usize;
            let columns = rows + next(3) as usize;
            let costs: Vec<Vec<u32>> = (0..rows)
                .map(|_| (0..columns).map(|_| next(6) as u32).collect())
                .collect();
            let costs: Vec<&[u32]> = costs.iter().map(Vec::as_slice).collect();
            assert_eq!(
                total(&costs),
                cheapest_by_trying_all(&costs, &mut vec![false; columns]),
                "{costs:?}"
            );
        }
    }
}
