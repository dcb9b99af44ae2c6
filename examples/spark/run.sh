#!/usr/bin/env bash
# Runs the Spark example with a PySpark of its own. What it is given goes to `understudy run`.
set -euo pipefail
cd "$(dirname "$0")"
command -v java >/dev/null || { echo "skipped: Spark needs Java 8, 11 or 17, and there is none"; exit 0; }
environment="${SPARK_EXAMPLE_ENV:-.venv}"
if [ ! -x "$environment/bin/python3" ]; then
    python3 -m venv "$environment" \
        && "$environment/bin/pip" install --quiet --disable-pip-version-check "pyspark==3.5.9" \
        || { rm -rf "$environment"; echo "skipped: PySpark cannot be installed"; exit 0; }
fi
PATH="$(cd "$environment" && pwd)/bin:$PATH" exec cargo run --quiet -p understudy -- run --date 2013-02-01 "$@" .
