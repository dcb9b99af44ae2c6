"""Minutes on the ground, by carrier: block time without the time in the air.

A command task. It knows nothing of Understudy but three environment variables:
UNDERSTUDY_CONTEXT, UNDERSTUDY_INPUT_<NAME> and UNDERSTUDY_OUTPUT.
"""

import csv
import json
import os
import pathlib
import statistics


def rows(name):
    """The rows of an input, file after file."""
    folder = pathlib.Path(os.environ[f"UNDERSTUDY_INPUT_{name}"])
    for path in sorted(folder.glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            yield from csv.DictReader(file)


def by_carrier(flights):
    """For each carrier: how many flights, and the minutes on the ground of those that have them."""
    counts, minutes = {}, {}
    for flight in flights:
        carrier = flight["carrier"]
        counts[carrier] = counts.get(carrier, 0) + 1
        known = minutes.setdefault(carrier, [])
        if flight["block_minutes"] and flight["air_minutes"]:
            known.append(int(flight["block_minutes"]) - int(flight["air_minutes"]))
    return {carrier: (counts[carrier], minutes[carrier]) for carrier in sorted(counts)}


def quantile(values, percent):
    """The smallest value that `percent` of all values do not exceed; nothing of nothing."""
    ordered = sorted(values)
    place = -(-len(ordered) * percent // 100)
    return ordered[max(place, 1) - 1] if ordered else ""


def main():
    context = json.loads(pathlib.Path(os.environ["UNDERSTUDY_CONTEXT"]).read_text("utf-8"))
    percent = context["params"]["percent"]
    names = {airline["carrier"]: airline["name"] for airline in rows("AIRLINES")}
    carriers = by_carrier(rows("BLOCK_TIMES"))
    target = pathlib.Path(os.environ["UNDERSTUDY_OUTPUT"], "ground_time.csv")
    with target.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["carrier", "name", "flights", "median_ground_minutes", f"p{percent}_ground_minutes"])
        for carrier, (flights, minutes) in carriers.items():
            median = statistics.median_low(minutes) if minutes else ""
            out.writerow([carrier, names.get(carrier, ""), flights, median, quantile(minutes, percent)])
    print(f"{context['run_date']}: {len(carriers)} carriers")


main()
