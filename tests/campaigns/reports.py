#!/usr/bin/env python3
"""Opens the reports of hostile tables with a real spreadsheet and a real browser.

    python3 tests/campaigns/reports.py [--binary target/debug/understudy] [--payloads 2000] [--seed 1]

It makes two tables whose values, keys, customers and names of columns are texts that are meant to act, compares them with
`understudy diff`, and runs a pipeline over them. Then

* LibreOffice (`soffice`, Debian package libreoffice-calc) opens every CSV with `,` and with `;` as the separator, and no
  cell may be a formula; numbers and dates must be numbers and dates;
* Chromium (`chromium`, Debian package chromium) opens the Markdown, rendered to HTML with raw HTML allowed (the pip
  package markdown-it-py, in an environment of its own), and every report.html; no script may run and nothing may be
  asked for. The pages are opened a second time without their policy, so that the escaping is tried by itself.

Both are shown first to see a formula and a script that are not made harmless. It ends with figures, and with 1 where
something acted.
"""

import argparse
import csv
import http.server
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import venv
import xml.etree.ElementTree as ET
from pathlib import Path

FORMULAS = [
    "=1+1", "+1+1", "-1+1", "@SUM(1,1)", "=cmd|' /C calc'!A1", '=HYPERLINK("http://{host}/h","x")', '=WEBSERVICE("http://{host}/w")',
    '=IMAGE("http://{host}/i.png")', "=DDE(\"soffice\";\"x\";\"y\")", "{=1+1}", "＝1+1", "＋1+1", "－1+1", "＠SUM(1)", "=A1:B2", "-A1", "--1",
    "+cmd|'/C calc'!A0", "-2+3+cmd|'/C calc'!D2", "=TRUE()", "=1e3", "−1+1", "﹦1+1", "=NOW()", "-1-1",
]
BEFORE = ["", "", " ", "  ", "\t", "\r", "\n", "\r\n", "\u00a0", "\u3000", "\ufeff", "\u200b", "\u200d", "\0", '"', "'", ";", ",", "a;", "a,", "a\t",
          "a\n", "a\r\n", 'x"', "\v", "\f", "\u0085", "\u2028", "\u202e", "\u00ad", "\x01", "|", "\x1b[0m", 'a";', 'a",']
AFTER = ["", "", '"', "'", ";=1+1", ",=1+1", "\n=1+1", "\t@A1", " ", ";", '"=1', "é", '";=1+1;"']
MARKUP = [
    "<script>fetch('http://{host}/s')</script>", "<script src=http://{host}/x.js></script>", "<img src=http://{host}/g onerror=fetch('http://{host}/e')>",
    "<svg onload=fetch('http://{host}/v')>", "</code><script>fetch('http://{host}/c')</script>", "<iframe src=http://{host}/f></iframe>",
    "![x](http://{host}/p.png)", "[x](javascript:fetch('http://{host}/j'))", "<style>@import 'http://{host}/y';</style>",
    "<link rel=stylesheet href=http://{host}/l.css>", "<meta http-equiv=refresh content=\"0;url=http://{host}/m\">",
    "`<script>fetch('http://{host}/b')</script>`", "```\n<img src=http://{host}/t>\n```", "| a | <img src=http://{host}/a> |",
    "\\`<img src=http://{host}/q>", "\\\\`<img src=http://{host}/r>", "--><img src=http://{host}/n>", "<details open ontoggle=fetch('http://{host}/d')>",
    "<base href=http://{host}/>", "<object data=http://{host}/o></object>", "<video src=http://{host}/vid>", "``<img src=http://{host}/z>``",
]
SCREEN = ["\x1b[31mred", "\x1b]0;t\x07", "\u009b31m", "\u202ecod.exe", "\u2066x\u2069", "\u200bx", "\ufeffx", "a\bb", "\x7f", "\u061cx"]


def payloads(count, seed, host):
    generator = random.Random(seed)
    texts = dict.fromkeys(text.replace("{host}", host) for text in FORMULAS + MARKUP + SCREEN)
    while len(texts) < count:
        core = generator.choice([FORMULAS, FORMULAS, MARKUP, MARKUP, SCREEN])
        parts = [generator.choice(BEFORE), generator.choice(BEFORE), generator.choice(core), generator.choice(AFTER)]
        texts["".join(parts).replace("{host}", host)] = None
    return list(texts)[:count]


def field(text):
    return '"' + text.replace('"', '""') + '"'


def write_tables(folder, texts):
    head = "id,who,text,amount,day\n"
    old, new = [head], [head]
    for row, text in enumerate(texts):
        quoted, day = field(text), row % 27 + 1
        old.append(f"{quoted},{quoted},{quoted},{row},2026-01-{day:02}\n")
        changed = field(text + "!")
        new.append([
            f"{quoted},{quoted},{changed},{-2 - row}.5,2026-02-{day:02}\n",
            f"{changed},{quoted},{quoted},{row},2026-01-{day:02}\n",
            f"{quoted},{quoted},x,-1.5,2026-01-{day:02}\n",
        ][row % 3])
    (folder / "old.csv").write_text("".join(old), encoding="utf-8", newline="")
    (folder / "new.csv").write_text("".join(new), encoding="utf-8", newline="")
    names = [text for text in texts if text.strip()]
    for part in range(0, len(names), 250):
        some = names[part:part + 250]
        header = "id," + ",".join(field(name) for name in some) + "\n"
        for side in ("old", "new"):
            rows = f"1{',same' * len(some)}\n2{(',' + side) * len(some)}\n"
            (folder / f"names{part}.{side}.csv").write_text(header + rows, encoding="utf-8", newline="")


def run(binary, folder, *arguments, codes=(0, 1)):
    ended = subprocess.run([binary, *arguments], cwd=folder, capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"})
    if ended.returncode not in codes:
        sys.exit(f"{arguments} ended with {ended.returncode}: {ended.stdout}{ended.stderr}")
    return ended


PIPELINE = """\
pipeline: hostile
datasets: {{ rows: {{ location: old.csv }} }}
tasks:
  made:
    inputs: [rows]
    output: {{ location: live/made, grain: [id], customer: who }}
    live: v1
    versions:
      v1: {{ sql: v1.sql }}
      v2: {{ sql: v2.sql }}
changes:
  better: {{ new: {{ made: v2 }} }}
"""


def reports(binary, folder, texts):
    """Makes every report, and gives the CSV files, the Markdown and the pages."""
    write_tables(folder, texts)
    run(binary, folder, "diff", "old.csv", "new.csv", "--key", "id", "--customer", "who", "--out", "report")
    run(binary, folder, "diff", "old.csv", "new.csv", "--customer", "who", "--out", "report_unkeyed")
    for old in sorted(folder.glob("names*.old.csv")):
        new = old.name.replace(".old.", ".new.")
        run(binary, folder, "diff", old.name, new, "--key", "id", "--out", f"report_{old.name[:-8]}")
    (folder / "understudy.yaml").write_text(PIPELINE.format())
    (folder / "v1.sql").write_text("SELECT * FROM rows\n")
    (folder / "v2.sql").write_text("SELECT id, who, text || '!' AS text, amount - 1.5 AS amount, day FROM rows WHERE amount > 15\n")
    markdown = []
    # Few customers have examples in a report, so each part of the payloads has a run of its own.
    everything = (folder / "old.csv").read_text(encoding="utf-8")
    rows = list(csv.reader(everything.splitlines(keepends=True)))
    for part in range(1, len(rows), 100):
        some = [rows[0]] + rows[part:part + 100]
        with open(folder / "old.csv", "w", encoding="utf-8", newline="") as file:
            csv.writer(file, quoting=csv.QUOTE_ALL).writerows(some)
        run(binary, folder, "run", "--date", "2026-01-31", "--markdown", f"report{part}.md")
        markdown.append(folder / f"report{part}.md")
    (folder / "old.csv").write_text(everything, encoding="utf-8", newline="")
    inputs = {"old.csv", "new.csv"}
    files = [path for path in folder.rglob("*.csv") if path.name not in inputs and not path.name.startswith("names")]
    return files, markdown, sorted(folder.rglob("report.html"))


OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0"
TEXT = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"


def opened(folder, path, separator):
    """The cells of a CSV as LibreOffice understands it, as (formula, type, text)."""
    out = folder / "opened"
    shutil.rmtree(out, ignore_errors=True)
    # UTF-8, all columns as they look, detecting special numbers, evaluating formulas: the most that a user can ask for.
    options = f"Text - txt - csv (StarCalc):{ord(separator)},34,76,1,,1033,false,true,false,false,false,-1,true"
    command = ["soffice", "--headless", f"-env:UserInstallation=file://{folder}/profile", f"--infilter={options}", "--convert-to", "fods", "--outdir", out, path]
    subprocess.run([str(part) for part in command], check=True, capture_output=True, timeout=600)
    files = list(out.glob("*.fods"))
    tree = ET.parse(files[0])
    cells = []
    rows = tree.iter(f"{{{TABLE}}}table-row")
    several = ((row, int(row.get(f"{{{TABLE}}}number-rows-repeated", "1"))) for row in rows)
    for cell in (cell for row, times in several if times < 1000 for _ in range(times) for cell in row.iter(f"{{{TABLE}}}table-cell")):
        repeated = int(cell.get(f"{{{TABLE}}}number-columns-repeated", "1"))
        text = "\n".join("".join(part.itertext()) for part in cell.iter(f"{{{TEXT}}}p"))
        # Equal cells beside each other are written once; so are rows.
        if repeated < 1000:
            cells += [(cell.get(f"{{{TABLE}}}formula"), cell.get(f"{{{OFFICE}}}value-type"), text)] * repeated
    return cells


def check_csv(folder, files):
    probe = folder / "probe.csv"
    probe.write_text("a,b,c\n=1+1,-1.5,2026-01-02\n")
    cells = opened(folder, probe, ",")
    if not any(formula for formula, _, _ in cells):
        sys.exit("LibreOffice does not see the formula of the probe: the check sees nothing")
    kinds = [kind for _, kind, _ in cells[4:]]
    if "date" not in kinds or "float" not in kinds:
        sys.exit(f"LibreOffice does not see the number and the date of the probe: {cells}")
    counts = {"files": 0, "cells": 0, "formulas": 0, "numbers": 0, "dates": 0, "wrong": 0}
    for path in files:
        plain = list(csv.reader(open(path, encoding="utf-8", newline="")))
        for separator in ",;":
            cells = opened(folder, path, separator)
            counts["files"] += 1
            counts["cells"] += len(cells)
            for formula, kind, text in cells:
                if formula:
                    counts["formulas"] += 1
                    print(f"FORMULA in {path} with {separator!r}: {formula!r} {text!r}")
                counts["numbers"] += kind in ("float", "percentage", "currency")
                counts["dates"] += kind == "date"
            if separator == ",":
                counts["wrong"] += check_kinds(path, plain, cells)
    return counts


def check_kinds(path, plain, cells):
    """Every number and date of the report is one in the spreadsheet as well."""
    number, date = re.compile(r"-?\d+(\.\d+)?"), re.compile(r"\d{4}-\d\d-\d\d")
    fields = [field for row in plain[1:] for field in row]
    numbers = sum(bool(number.fullmatch(field)) for field in fields)
    dates = sum(bool(date.fullmatch(field)) for field in fields)
    found = sum(kind in ("float", "percentage", "currency") for _, kind, _ in cells)
    found_dates = sum(kind == "date" for _, kind, _ in cells)
    wrong = max(0, numbers - found) + max(0, dates - found_dates)
    if wrong:
        print(f"{path}: {numbers} numbers and {dates} dates, of which the spreadsheet has {found} and {found_dates}")
    return wrong


class Asked(http.server.BaseHTTPRequestHandler):
    asked = []

    def do_GET(self):
        Asked.asked.append(self.path)
        self.send_response(204)
        self.end_headers()

    do_POST = do_GET

    def log_message(self, *_):
        pass


def render(folder, files):
    """Renders Markdown to HTML with raw HTML allowed, by a library that hosts of pull requests use the like of."""
    home = folder / "python"
    venv.create(home, with_pip=True)
    subprocess.run([home / "bin/pip", "install", "-q", "markdown-it-py", "linkify-it-py"], check=True)
    script = (
        "import sys\nfrom markdown_it import MarkdownIt\n"
        "md = MarkdownIt('commonmark', {'html': True, 'linkify': True}).enable(['table', 'strikethrough', 'linkify'])\n"
        "for path in sys.argv[1:]:\n"
        "    html = md.render(open(path, encoding='utf-8').read())\n"
        "    open(path + '.html', 'w', encoding='utf-8').write('<!doctype html><meta charset=utf-8><body>' + html)\n"
    )
    subprocess.run([home / "bin/python", "-c", script, *files], check=True)
    return [Path(f"{path}.html") for path in files]


def browse(folder, page):
    # Its own start is quiet, so whatever is asked for is the page's.
    command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync", "--no-first-run",
               f"--user-data-dir={folder}/browser", "--virtual-time-budget=3000", "--dump-dom", f"file://{page}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=300).stdout


def check_markdown(folder, files, host):
    probe = folder / "probe.md"
    probe.write_text(f"<script>document.title='ran'; fetch('http://{host}/probe')</script>\n\n<img src=http://{host}/probe2>\n")
    pages = render(folder, [probe, *files])
    dom = browse(folder, pages[0])
    if "<title>ran</title>" not in dom or not any("probe" in path for path in Asked.asked):
        sys.exit(f"the browser does not run the script of the probe: the check sees nothing ({Asked.asked})")
    Asked.asked.clear()
    counts = {"pages": 0, "scripts": 0, "elements": 0, "requests": 0, "codes": 0}
    ours = {"html", "head", "meta", "body", "h2", "h3", "p", "code", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "strong", "blockquote", "hr", "em"}
    for page in pages[1:]:
        dom = browse(folder, page)
        counts["pages"] += 1
        tags = {tag.lower() for tag in re.findall(r"<([a-zA-Z][a-zA-Z0-9]*)", dom)}
        counts["codes"] += dom.count("<code>")
        counts["scripts"] += "script" in tags
        for tag in tags - ours:
            counts["elements"] += 1
            print(f"{page}: an element <{tag}> that is not ours")
    counts["requests"] = len(Asked.asked)
    if Asked.asked:
        print("asked for:", Asked.asked[:20])
    return counts


POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
PAGE = {
    "html", "head", "meta", "title", "style", "header", "main", "footer", "nav", "section", "h1", "h2", "h3", "h4", "p", "ul", "li", "dl", "dt",
    "dd", "div", "table", "caption", "thead", "tbody", "tr", "th", "td", "span", "strong", "small", "b", "i", "bdi", "code", "a", "del", "ins",
    "mark", "body",
}


def check_pages(folder, pages, host):
    """Every page, with its policy and without it."""
    probe = folder / "probe.html"
    probe.write_text(f"<!doctype html><title>x</title><body><script>document.title='ran'; fetch('http://{host}/probe')</script>")
    if "<title>ran</title>" not in browse(folder, probe):
        sys.exit("the browser does not run the script of the probe: the check sees nothing")
    Asked.asked.clear()
    counts = {"pages": 0, "scripts": 0, "elements": 0, "requests": 0, "marks": 0, "bytes": 0}
    for page in pages:
        text = page.read_text(encoding="utf-8")
        counts["bytes"] = max(counts["bytes"], len(text.encode()))
        bare = folder / "bare.html"
        bare.write_text(POLICY.sub("", text), encoding="utf-8")
        if not POLICY.search(text):
            sys.exit(f"{page} has no policy")
        for opened_page in (page, bare):
            dom = browse(folder, opened_page)
            counts["pages"] += 1
            counts["marks"] += dom.count("<del>") + dom.count("<ins>")
            tags = {tag.lower() for tag in re.findall(r"<([a-zA-Z][a-zA-Z0-9]*)", dom.split("</style>")[-1])}
            counts["scripts"] += "script" in tags
            for tag in tags - PAGE:
                counts["elements"] += 1
                print(f"{page}: an element <{tag}> that is not ours")
    counts["requests"] = len(Asked.asked)
    if Asked.asked:
        print("asked for:", Asked.asked[:20])
    if not counts["marks"]:
        sys.exit("no page has a mark: the check sees nothing")
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default="target/debug/understudy")
    parser.add_argument("--payloads", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    binary = str(Path(arguments.binary).resolve())
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Asked)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host = f"127.0.0.1:{server.server_port}"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        texts = payloads(arguments.payloads, arguments.seed, host)
        files, markdown, pages = reports(binary, folder, texts)
        Asked.asked.clear()
        found = {"payloads": len(texts)}
        for what, program, check in (
            ("spreadsheet", "soffice", lambda: check_csv(folder, files)),
            ("browser", "chromium", lambda: check_markdown(folder, markdown, host)),
            ("pages", "chromium", lambda: check_pages(folder, pages, host)),
        ):
            if shutil.which(program):
                found[what] = check()
            else:
                print(f"{program} is not installed: not checked", file=sys.stderr)
    print(json.dumps(found, indent=2))
    bad = [found.get("spreadsheet", {}).get(key, 0) for key in ("formulas", "wrong")]
    bad += [found.get(what, {}).get(key, 0) for what in ("browser", "pages") for key in ("scripts", "elements", "requests")]
    sys.exit(1 if any(bad) else 0)


if __name__ == "__main__":
    main()
