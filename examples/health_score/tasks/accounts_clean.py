"""One clean row for each account: without the blanks that somebody typed, and in one spelling (Unicode's NFC)."""

import unicodedata

import tables

lines = (
    [row["team"], row["account_id"], unicodedata.normalize("NFC", row["name"].strip()), row["zone"]]
    for row in tables.rows("accounts")
)
tables.write("accounts_clean", ["team", "account_id", "name", "zone"], lines)
