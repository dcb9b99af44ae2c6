"""Makes the data of this example: accounts of 26 teams in 26 time zones, and what happened to them in three weeks.

The files that it makes stand in data; it is needed only to make them anew, and makes the same bytes each time:

    python3 make_data.py data

With a number behind it, that many weeks, of which the first three are the same.
It needs Python alone. All of it is invented, from one seed.
"""

import csv
import datetime as dt
import pathlib
import random
import sys
import unicodedata

SEED = 20260319
FIRST_RUN_DATE = dt.date(2026, 3, 5)
WEEKS = 3
DAY = dt.timedelta(days=1)

US_SUMMER = "2026-03-08T%02d:%02d:00Z"
# Minutes east of Greenwich, and for those that change in these weeks: from when on, and to what.
ZONES = {
    "Africa/Cairo": (120,),
    "Africa/Lagos": (60,),
    "Africa/Nairobi": (180,),
    "America/Bogota": (-300,),
    "America/Chicago": (-360, US_SUMMER % (8, 0), -300),
    "America/New_York": (-300, US_SUMMER % (7, 0), -240),
    "America/Sao_Paulo": (-180,),
    "America/St_Johns": (-210, US_SUMMER % (5, 30), -150),
    "America/Toronto": (-300, US_SUMMER % (7, 0), -240),
    "Asia/Bangkok": (420,),
    "Asia/Ho_Chi_Minh": (420,),
    "Asia/Jerusalem": (120,),
    "Asia/Kathmandu": (345,),
    "Asia/Kolkata": (330,),
    "Asia/Seoul": (540,),
    "Asia/Tehran": (210,),
    "Asia/Tokyo": (540,),
    "Asia/Yangon": (390,),
    "Australia/Adelaide": (630,),
    "Europe/Athens": (120,),
    "Europe/Kyiv": (120,),
    "Europe/Paris": (60,),
    "Europe/Stockholm": (60,),
    "Europe/Warsaw": (60,),
    "Pacific/Auckland": (780,),
    "Pacific/Honolulu": (-600,),
}

# A team, its time zone, and the two words of its accounts' names: each first one with each second one.
TEAMS = [
    ("Adelaide Wines", "Australia/Adelaide", "Barossa Clare Coonawarra Eden", "Cellars Estate Growers"),
    ("Bogotá Flores", "America/Bogota", "Orquídea Jazmín Clavel Azucena", "Norte Sur Exportación"),
    ("Café Lumière", "Europe/Paris", "Crêperie Pâtisserie Brûlerie Épicerie", "d'Alésia d'Été Opéra"),
    ("Hà Nội Soft", "Asia/Ho_Chi_Minh", "Phở Trà Bánh Lụa", "Hạ_Long Huế Đà_Lạt"),
    ("Honolulu Surf", "Pacific/Honolulu", "Hale Kai Nalu Moana", "Nui Iki Loa"),
    ("Lagos Logistics", "Africa/Lagos", "Ìkòyí Lekki Apapa Yaba", "Freight Harbour Cargo"),
    ("Maple Ridge", "America/Toronto", "Birch Cedar Aspen Spruce", "Dental Hardware Books"),
    ("Mumbai Textiles", "Asia/Kolkata", "मुंबई सूरत Jaipur Kanpur", "Mills कपड़ा Traders"),
    ("Nairobi Tea", "Africa/Nairobi", "Kericho Limuru Nandi Meru", "Chai Estates Packers"),
    ("Northwind", "America/New_York", "Hudson Liberty Canal Harlem", "Labs Partners Media"),
    ("O'Brien & Sons", "America/Chicago", "Loop Lakeside Prairie O'Hare", "Printers Movers Grill"),
    ("Pacific Reef 🐠", "Pacific/Auckland", "Tūī Kōwhai Mānuka Kererū", "🐚 Dive Charters"),
    ("Río Verde", "America/Sao_Paulo", "Açaí Maracujá Caju Pitanga", "São_João Comércio Praia"),
    ("Smörgås AB", "Europe/Stockholm", "Älvsjö Malmö Umeå Växjö", "Bröd Fisk Kött"),
    ("St. John's Fish", "America/St_Johns", "Signal Quidi Topsail Cape", "Cod Ice Boats"),
    ("Tehran Carpets", "Asia/Tehran", "تبریز اصفهان کاشان قم", "فرش Rugs Loom"),
    ("Thai กาแฟ", "Asia/Bangkok", "เชียงใหม่ ภูเก็ต Ayutthaya Hua_Hin", "กาแฟ Roasters Bar"),
    ("Yangon Rubber", "Asia/Yangon", "Bago Mandalay Dawei Pyay", "ရာဘာ Tyres Boots"),
    ("Żółw", "Europe/Warsaw", "Łódź Gdańsk Kraków Poznań", "Księgarnia Młyn Piekarnia"),
    ("Αθήνα Ναυτιλία", "Europe/Athens", "Πειραιάς Σύρος Χίος Ύδρα", "Πλοία Shipping Λιμάνι"),
    ("Київ Хліб", "Europe/Kyiv", "Поділ Їжак Львів Одеса", "Хліб Млин Кав'ярня"),
    ("חיפה דיגיטל", "Asia/Jerusalem", "כרמל נמל חוף גליל", "תוכנה Labs עיצוב"),
    ("مكتبة القاهرة", "Africa/Cairo", "النيل الأهرام الزمالك المعادي", "للكتب Books للنشر"),
    ("काठमाडौं Air", "Asia/Kathmandu", "Everest Lumbini पोखरा Annapurna", "Flights यात्रा Cargo"),
    ("東京書店", "Asia/Tokyo", "神田 渋谷 ガラパゴス 上野", "書房 Books 文庫"),
    ("서울 카페", "Asia/Seoul", "강남 홍대 이태원 명동", "커피 Bakery 서점"),
]

# The teams whose agent reports every now and then that it is there.
AGENT_TEAMS = {"Café Lumière", "Lagos Logistics", "Maple Ridge", "Smörgås AB"}
# The teams some of whose accounts were imported with accents and syllables taken apart, as some file systems do it.
DECOMPOSED_TEAMS = {"Río Verde", "Smörgås AB", "서울 카페"}
# The team whose product sends both spellings of one name.
MIXED_TEAM = "Hà Nội Soft"


class Chance:
    """A die that rolls the same in every version of Python."""

    def __init__(self):
        self.source = random.Random(SEED)

    def below(self, bound):
        return int(self.source.random() * bound)

    def one_of(self, choices):
        return choices[self.below(len(choices))]

    def happens(self, percent):
        return self.below(100) < percent


def offset_minutes(zone, instant):
    """How far local clocks are ahead of UTC at an instant."""
    standard, *change = ZONES[zone]
    if change and instant.strftime("%Y-%m-%dT%H:%M:%SZ") >= change[0]:
        return change[1]
    return standard


def make_accounts():
    """The accounts as the customer relations system has them: blanks and spellings as somebody typed them."""
    accounts = []
    for team, zone, firsts, seconds in TEAMS:
        names = [f"{a} {b}".replace("_", " ") for a in firsts.split() for b in seconds.split()]
        for position, name in enumerate(names):
            name = unicodedata.normalize("NFC", name)
            decomposed = unicodedata.normalize("NFD", name)
            if team in DECOMPOSED_TEAMS and decomposed != name and position % 4 == 1:
                name = decomposed
            accounts.append({"account_id": len(accounts) + 1001, "team": team, "name": name, "zone": zone})
    return accounts


def active_hours(chance, run_date, zone):
    """The instants at which somebody used the product: in their own days, and some of them late at night."""
    for back in range(7):
        midnight = dt.datetime.combine(run_date - back * DAY, dt.time())
        if not chance.happens(60):
            continue
        late = chance.happens(25)
        for _ in range(1 if late else 2 + chance.below(4)):
            minute = chance.one_of([1420, 5]) + chance.below(15) if late else 480 + chance.below(600)
            local = midnight + dt.timedelta(minutes=minute, seconds=chance.below(60))
            utc = local - dt.timedelta(minutes=offset_minutes(zone, local))
            yield utc


def sent_name(chance, account, position):
    """The name as the product sends it: as it is in the account, sometimes with blanks, sometimes spelt the other way."""
    name = account["name"]
    if account["team"] == MIXED_TEAM and position % 3 == 2:
        name = unicodedata.normalize("NFD", name)
    return name + "  " if chance.happens(3) else name


def make_events(chance, accounts, run_date):
    for account in accounts:
        for position, instant in enumerate(sorted(active_hours(chance, run_date, account["zone"]))):
            name = sent_name(chance, account, position)
            yield instant, name, chance.one_of(["login", "search", "report", "share"])
            if account["team"] in AGENT_TEAMS and chance.happens(40):
                yield instant + dt.timedelta(seconds=40), name, "heartbeat"


def make_invoices(chance, accounts, run_date):
    for account in accounts:
        for _ in range(1 + chance.below(2)):
            due = run_date - chance.below(60) * DAY
            paid = due + chance.below(20) * DAY
            amount = f"{50 + chance.below(950)}.{chance.below(100):02}"
            is_open = paid > run_date or chance.happens(8)
            yield account["account_id"], due, "" if is_open else paid, amount


def make_tickets(chance, accounts, run_date):
    for account in accounts:
        if chance.happens(45):
            for _ in range(1 + chance.below(3)):
                opened = run_date - chance.below(14) * DAY
                yield account["account_id"], opened, chance.one_of(["low", "normal", "urgent"])


def write(path, header, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(header)
        out.writerows(rows)


def zone_rows():
    for zone, (standard, *change) in ZONES.items():
        yield zone, "1970-01-01T00:00:00Z", standard
        if change:
            yield zone, *change


def main(target, weeks=WEEKS):
    chance, accounts = Chance(), make_accounts()
    write(target / "zones.csv", ["zone", "since", "offset_minutes"], zone_rows())
    typed = ([a["account_id"], a["team"], a["name"] + "  " * chance.happens(5), a["zone"]] for a in accounts)
    write(target / "accounts.csv", ["account_id", "team", "name", "zone"], typed)
    for date in (FIRST_RUN_DATE + 7 * week * DAY for week in range(weeks)):
        events = ([f"{at:%Y-%m-%dT%H:%M:%SZ}", name, kind] for at, name, kind in sorted(make_events(chance, accounts, date)))
        write(target / f"events/date={date}/events.csv", ["at", "account", "kind"], events)
        invoices = make_invoices(chance, accounts, date)
        write(target / f"invoices/date={date}/invoices.csv", ["account_id", "due", "paid", "amount"], invoices)
        tickets = make_tickets(chance, accounts, date)
        write(target / f"tickets/date={date}/tickets.csv", ["account_id", "opened", "urgency"], tickets)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), *map(int, sys.argv[2:]))
