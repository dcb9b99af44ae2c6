"""What tools say of small pairs of tables whose true difference is known.

usage: semantics.py UNDERSTUDY [TOOL …]

UNDERSTUDY is the binary. Tools: understudy, duckdb, datacompy, compara, reladiff, sqlmesh, spark; without any, all that
can be imported or found. Prints a Markdown table: a row for each pair, a column for each tool, and in it what the tool
said. A cell is marked "wrong" where that is not what the first column says.
Needs pyarrow; the tools as far as they are wanted.
"""

import datetime
import decimal
import json
import os
import subprocess
import sys
import tempfile

import pyarrow as pa
import pyarrow.parquet as pq

INT, TEXT, REAL = pa.int64(), pa.string(), pa.float64()


def table(types, rows):
    names = list(types)
    columns = [pa.array([row[place] for row in rows], types[name]) for place, name in enumerate(names)]
    return pa.table(columns, names=names)


def zoned(zone):
    return pa.timestamp("us", tz=zone)


NOON = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.timezone.utc)
BIG = decimal.Decimal("12345678901234567890123456789012345678")
KV = {"k": INT, "v": TEXT}

# name, old, new, key, tolerance, how many rows truly differ, whether the schemas do
CASES = [
    ("2^53 and 2^53 + 1", table({"k": INT, "v": INT}, [(1, 2**53)]), table({"k": INT, "v": INT}, [(1, 2**53 + 1)]), ["k"], None, 1, False),
    ("38 digits, the last one differs", table({"k": INT, "v": pa.decimal128(38, 0)}, [(1, BIG)]), table({"k": INT, "v": pa.decimal128(38, 0)}, [(1, BIG + 1)]), ["k"], None, 1, False),
    ("a key that is NULL, equal rows", table(KV, [(None, "a"), (1, "b")]), table(KV, [(None, "a"), (1, "b")]), ["k"], None, 0, False),
    ("NULL and empty text", table(KV, [(1, None)]), table(KV, [(1, "")]), ["k"], None, 1, False),
    ("NULL and the text `null`", table(KV, [(1, None)]), table(KV, [(1, "null")]), ["k"], None, 1, False),
    ("NaN and NaN", table({"k": INT, "v": REAL}, [(1, float("nan"))]), table({"k": INT, "v": REAL}, [(1, float("nan"))]), ["k"], None, 0, False),
    ("-0.0 and 0.0", table({"k": INT, "v": REAL}, [(1, -0.0)]), table({"k": INT, "v": REAL}, [(1, 0.0)]), ["k"], None, 0, False),
    ("-0.0 and 0.0 as keys", table({"k": REAL, "v": TEXT}, [(-0.0, "a")]), table({"k": REAL, "v": TEXT}, [(0.0, "a")]), ["k"], None, 0, False),
    ("trailing blank", table(KV, [(1, "a")]), table(KV, [(1, "a ")]), ["k"], None, 1, False),
    ("é composed and decomposed", table(KV, [(1, "\u00e9")]), table(KV, [(1, "e\u0301")]), ["k"], None, 1, False),
    ("one instant, two zone labels", table({"k": INT, "v": zoned("UTC")}, [(1, NOON)]), table({"k": INT, "v": zoned("Europe/Berlin")}, [(1, NOON)]), ["k"], None, 0, False),
    ("a key twice, rows in another order", table(KV, [(1, "a"), (1, "b")]), table(KV, [(1, "b"), (1, "a")]), ["k"], None, 0, False),
    ("a key three times and twice", table(KV, [(1, "a"), (1, "a"), (1, "b")]), table(KV, [(1, "a"), (1, "b")]), ["k"], None, 1, False),
    ("keys (`a,b`, `c`) and (`a`, `b,c`)", table({"k": TEXT, "l": TEXT, "v": INT}, [("a,b", "c", 1)]), table({"k": TEXT, "l": TEXT, "v": INT}, [("a", "b,c", 1)]), ["k", "l"], None, 2, False),
    ("a column added", table(KV, [(1, "a")]), table({**KV, "w": INT}, [(1, "a", 5)]), ["k"], None, 0, True),
    ("int32 became int64", table({"k": INT, "v": pa.int32()}, [(1, 7)]), table({"k": INT, "v": INT}, [(1, 7)]), ["k"], None, 0, True),
    ("1.0 to 1.1, tolerance 0.1", table({"k": INT, "v": REAL}, [(1, 1.0)]), table({"k": INT, "v": REAL}, [(1, 1.1)]), ["k"], "0.1", 0, False),
    ("no key: a, a, b and a, b, b", table({"v": TEXT}, [("a",), ("a",), ("b",)]), table({"v": TEXT}, [("a",), ("b",), ("b",)]), [], None, 2, False),
]


class Cannot(Exception):
    """The tool has no way to be asked."""


class Understudy:
    def __init__(self, binary):
        self.binary = binary
        self.name = "understudy"

    def ask(self, case, old, new):
        command = [self.binary, "diff", old, new, "--json"]
        command += ["--key", ",".join(case[3])] if case[3] else []
        command += ["--within", "v=" + case[4]] if case[4] else []
        found = json.loads(subprocess.run(command, capture_output=True, text=True).stdout)
        return found["rows"]["unexpected"], bool(found["schema"])


class DuckDb:
    def __init__(self):
        import duckdb

        self.name = "DuckDB SQL " + duckdb.__version__
        self.duckdb = duckdb

    def ask(self, case, old, new):
        if not case[3]:
            query = f"select count(*) from ((select * from '{old}' except all select * from '{new}') union all (select * from '{new}' except all select * from '{old}'))"
            return self.duckdb.sql(query).fetchone()[0], None
        shared = [name for name in case[1].column_names if name not in case[3] and name in case[2].column_names]
        tests = [f"o.{name} is distinct from n.{name}" for name in shared]
        if case[4]:
            tests = [f"abs(o.{name} - n.{name}) > {case[4]}" for name in shared]
        on = " and ".join(f"o.{name} = n.{name}" for name in case[3])
        alone = f"o.{case[3][0]} is null or n.{case[3][0]} is null"
        query = f"select count(*) from '{old}' o full outer join '{new}' n on {on} where {alone} or {' or '.join(tests)}"
        return self.duckdb.sql(query).fetchone()[0], None


class DataCompy:
    def __init__(self):
        import datacompy
        import polars

        self.name = "datacompy " + datacompy.__version__
        self.datacompy, self.polars = datacompy, polars

    def ask(self, case, old, new):
        if not case[3]:
            raise Cannot()
        old, new = self.polars.read_parquet(old), self.polars.read_parquet(new)
        found = self.datacompy.PolarsCompare(old, new, join_columns=case[3], abs_tol=float(case[4] or 0), rel_tol=0)
        rows = found.all_mismatch().height + found.df1_unq_rows.height + found.df2_unq_rows.height
        return rows, bool(found.df1_unq_columns() or found.df2_unq_columns())


class Compara:
    def __init__(self):
        program = os.path.join(os.path.dirname(sys.executable), "compara")
        self.program = program if os.path.exists(program) else "compara"
        self.name = "compara " + subprocess.run([self.program, "version"], capture_output=True, text=True).stdout.split()[-1]

    def ask(self, case, old, new):
        if not case[3]:
            raise Cannot()
        out = tempfile.mkdtemp()
        command = [self.program, "compare", old, new, "-k", ",".join(case[3]), "--export-dir", out]
        command += ["--tolerance", case[4]] if case[4] else []
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode not in (0, 1):
            raise RuntimeError((done.stderr or done.stdout).strip().splitlines()[-1])
        rows = 0
        for name in ("added", "changed", "removed"):
            path = os.path.join(out, name + ".csv")
            rows += max(0, len(open(path).read().splitlines()) - 1) if os.path.exists(path) else 0
        # Its verdict is its exit code; what it prints is for people.
        return rows, rows == 0 and done.returncode == 1


class Reladiff:
    def __init__(self):
        import reladiff

        self.name = "reladiff " + getattr(reladiff, "__version__", "")
        self.reladiff = reladiff

    def ask(self, case, old, new):
        if not case[3] or case[4]:
            raise Cannot()
        import duckdb

        path = os.path.join(tempfile.mkdtemp(), "pair.duckdb")
        with duckdb.connect(path) as connection:
            for name, file in (("o", old), ("n", new)):
                connection.execute(f"create table {name} as select * from '{file}'")
        sides = []
        for name, rows in (("o", case[1]), ("n", case[2])):
            others = tuple(column for column in rows.column_names if column not in case[3])
            key = case[3][0] if len(case[3]) == 1 else tuple(case[3])
            sides.append(self.reladiff.connect_to_table({"driver": "duckdb", "filepath": path}, name, key, extra_columns=others))
        signs = list(self.reladiff.diff_tables(*sides, key_columns=tuple(case[3])))
        # A changed row comes with both signs.
        return len({row[: len(case[3])] for _, row in signs}) if signs else 0, None


class SqlMesh:
    def __init__(self):
        import sqlmesh

        self.name = "SQLMesh " + sqlmesh.__version__
        self.sqlmesh = sqlmesh

    def ask(self, case, old, new):
        if not case[3] or case[4]:
            raise Cannot()
        import duckdb
        from sqlmesh.core.config import Config, DuckDBConnectionConfig, GatewayConfig, ModelDefaultsConfig

        folder = tempfile.mkdtemp()
        path = os.path.join(folder, "pair.duckdb")
        with duckdb.connect(path) as connection:
            for name, file in (("o", old), ("n", new)):
                connection.execute(f"create table {name} as select * from '{file}'")
        gateway = GatewayConfig(connection=DuckDBConnectionConfig(database=path))
        config = Config(gateways={"here": gateway}, default_gateway="here", model_defaults=ModelDefaultsConfig(dialect="duckdb"))
        context = self.sqlmesh.Context(paths=folder, config=config)
        try:
            found = context.table_diff(source="main.o", target="main.n", on=case[3], show=False)
            found = found[0] if isinstance(found, list) else found
            rows, schema = found.row_diff(), found.schema_diff()
            differing = rows.join_count - rows.full_match_count + rows.s_only_count + rows.t_only_count
            return int(differing), bool(schema.added or schema.removed or schema.modified)
        finally:
            context.close()


class Spark:
    def __init__(self):
        import gresearch.spark.diff  # noqa: F401
        from pyspark.sql import SparkSession
        import importlib.metadata

        self.name = "spark-extension " + importlib.metadata.version("pyspark-extension")
        builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
        jars = os.environ.get("SPARK_EXTENSION_JAR")
        self.spark = (builder.config("spark.jars", jars) if jars else builder).getOrCreate()

    def ask(self, case, old, new):
        from gresearch.spark.diff import Differ, DiffOptions  # noqa: F401

        if case[4]:
            raise Cannot()
        left, right = self.spark.read.parquet(old), self.spark.read.parquet(new)
        found = left.diff(right, *case[3])
        return found.where("diff != 'N'").count(), None


def said(rows, schema):
    parts = [f"{rows} row{'s' if rows != 1 else ''} differ{'s' if rows == 1 else ''}" if rows else "rows equal"]
    parts += ["schema differs"] if schema else []
    return ", ".join(parts)


def judged(case, rows, schema):
    is_right = rows == case[5] and bool(schema) == case[6]
    return said(rows, schema) + ("" if is_right else " (wrong)")


def cell(tool, case, folder):
    old, new = os.path.join(folder, "old.parquet"), os.path.join(folder, "new.parquet")
    pq.write_table(case[1], old)
    pq.write_table(case[2], new)
    try:
        return judged(case, *tool.ask(case, old, new))
    except Cannot:
        return "cannot be asked"
    except Exception as error:
        text = " ".join(str(error).split())[:70].replace("|", "/")
        return f"refuses: {text}"


def main():
    wanted = sys.argv[2:]
    makers = {"understudy": lambda: Understudy(sys.argv[1]), "duckdb": DuckDb, "datacompy": DataCompy, "compara": Compara, "reladiff": Reladiff, "sqlmesh": SqlMesh, "spark": Spark}
    tools = []
    for name, maker in makers.items():
        if wanted and name not in wanted:
            continue
        try:
            tools.append(maker())
        except Exception as error:
            print(f"{name}: not found ({error})", file=sys.stderr)
    print("| pair | true | " + " | ".join(tool.name for tool in tools) + " |")
    print("|---" * (len(tools) + 2) + "|")
    with tempfile.TemporaryDirectory() as folder:
        for case in CASES:
            cells = [cell(tool, case, folder) for tool in tools]
            print(f"| {case[0]} | {said(case[5], case[6])} | " + " | ".join(cells) + " |", flush=True)


main()
