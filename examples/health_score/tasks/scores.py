"""What the versions of `usage_score` have in common: a score from the days on which an account was active."""

import datetime as dt

import tables

HEADER = ["team", "account_id", "events", "active_days", "last_day", "usage_score"]


def in_week(day):
    """Is a local day one of the seven that end with the run date?"""
    return tables.run_date() - dt.timedelta(days=7) < day <= tables.run_date()


def write(accounts, days_of):
    """One row for each account; `days_of` has the local days of its events in the week."""
    lines = []
    for account in accounts:
        days = days_of.get(account["name"], [])
        active = len(set(days))
        score = 10 * active + min(30, len(days))
        row = [account["team"], account["account_id"], len(days), active, max(days, default=""), score]
        lines.append(row)
    tables.write("usage_score", HEADER, lines)
    print(f"{tables.run_date()}: {sum(len(days) for days in days_of.values())} events")
