"""Departures by carrier, airport and day: how many, how late on average, and the delay that nine in ten stay below."""

from pyspark.sql import functions as F

from session import read, spark, write


def delays(flights):
    late = F.percentile_approx("dep_delay", 0.9, 10_000)
    groups = flights.groupBy("carrier", "origin", "day")
    return groups.agg(F.count("*").alias("flights"), F.avg("dep_delay").alias("mean_delay"), late.alias("p90_delay"))


if __name__ == "__main__":
    with spark("delays v1") as session:
        write(delays(read(session, "FLIGHTS")))
