//! In which domain the values of two columns are compared.

use arrow::datatypes::{DataType, FieldRef, IntervalUnit};

use super::number::{NumberType, number_type, pair_numbers};

/// The domain that the values of both sides are taken into before they are compared.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Domain {
    /// Only NULL.
    Null,
    Boolean,
    Integer,
    /// Integers and decimals, at this scale.
    Decimal {
        scale: i8,
    },
    /// Floats, and integers that every float of the other side's width holds.
    Float,
    Text,
    Binary,
    Date,
    Time,
    /// Timestamps of both kinds: with a zone they are instants, without one readings of some clock.
    Timestamp,
    Duration,
    Interval,
    List(Box<Domain>),
    /// Fields by name, sorted by it.
    Struct(Vec<(String, Domain)>),
    Map(Box<Domain>, Box<Domain>),
}

/// How two types of one column relate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Relation {
    /// The same type, in whatever encoding.
    Same,
    /// Not written alike, and yet the same values: units and zone labels.
    Noted,
    /// Different types, one of which holds every value of the other.
    Changed,
}

/// The domain in which two types can be compared without loss, and how they relate; `None` if there is none.
pub(crate) fn pair_types(old: &DataType, new: &DataType) -> Option<(Domain, Relation)> {
    let (old, new) = (decoded(old), decoded(new));
    if let (Some(old), Some(new)) = (number_type(old), number_type(new)) {
        return pair_numbers(old, new);
    }
    match (old, new) {
        (DataType::Null, DataType::Null) => Some((Domain::Null, Relation::Same)),
        (DataType::Null, other) | (other, DataType::Null) => {
            pair_types(other, other).map(|(domain, _)| (domain, Relation::Changed))
        }
        (DataType::Boolean, DataType::Boolean) => Some((Domain::Boolean, Relation::Same)),
        _ => pair_texts(old, new)
            .or_else(|| pair_times(old, new))
            .or_else(|| pair_nested(old, new)),
    }
}

/// The type behind an encoding.
pub(crate) fn decoded(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::Dictionary(_, values) => decoded(values),
        DataType::RunEndEncoded(_, values) => decoded(values.data_type()),
        other => other,
    }
}

fn pair_texts(old: &DataType, new: &DataType) -> Option<(Domain, Relation)> {
    use DataType::{Binary, BinaryView, FixedSizeBinary, LargeBinary, LargeUtf8, Utf8, Utf8View};
    match (old, new) {
        (Utf8 | LargeUtf8 | Utf8View, Utf8 | LargeUtf8 | Utf8View) => {
            Some((Domain::Text, Relation::Same))
        }
        (Binary | LargeBinary | BinaryView, Binary | LargeBinary | BinaryView) => {
            Some((Domain::Binary, Relation::Same))
        }
        (FixedSizeBinary(old), FixedSizeBinary(new)) => {
            (old == new).then_some((Domain::Binary, Relation::Same))
        }
        (FixedSizeBinary(_), Binary | LargeBinary | BinaryView)
        | (Binary | LargeBinary | BinaryView, FixedSizeBinary(_)) => {
            Some((Domain::Binary, Relation::Changed))
        }
        _ => None,
    }
}

fn pair_times(old: &DataType, new: &DataType) -> Option<(Domain, Relation)> {
    use DataType::{Date32, Date64, Duration, Interval, Time32, Time64, Timestamp};
    let noted = if old == new {
        Relation::Same
    } else {
        Relation::Noted
    };
    match (old, new) {
        (Date32 | Date64, Date32 | Date64) => {
            let relation = if old == new {
                Relation::Same
            } else {
                Relation::Changed
            };
            Some((Domain::Date, relation))
        }
        (Time32(_) | Time64(_), Time32(_) | Time64(_)) => Some((Domain::Time, noted)),
        (Timestamp(_, old_zone), Timestamp(_, new_zone)) => {
            (old_zone.is_some() == new_zone.is_some()).then_some((Domain::Timestamp, noted))
        }
        (Duration(_), Duration(_)) => Some((Domain::Duration, noted)),
        (Interval(old), Interval(new)) => pair_intervals(*old, *new),
        _ => None,
    }
}

fn pair_intervals(old: IntervalUnit, new: IntervalUnit) -> Option<(Domain, Relation)> {
    let held = [old, new].contains(&IntervalUnit::MonthDayNano);
    match old == new {
        true => Some((Domain::Interval, Relation::Same)),
        false => held.then_some((Domain::Interval, Relation::Changed)),
    }
}

fn pair_nested(old: &DataType, new: &DataType) -> Option<(Domain, Relation)> {
    use DataType::{FixedSizeList, LargeList, LargeListView, List, ListView, Map, Struct};
    match (old, new) {
        (
            List(old) | LargeList(old) | ListView(old) | LargeListView(old),
            List(new) | LargeList(new) | ListView(new) | LargeListView(new),
        ) => pair_lists(old, new, Relation::Same),
        (FixedSizeList(old, old_len), FixedSizeList(new, new_len)) => {
            if old_len == new_len {
                pair_lists(old, new, Relation::Same)
            } else {
                None
            }
        }
        (
            FixedSizeList(old, _),
            List(new) | LargeList(new) | ListView(new) | LargeListView(new),
        )
        | (
            List(old) | LargeList(old) | ListView(old) | LargeListView(old),
            FixedSizeList(new, _),
        ) => pair_lists(old, new, Relation::Changed),
        (Struct(old), Struct(new)) => pair_structs(old, new),
        (Map(old, _), Map(new, _)) => pair_maps(old, new),
        _ => None,
    }
}

fn pair_lists(old: &FieldRef, new: &FieldRef, at_least: Relation) -> Option<(Domain, Relation)> {
    let (items, relation) = pair_types(old.data_type(), new.data_type())?;
    Some((Domain::List(Box::new(items)), relation.max(at_least)))
}

fn pair_structs(old: &[FieldRef], new: &[FieldRef]) -> Option<(Domain, Relation)> {
    let (old, new) = (sorted_fields(old)?, sorted_fields(new)?);
    if old.len() != new.len() {
        return None;
    }
    let mut relation = Relation::Same;
    let mut fields = Vec::with_capacity(old.len());
    for (old, new) in old.into_iter().zip(new) {
        let (domain, field_relation) = pair_types(old.data_type(), new.data_type())?;
        if old.name() != new.name() {
            return None;
        }
        relation = relation.max(field_relation);
        fields.push((old.name().clone(), domain));
    }
    Some((Domain::Struct(fields), relation))
}

/// The fields by name; `None` if a name stands twice, because then it names nothing.
fn sorted_fields(fields: &[FieldRef]) -> Option<Vec<&FieldRef>> {
    let mut sorted: Vec<_> = fields.iter().collect();
    sorted.sort_by_key(|field| field.name());
    let is_unique = sorted
        .windows(2)
        .all(|pair| pair[0].name() != pair[1].name());
    is_unique.then_some(sorted)
}

fn pair_maps(old: &FieldRef, new: &FieldRef) -> Option<(Domain, Relation)> {
    let ((old_key, old_value), (new_key, new_value)) = (entry_types(old)?, entry_types(new)?);
    let (key, key_relation) = pair_types(old_key, new_key)?;
    let (value, value_relation) = pair_types(old_value, new_value)?;
    Some((
        Domain::Map(Box::new(key), Box::new(value)),
        key_relation.max(value_relation),
    ))
}

fn entry_types(entries: &FieldRef) -> Option<(&DataType, &DataType)> {
    match entries.data_type() {
        DataType::Struct(fields) if fields.len() == 2 => {
            Some((fields[0].data_type(), fields[1].data_type()))
        }
        _ => None,
    }
}

impl NumberType {
    pub(super) fn domain(self) -> Domain {
        match self {
            Self::Integer { .. } => Domain::Integer,
            Self::Decimal { scale, .. } => Domain::Decimal { scale },
            Self::Float { .. } => Domain::Float,
        }
    }
}
