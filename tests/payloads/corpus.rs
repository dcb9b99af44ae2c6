//! The payloads, from a seed: whatever spreadsheets, browsers and terminals have been made to do by texts.

/// How many there are.
const COUNT: usize = 2_000;

const FORMULAS: &[&str] = &[
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1,1)",
    "=cmd|' /C calc'!A1",
    "=HYPERLINK(\"http://127.0.0.1/x\",\"x\")",
    "=WEBSERVICE(\"http://127.0.0.1/\")",
    "=IMPORTXML(\"http://127.0.0.1/\",\"//a\")",
    "=IMAGE(\"http://127.0.0.1/x.png\")",
    "DDE(\"cmd\",\"/C calc\",\"x\")",
    "=DDE(\"soffice\";\"x\";\"y\")",
    "=MSEXCEL|'\\..\\..\\Windows\\System32\\cmd.exe /c calc'!''",
    "@A1",
    "=A1:B2",
    "{=1+1}",
    "=\"\"",
    "＝1+1",
    "＋1+1",
    "－1+1",
    "＠SUM(1)",
    "=-1",
    "-A1",
    "+cmd|'/C calc'!A0",
    "-2+3+cmd|'/C calc'!D2",
    "=RTD(\"x\",,\"y\")",
    "=LAMBDA(x,x)(1)",
    "−1+1",
    "﹦1+1",
    "=1e3",
    "--1",
    "=TRUE",
    "-1,5",
    "=2026-01-01",
];
const BEFORE: &[&str] = &[
    "",
    "",
    " ",
    "  ",
    "\t",
    "\r",
    "\n",
    "\r\n",
    "\u{a0}",
    "\u{3000}",
    "\u{feff}",
    "\u{200b}",
    "\u{200d}",
    "\0",
    "\"",
    "'",
    "''",
    "\"'",
    ";",
    ",",
    "a;",
    "a,",
    "a\t",
    "a\n",
    "a\r\n",
    "x\"",
    "\u{b}",
    "\u{c}",
    "\u{85}",
    "\u{2028}",
    "\u{202e}",
    "\u{ad}",
    "\u{1}",
    "|",
    "a|",
    "\u{2003}",
    "\u{1b}[0m",
    "0;",
    "a\";",
    "a\",",
];
const MARKUP: &[&str] = &[
    "<script>alert(1)</script>",
    "<script src=http://127.0.0.1:9/x.js></script>",
    "<img src=http://127.0.0.1:9/x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "</code><script>alert(1)</script>",
    "<iframe src=http://127.0.0.1:9/></iframe>",
    "<a href=javascript:alert(1)>x</a>",
    "[x](javascript:alert(1))",
    "![x](http://127.0.0.1:9/x.png)",
    "[x]: http://127.0.0.1:9/",
    "<http://127.0.0.1:9/>",
    "`<script>alert(1)</script>`",
    "``` \n<script>alert(1)</script>\n```",
    "| a | b |",
    "\\`<img src=x onerror=alert(1)>",
    "--><script>alert(1)</script>",
    "]]><script>alert(1)</script>",
    "<!--",
    "<![CDATA[",
    "<?xml?>",
    "&lt;script&gt;",
    "&#x3c;script>",
    "\"><script>alert(1)</script>",
    "' onmouseover='alert(1)",
    "<style>@import 'http://127.0.0.1:9/'</style>",
    "<link rel=stylesheet href=http://127.0.0.1:9/x.css>",
    "<meta http-equiv=refresh content=0;url=http://127.0.0.1:9/>",
    "<base href=http://127.0.0.1:9/>",
    "@everyone",
    "#1",
    "<details open ontoggle=alert(1)>",
    "<math><mtext><script>alert(1)</script>",
    "# head",
    "> quote",
    "- item",
    "***",
    "~~~\n<script>alert(1)</script>\n~~~",
    "http://127.0.0.1:9/",
];
const SCREEN: &[&str] = &[
    "\u{1b}[31mred",
    "\u{1b}[2J\u{1b}[H",
    "\u{1b}]0;title\u{7}",
    "\u{1b}]8;;http://127.0.0.1/\u{1b}\\x\u{1b}]8;;\u{1b}\\",
    "\u{1b}]52;c;AAAA\u{7}",
    "\u{1b}P$q\"p\u{1b}\\",
    "\u{1b}c",
    "\u{9b}31m",
    "\u{9d}0;x\u{9c}",
    "\u{90}x\u{9c}",
    "\u{1b}[6n",
    "\u{1b}[?1049h",
    "\u{1b}_x\u{1b}\\",
    "a\u{8}\u{8}b",
    "a\rb",
    "\u{7}",
    "\u{7f}",
    "\u{202e}cod.exe",
    "\u{202d}x\u{202c}",
    "\u{2066}x\u{2069}",
    "\u{2067}y\u{2069}",
    "\u{200e}x",
    "\u{200f}x",
    "\u{61c}x",
    "\u{200b}x",
    "\u{2060}x",
    "\u{feff}x",
    "\u{e0041}\u{e007f}",
    "\u{fff9}a\u{fffa}b\u{fffb}",
    "\u{180e}x",
    "\u{1b}[1;31m",
    "\u{1b}[0m",
    "\u{1b}[8mhidden",
    "\u{84}",
    "\u{85}x",
    "\u{2028}x\u{2029}",
    "a\u{b}b\u{c}c",
    "\0",
    "\u{1b}",
    "%1b[31m",
];
const AFTER: &[&str] = &[
    "",
    "",
    "",
    "\"",
    "'",
    ";=1+1",
    ",=1+1",
    "\n=1+1",
    "\r\n+1",
    "\t@A1",
    "\u{202c}",
    "\u{1b}[0m",
    " ",
    ";",
    "\"=1",
    "é",
    "\";=1+1;\"",
];

/// A generator of the same numbers each time (SplitMix64, Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % limit as u64).unwrap()
    }

    fn of<'a>(&mut self, texts: &[&'a str]) -> &'a str {
        texts[self.below(texts.len())]
    }
}

/// All of them, each once.
pub(crate) fn payloads() -> Vec<String> {
    let mut random = Random(20_260_131);
    let mut all: Vec<String> = [FORMULAS, MARKUP, SCREEN]
        .concat()
        .into_iter()
        .map(str::to_owned)
        .collect();
    let mut seen: std::collections::HashSet<String> = all.iter().cloned().collect();
    while all.len() < COUNT {
        let core = match random.below(5) {
            0 | 1 => FORMULAS,
            2 => MARKUP,
            3 => SCREEN,
            _ => AFTER,
        };
        let text = format!(
            "{}{}{}{}",
            random.of(BEFORE),
            random.of(BEFORE),
            random.of(core),
            random.of(AFTER)
        );
        if seen.insert(text.clone()) {
            all.push(text);
        }
    }
    assert_eq!(all.len(), COUNT);
    all
}
