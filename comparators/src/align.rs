//! Which columns of two tables stand for each other, and what their schemas say already.

use std::collections::BTreeSet;

use arrow::datatypes::{Field, Schema, SchemaRef};
use understudy_core::comparison::{NotCompared, SchemaDifference};
use understudy_core::rule::DifferenceKind;
use understudy_core::schema::TableSchema;
use understudy_tables::table_schema;

use crate::both::{Both, Side};
use crate::request::Layout;

pub(crate) mod domain;
mod number;

use domain::{Domain, Relation, pair_types};

/// A column of both tables whose values can be compared.
#[derive(Clone, Debug)]
pub(crate) struct AlignedColumn {
    /// Its position in each schema.
    pub(crate) position: Both<usize>,
    pub(crate) domain: Domain,
}

/// The columns of a comparison and what is known from the schemas alone.
#[derive(Debug)]
pub(crate) struct Alignment {
    pub(crate) schemas: Both<SchemaRef>,
    pub(crate) key: Vec<AlignedColumn>,
    /// The compared columns that are not in the key, in the old table's order.
    pub(crate) columns: Vec<AlignedColumn>,
    /// The position of the customer column in each schema.
    pub(crate) customer: Option<Both<usize>>,
    pub(crate) layout: Layout,
    pub(crate) differences: Vec<SchemaDifference>,
    pub(crate) not_compared: Vec<NotCompared>,
    pub(crate) notes: Vec<String>,
}

/// Two tables that cannot be laid side by side.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AlignError {
    /// A name that stands for two columns stands for none.
    #[error("the {side} table has more than one column `{column}`")]
    TwiceTheSame {
        /// The side.
        side: Side,
        /// The column.
        column: String,
    },
    /// A column that the request names is not there.
    #[error("the {side} table has no {role} column `{column}`; its columns are {}", listed(.columns))]
    Missing {
        /// The side.
        side: Side,
        /// `key` or `customer`.
        role: &'static str,
        /// The column.
        column: String,
        /// The columns that there are.
        columns: Vec<String>,
    },
    /// The types of a key column have no values in common.
    #[error(
        "the key column `{column}` is {old} in the old table and {new} in the new one, which cannot be matched"
    )]
    KeyTypes {
        /// The column.
        column: String,
        /// The old type.
        old: String,
        /// The new type.
        new: String,
    },
}

fn listed(columns: &[String]) -> String {
    if columns.is_empty() {
        return "none".to_owned();
    }
    columns
        .iter()
        .map(|column| format!("`{column}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

impl Alignment {
    /// Lays two schemas side by side.
    ///
    /// # Errors
    /// A column name that stands twice, a key or customer column that a side lacks, a key column of two types that
    /// have no values in common.
    pub(crate) fn of(
        schemas: Both<SchemaRef>,
        key: &[String],
        customer: Option<&str>,
    ) -> Result<Self, AlignError> {
        for side in [Side::Old, Side::New] {
            check_unique(side, schemas.get(side))?;
        }
        let customer = customer
            .map(|name| locate(&schemas, "customer", name))
            .transpose()?;
        let mut aligner = Aligner::new(schemas);
        for name in key {
            aligner.align_key(name)?;
        }
        aligner.align_columns();
        Ok(aligner.finish(customer))
    }
}

struct Aligner {
    names: Both<TableSchema>,
    alignment: Alignment,
}

impl Aligner {
    fn new(schemas: Both<SchemaRef>) -> Self {
        let names = Both {
            old: table_schema(&schemas.old),
            new: table_schema(&schemas.new),
        };
        let alignment = Alignment {
            schemas,
            key: Vec::new(),
            columns: Vec::new(),
            customer: None,
            layout: Layout::default(),
            differences: Vec::new(),
            not_compared: Vec::new(),
            notes: Vec::new(),
        };
        Self { names, alignment }
    }

    fn align_key(&mut self, name: &str) -> Result<(), AlignError> {
        let position = locate(&self.alignment.schemas, "key", name)?;
        if self
            .alignment
            .layout
            .key
            .iter()
            .any(|column| column.name == name)
        {
            return Ok(());
        }
        let (old, new) = self.type_names(position);
        let aligned = self.pair(name, position);
        let domain = aligned.ok_or_else(|| AlignError::KeyTypes {
            column: name.to_owned(),
            old,
            new,
        })?;
        self.alignment.key.push(AlignedColumn { position, domain });
        self.alignment
            .layout
            .key
            .push(self.names.old.0[position.old].clone());
        Ok(())
    }

    fn align_columns(&mut self) {
        for old in 0..self.names.old.0.len() {
            let column = self.names.old.0[old].clone();
            if self
                .alignment
                .layout
                .key
                .iter()
                .any(|key| key.name == column.name)
            {
                continue;
            }
            match self.alignment.schemas.new.index_of(&column.name) {
                Ok(new) => self.align_column(&column.name, Both { old, new }),
                Err(_) => self.differ(DifferenceKind::ColumnRemoved, &column.name, Some(old), None),
            }
        }
        for new in 0..self.names.new.0.len() {
            let name = self.names.new.0[new].name.clone();
            if self.names.old.column(&name).is_none() {
                self.differ(DifferenceKind::ColumnAdded, &name, None, Some(new));
            }
        }
    }

    fn align_column(&mut self, name: &str, position: Both<usize>) {
        if let Some(domain) = self.pair(name, position) {
            self.alignment
                .columns
                .push(AlignedColumn { position, domain });
            self.alignment
                .layout
                .columns
                .push(self.names.old.0[position.old].clone());
        } else {
            let (old, new) = self.type_names(position);
            let reason = if old == new {
                format!("values of type {old} cannot be compared")
            } else {
                format!("neither of {old} and {new} holds every value of the other")
            };
            self.alignment.not_compared.push(NotCompared {
                column: name.to_owned(),
                reason,
            });
        }
    }

    /// The domain of a column that both tables have, with what its types say already.
    fn pair(&mut self, name: &str, position: Both<usize>) -> Option<Domain> {
        let paired = pair_types(
            self.alignment.schemas.old.field(position.old).data_type(),
            self.alignment.schemas.new.field(position.new).data_type(),
        );
        let (old, new) = self.type_names(position);
        match &paired {
            Some((_, Relation::Same)) => {}
            Some((_, Relation::Noted)) => {
                self.alignment.notes.push(format!(
                    "`{name}` is {old} in the old table and {new} in the new one"
                ));
            }
            None if old == new => {}
            Some((_, Relation::Changed)) | None => {
                self.differ(
                    DifferenceKind::TypeChanged,
                    name,
                    Some(position.old),
                    Some(position.new),
                );
            }
        }
        paired.map(|(domain, _)| domain)
    }

    fn type_names(&self, position: Both<usize>) -> (String, String) {
        let (old, new) = (
            &self.names.old.0[position.old],
            &self.names.new.0[position.new],
        );
        (old.data_type.clone(), new.data_type.clone())
    }

    fn differ(
        &mut self,
        kind: DifferenceKind,
        column: &str,
        old: Option<usize>,
        new: Option<usize>,
    ) {
        let type_of = |schema: &TableSchema, position: usize| schema.0[position].data_type.clone();
        self.alignment.differences.push(SchemaDifference {
            column: column.to_owned(),
            kind,
            old: old.map(|position| type_of(&self.names.old, position)),
            new: new.map(|position| type_of(&self.names.new, position)),
            rule: None,
        });
    }

    fn finish(mut self, customer: Option<Both<usize>>) -> Alignment {
        let schemas = self.alignment.schemas.clone();
        self.alignment.customer = customer;
        self.alignment
            .notes
            .extend(schema_notes(&schemas.old, &schemas.new));
        self.alignment
    }
}

fn check_unique(side: Side, schema: &Schema) -> Result<(), AlignError> {
    let mut seen = BTreeSet::new();
    match schema
        .fields()
        .iter()
        .find(|field| !seen.insert(field.name()))
    {
        None => Ok(()),
        Some(field) => Err(AlignError::TwiceTheSame {
            side,
            column: field.name().clone(),
        }),
    }
}

fn locate(
    schemas: &Both<SchemaRef>,
    role: &'static str,
    name: &str,
) -> Result<Both<usize>, AlignError> {
    let position = |side: Side| {
        let schema = schemas.get(side);
        let columns = || {
            schema
                .fields()
                .iter()
                .map(|field| field.name().clone())
                .collect()
        };
        schema.index_of(name).map_err(|_| AlignError::Missing {
            side,
            role,
            column: name.to_owned(),
            columns: columns(),
        })
    };
    Ok(Both {
        old: position(Side::Old)?,
        new: position(Side::New)?,
    })
}

/// What is worth knowing of two schemas and is no difference.
fn schema_notes(old: &Schema, new: &Schema) -> Vec<String> {
    let common: Vec<(&Field, &Field)> = old
        .fields()
        .iter()
        .filter_map(|field| {
            new.field_with_name(field.name())
                .ok()
                .map(|other| (field.as_ref(), other))
        })
        .collect();
    let naming = |text: &str, differs: &dyn Fn(&Field, &Field) -> bool| {
        let names: Vec<_> = common
            .iter()
            .filter(|(old, new)| differs(old, new))
            .map(|(old, _)| old.name().clone())
            .collect();
        (!names.is_empty()).then(|| format!("{text}: {}", listed(&names)))
    };
    let order = |schema: &Schema, other: &Schema| -> Vec<String> {
        let names = schema.fields().iter().map(|field| field.name());
        names
            .filter(|name| other.index_of(name).is_ok())
            .cloned()
            .collect()
    };
    let moved = order(old, new) != order(new, old);
    [
        moved.then(|| "the columns stand in another order".to_owned()),
        naming("may be NULL on one side only", &|old, new| {
            old.is_nullable() != new.is_nullable()
        }),
        naming("has other metadata", &|old, new| {
            old.metadata() != new.metadata()
        }),
    ]
    .into_iter()
    .flatten()
    .collect()
}
