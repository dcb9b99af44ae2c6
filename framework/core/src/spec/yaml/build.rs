//! From the parser's events to the tree.

use std::collections::BTreeMap;
use std::rc::Rc;

use granit_parser::{Event, Marker, Options, Parser, ScalarStyle, Span, Tag};

use understudy_sabotage::Sabotage;

use super::error::{YamlError, YamlErrorKind};
use super::{BEGINNING, Data, Key, Mark, Node, Scalar};

/// The most bytes that a file has.
const MAX_BYTES: usize = 1 << 20;
/// How deep lists and mappings may stand in each other.
const MAX_DEPTH: usize = 32;
/// The most values that a file has, with aliases written out.
const MAX_NODES: usize = 100_000;
/// The most aliases that a file has.
const MAX_ALIASES: usize = 64;

/// Reads a text as one tree.
///
/// # Errors
/// The text is not YAML, uses what is not read, or is beyond a limit.
pub(crate) fn parse(text: &str) -> Result<Node, YamlError> {
    parse_up_to(MAX_NODES, text)
}

/// The same of a file that is one long list of many: only its length bounds how many values it has.
///
/// # Errors
/// As [`parse`].
pub(crate) fn parse_flat(text: &str) -> Result<Node, YamlError> {
    parse_up_to(MAX_BYTES, text)
}

fn parse_up_to(max_nodes: usize, text: &str) -> Result<Node, YamlError> {
    let refuse = |kind| {
        Err(YamlError {
            mark: BEGINNING,
            kind,
        })
    };
    if text.len() > MAX_BYTES && !Sabotage::LooseYaml.is_on() {
        return refuse(YamlErrorKind::TooLong {
            bytes: text.len(),
            limit: MAX_BYTES,
        });
    }
    let mut tree = Builder {
        max_nodes,
        ..Builder::default()
    };
    for next in Parser::new_from_str_with_options(text, options()) {
        let (event, span) = next.map_err(|error| YamlError {
            mark: mark(*error.marker()),
            kind: YamlErrorKind::Syntax(error.info()),
        })?;
        let mark = mark(span.start);
        tree.take(event, span)
            .map_err(|kind| YamlError { mark, kind })?;
    }
    tree.root.map_or_else(|| refuse(YamlErrorKind::Empty), Ok)
}

fn options() -> Options {
    let mut options = Options::default();
    if Sabotage::LooseYaml.is_on() {
        return options;
    }
    options.disallow_directives = true;
    options.flow_nesting_limit = MAX_DEPTH;
    options.block_nesting_limit = MAX_DEPTH;
    options.set_emit_comments(false);
    options
}

fn mark(marker: Marker) -> Mark {
    Mark {
        line: marker.line(),
        column: marker.col() + 1,
        offset: marker.byte_offset().unwrap_or(0),
    }
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    aliases: usize,
    nodes: usize,
    max_nodes: usize,
    documents: usize,
    root: Option<Node>,
}

/// A list or mapping whose end has not come yet.
struct Open {
    mark: Mark,
    anchor: usize,
    key: Option<Key>,
    data: Data,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), YamlErrorKind> {
        let mark = mark(span.start);
        match event {
            Event::DocumentStart(..) => self.document(),
            Event::Scalar(text, style, anchor, tag) => {
                no_tag(tag.as_deref())?;
                let scalar = scalar(&text, style, span);
                self.finished(anchor, node(mark, Data::Scalar(scalar)))
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.opened(mark, anchor, tag.as_deref(), Data::List(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                self.opened(mark, anchor, tag.as_deref(), Data::Map(Vec::new()))
            }
            Event::SequenceEnd | Event::MappingEnd => self.closed(),
            Event::Alias(anchor) => self.alias(anchor),
            _ => Ok(()),
        }
    }

    fn document(&mut self) -> Result<(), YamlErrorKind> {
        self.documents += 1;
        if self.documents > 1 {
            Err(YamlErrorKind::SecondDocument)
        } else {
            Ok(())
        }
    }

    fn opened(
        &mut self,
        mark: Mark,
        anchor: usize,
        tag: Option<&Tag>,
        data: Data,
    ) -> Result<(), YamlErrorKind> {
        no_tag(tag)?;
        if self.open.len() >= MAX_DEPTH {
            return Err(YamlErrorKind::TooDeep(MAX_DEPTH));
        }
        self.open.push(Open {
            mark,
            anchor,
            key: None,
            data,
        });
        Ok(())
    }

    fn closed(&mut self) -> Result<(), YamlErrorKind> {
        match self.open.pop() {
            Some(open) => self.finished(open.anchor, node(open.mark, open.data)),
            None => Ok(()),
        }
    }

    fn alias(&mut self, anchor: usize) -> Result<(), YamlErrorKind> {
        self.aliases += 1;
        if self.aliases > MAX_ALIASES && !Sabotage::LooseYaml.is_on() {
            return Err(YamlErrorKind::TooManyAliases(MAX_ALIASES));
        }
        let node = self
            .anchors
            .get(&anchor)
            .cloned()
            .ok_or(YamlErrorKind::EndlessAlias)?;
        self.nodes = self.nodes.saturating_add(node.weight - 1);
        self.finished(0, node)
    }

    fn finished(&mut self, anchor: usize, node: Node) -> Result<(), YamlErrorKind> {
        self.nodes = self.nodes.saturating_add(1);
        if self.nodes > self.max_nodes && !Sabotage::LooseYaml.is_on() {
            return Err(YamlErrorKind::TooMany(self.max_nodes));
        }
        if self.open.len() + node.depth > MAX_DEPTH {
            return Err(YamlErrorKind::TooDeep(MAX_DEPTH));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        self.place(node)
    }

    fn place(&mut self, node: Node) -> Result<(), YamlErrorKind> {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match (&mut open.data, open.key.take()) {
            (Data::List(items), _) => items.push(node),
            (Data::Map(entries), Some(key)) => entries.push((key, node)),
            (Data::Map(_), None) => open.key = Some(key(&node)?),
            (Data::Scalar(_), _) => {}
        }
        Ok(())
    }
}

fn node(mark: Mark, data: Data) -> Node {
    let children = || {
        let items = if let Data::List(items) = &data {
            items.as_slice()
        } else {
            &[]
        };
        let entries = if let Data::Map(entries) = &data {
            entries.as_slice()
        } else {
            &[]
        };
        items.iter().chain(entries.iter().map(|(_, node)| node))
    };
    let weight = children().fold(1_usize, |sum, node| sum.saturating_add(node.weight));
    let depth = 1 + children().map(|node| node.depth).max().unwrap_or(0);
    Node {
        mark,
        data: Rc::new(data),
        weight,
        depth,
    }
}

/// The parser writes `~` for nothing at all; here nothing stays nothing.
fn scalar(text: &str, style: ScalarStyle, span: Span) -> Scalar {
    let plain = style == ScalarStyle::Plain;
    let text = if plain && span.is_empty() { "" } else { text };
    Scalar {
        text: text.to_owned(),
        plain,
    }
}

fn key(node: &Node) -> Result<Key, YamlErrorKind> {
    let scalar = node.scalar().ok_or(YamlErrorKind::KeyIsNoText)?;
    if scalar.plain && scalar.text == "<<" {
        return Err(YamlErrorKind::MergeKey);
    }
    Ok(Key {
        text: scalar.text.clone(),
        mark: node.mark,
    })
}

fn no_tag(tag: Option<&Tag>) -> Result<(), YamlErrorKind> {
    tag.map_or(Ok(()), |tag| Err(YamlErrorKind::Tag(tag.original())))
}
