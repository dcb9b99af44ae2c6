"""How much an account uses the product, by the days of its own time zone. Heartbeats of agents do not count.

It counts the events of each hour first and brings the hours to local time afterwards: there are fewer of them.
"""

import collections
import datetime as dt

import scores
import tables


def hours():
    """How many events each account has in each hour."""
    counts = collections.Counter()
    for event in tables.rows("events"):
        if event["kind"] != "heartbeat":
            hour = tables.instant(event["at"]).replace(minute=0, second=0)
            counts[event["account"].strip(), hour] += 1
    return counts


def main():
    accounts = list(tables.rows("accounts_clean"))
    offset = {zone: dt.timedelta(minutes=changes[0][1]) for zone, changes in tables.offsets().items()}
    zone_of = {account["name"]: account["zone"] for account in accounts}
    days_of = {}
    for (name, hour), count in hours().items():
        if name not in zone_of:
            continue
        day = (hour + offset[zone_of[name]]).date()
        if scores.in_week(day):
            days_of.setdefault(name, []).extend([day] * count)
    scores.write(accounts, days_of)


main()
