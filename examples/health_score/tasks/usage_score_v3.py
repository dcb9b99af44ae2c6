"""How much an account uses the product, by the days of its own time zone. Heartbeats of agents do not count.

Names are in one spelling on both sides, and an instant is brought to local time before anything is rounded.
"""

import datetime as dt
import unicodedata

import scores
import tables


def local_day(at, changes):
    """The day that local clocks show at an instant."""
    minutes = next(minutes for since, minutes in changes if since <= at)
    return (at + dt.timedelta(minutes=minutes)).date()


def main():
    accounts = list(tables.rows("accounts_clean"))
    zones, zone_of = tables.offsets(), {account["name"]: account["zone"] for account in accounts}
    days_of = {}
    for event in tables.rows("events"):
        name = unicodedata.normalize("NFC", event["account"].strip())
        if name not in zone_of or event["kind"] == "heartbeat":
            continue
        day = local_day(tables.instant(event["at"]), zones[zone_of[name]])
        if scores.in_week(day):
            days_of.setdefault(name, []).append(day)
    scores.write(accounts, days_of)


main()
