"""What the jobs have in common: a small session, and Understudy's folders.

In a cluster the session comes from `spark-submit`, and `inputs: urls` gives the job the files' own URLs.
"""

import contextlib
import os

from pyspark.sql import SparkSession

# Java does not look at TMPDIR, and a shadow can write nowhere else.
os.environ.setdefault("JAVA_TOOL_OPTIONS", f"-Djava.io.tmpdir={os.environ['TMPDIR']}")


@contextlib.contextmanager
def spark(name):
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.memory": "1g",
        "spark.sql.shuffle.partitions": "4",
        "spark.sql.session.timeZone": "UTC",
        "spark.local.dir": os.environ["TMPDIR"],
    }
    builder = SparkSession.builder.appName(name).master("local[2]")
    for key, value in settings.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    try:
        yield session
    finally:
        session.stop()


def read(session, name):
    return session.read.parquet(os.environ[f"UNDERSTUDY_INPUT_{name}"])


def write(table):
    # Spark leaves `_SUCCESS` and checksums beside its files; hidden names are no part of a table.
    table.coalesce(1).write.mode("append").parquet(os.environ["UNDERSTUDY_OUTPUT"])
