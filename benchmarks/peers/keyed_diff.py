"""The work of `understudy diff`, done with a tool that somebody might pick instead.

usage: keyed_diff.py duckdb|polars|datacompy LIVE SHADOW OUT.csv

Rows are matched on (l_orderkey, l_linenumber). A row differs if it is on one side only, or if l_extendedprice has moved
by more than 1e-9 of its live value, or if any other column is not the same. The rows that differ are written to
OUT.csv, and their number is printed.
"""

import sys

KEY = ["l_orderkey", "l_linenumber"]
MEASURED = "l_extendedprice"
SHARE = 1e-9


def other_columns(names):
    return [name for name in names if name not in KEY and name != MEASURED]


def with_duckdb(live, shadow, out):
    import duckdb

    connection = duckdb.connect()
    connection.execute("set preserve_insertion_order = false")
    names = [row[0] for row in connection.execute("describe select * from read_parquet(?)", [live]).fetchall()]
    tests = [f"o.{name} is distinct from n.{name}" for name in other_columns(names)]
    tests.append(f"coalesce(abs(n.{MEASURED} - o.{MEASURED}) > {SHARE} * abs(o.{MEASURED}), o.{MEASURED} is distinct from n.{MEASURED})")
    sides = ", ".join(f"o.{name} as old_{name}, n.{name} as new_{name}" for name in names)
    on = " and ".join(f"o.{name} = n.{name}" for name in KEY)
    written = connection.execute(
        f"copy (select {sides} from read_parquet('{live}') o full outer join read_parquet('{shadow}') n on {on} "
        f"where o.{KEY[0]} is null or n.{KEY[0]} is null or {' or '.join(tests)}) to '{out}' (header)"
    ).fetchone()
    return written[0]


def with_polars(live, shadow, out):
    import polars as pl

    old, new = pl.scan_parquet(live), pl.scan_parquet(shadow)
    names = old.collect_schema().names()
    pairs = old.join(new, on=KEY, how="full", suffix="_new")
    moved = (pl.col(MEASURED + "_new") - pl.col(MEASURED)).abs() > SHARE * pl.col(MEASURED).abs()
    tests = [pl.col(name).ne_missing(pl.col(name + "_new")) for name in other_columns(names)]
    alone = [pl.col(KEY[0]).is_null(), pl.col(KEY[0] + "_new").is_null()]
    rows = pairs.filter(pl.any_horizontal(moved, *tests, *alone)).collect(engine="streaming")
    rows.write_csv(out)
    return rows.height


def with_datacompy(live, shadow, out):
    import datacompy
    import polars as pl

    found = datacompy.PolarsCompare(pl.read_parquet(live), pl.read_parquet(shadow), join_columns=KEY, rel_tol=SHARE, abs_tol=0)
    changed = found.all_mismatch()
    changed.write_csv(out)
    found.df1_unq_rows.write_csv(out + ".only_old")
    found.df2_unq_rows.write_csv(out + ".only_new")
    return changed.height + found.df1_unq_rows.height + found.df2_unq_rows.height


def main():
    tool, live, shadow, out = sys.argv[1:5]
    do = {"duckdb": with_duckdb, "polars": with_polars, "datacompy": with_datacompy}[tool]
    print(do(live, shadow, out))


main()
