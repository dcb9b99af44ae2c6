//! Colour, where it helps. No word is left out because a colour says it.

use std::io::IsTerminal;

/// The codes (ECMA-48, SGR) of all tones: bad, doubt, good, strong, quiet, plain.
pub(super) const CODES: [&str; 6] = ["1;31", "1;33", "32", "1", "2", "0"];

/// Whether to use colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Ink {
    /// Characters only.
    #[default]
    Plain,
    /// With colour.
    Colour,
}

/// What the text goes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Surface {
    /// A terminal.
    Terminal,
    /// A file, a pipe or whatever else.
    Other,
}

/// What a text means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tone {
    Bad,
    Doubt,
    Good,
    Strong,
    Quiet,
    Plain,
}

impl Surface {
    /// What a stream is.
    #[must_use]
    pub fn of(stream: &impl IsTerminal) -> Self {
        if stream.is_terminal() {
            Self::Terminal
        } else {
            Self::Other
        }
    }
}

impl Ink {
    /// Colour on a terminal that can show it, unless the environment says no: `NO_COLOR` with anything in it
    /// (<https://no-color.org>), or `TERM=dumb`.
    #[must_use]
    pub fn choose(surface: Surface, env: impl Fn(&str) -> Option<String>) -> Self {
        let no_color = env("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = env("TERM").is_some_and(|term| term == "dumb");
        if surface == Surface::Terminal && !no_color && !dumb {
            Self::Colour
        } else {
            Self::Plain
        }
    }

    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        if self == Self::Plain || tone == Tone::Plain || text.trim().is_empty() {
            return text.to_owned();
        }
        let [bad, doubt, good, strong, quiet, plain] = CODES;
        let code = match tone {
            Tone::Bad => bad,
            Tone::Doubt => doubt,
            Tone::Good => good,
            Tone::Strong => strong,
            Tone::Quiet => quiet,
            Tone::Plain => plain,
        };
        format!("\x1b[{code}m{text}\x1b[{plain}m")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_needs_a_terminal_and_nobody_against_it() {
        let check = |surface, env: &[(&str, &str)], ink| {
            let env = |name: &str| {
                env.iter()
                    .find(|(known, _)| *known == name)
                    .map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(Ink::choose(surface, env), ink);
        };
        check(Surface::Terminal, &[], Ink::Colour);
        check(
            Surface::Terminal,
            &[("TERM", "xterm"), ("NO_COLOR", "")],
            Ink::Colour,
        );
        check(Surface::Terminal, &[("NO_COLOR", "1")], Ink::Plain);
        check(Surface::Terminal, &[("TERM", "dumb")], Ink::Plain);
        check(Surface::Other, &[("TERM", "xterm")], Ink::Plain);
    }

    #[test]
    fn plain_ink_adds_nothing() {
        assert_eq!(Ink::Plain.paint(Tone::Bad, "UNEXPECTED"), "UNEXPECTED");
        assert_eq!(
            Ink::Colour.paint(Tone::Bad, "UNEXPECTED"),
            "\x1b[1;31mUNEXPECTED\x1b[0m"
        );
        assert_eq!(Ink::Colour.paint(Tone::Bad, "  "), "  ");
    }
}
