"""Inputs and outputs of the commands beside this file, through the environment that Understudy gives them."""

import csv
import datetime as dt
import json
import os
import pathlib


def run_date():
    context = json.loads(pathlib.Path(os.environ["UNDERSTUDY_CONTEXT"]).read_text("utf-8"))
    return dt.date.fromisoformat(context["run_date"])


def rows(name):
    """The rows of an input, file after file."""
    folder = pathlib.Path(os.environ[f"UNDERSTUDY_INPUT_{name.upper()}"])
    for path in sorted(folder.glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            yield from csv.DictReader(file)


def write(name, header, lines):
    """The one output."""
    target = pathlib.Path(os.environ["UNDERSTUDY_OUTPUT"], f"{name}.csv")
    with target.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(header)
        out.writerows(lines)


def instant(text):
    """An instant in UTC, as a column of instants writes it."""
    return dt.datetime.fromisoformat(text.replace("Z", "+00:00")).replace(tzinfo=None)


def offsets():
    """For each time zone, from when on its clocks are how many minutes ahead of UTC; the latest first."""
    zones = {}
    for row in rows("zones"):
        zones.setdefault(row["zone"], []).append((instant(row["since"]), int(row["offset_minutes"])))
    return {zone: sorted(changes, reverse=True) for zone, changes in zones.items()}
