//! Deliberate defects: each takes one protection away, so that the tests of that protection can be seen to fail.
//!
//! It knows nothing of what is protected. Without the feature `armed`, which only the tests' own build turns on, no
//! defect is compiled in: [`Sabotage::is_on`] is `false` at compile time.

/// The variable that names the one defect of an armed build.
pub const VARIABLE: &str = "UNDERSTUDY_SABOTAGE";

macro_rules! defects {
    ($($(#[$about:meta])* $variant:ident = $name:literal,)*) => {
        /// One defect.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Sabotage { $($(#[$about])* $variant,)* }

        impl Sabotage {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name that the variable takes.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

defects! {
    /// Landlock is reported and not put in force.
    NoLandlock = "no_landlock",
    /// Landlock leaves the network open.
    OpenNetwork = "open_network",
    /// The live locations are not compared with what was published.
    NoListing = "no_listing",
    /// What a worker started lives on when it ends.
    KeepOrphans = "keep_orphans",
    /// Nobody looks at the memory of a worker.
    NoMemoryWatch = "no_memory_watch",
    /// Nobody looks at what a worker writes.
    NoDiskWatch = "no_disk_watch",
    /// Nobody counts the processes of a worker.
    NoProcessWatch = "no_process_watch",
    /// A worker may run for ever.
    NoWallLimit = "no_wall_limit",
    /// A shadow gets the whole environment of the supervisor.
    InheritEnvironment = "inherit_environment",
    /// Secrets are not hidden in logs and messages.
    ShowSecrets = "show_secrets",
    /// A log may become as long as the disk.
    NoLogLimit = "no_log_limit",
    /// The folder of the pipeline, and so the live location, is granted for writing.
    GrantPipeline = "grant_pipeline",
    /// A pinned file is opened without a look whether it is still the same.
    UnpinnedReads = "unpinned_reads",
    /// Links in an output folder are followed.
    LinkedOutputs = "linked_outputs",
    /// A query reaches every file of the machine.
    OpenRegistry = "open_registry",
    /// A statement that is no query is not refused by its kind.
    AnyStatement = "any_statement",
    /// Names that are no inputs are looked up all the same.
    AnyTable = "any_table",
    /// What shadow versions would give is planned together with what live needs.
    PlannedTogether = "planned_together",
    /// Links below an output's location are followed when it is published.
    LinkedTargets = "linked_targets",
    /// Masked columns stand in findings as they are.
    ClearColumns = "clear_columns",
    /// Masked values stand in errors and logs as they are.
    ClearTexts = "clear_texts",
    /// Names become parts of paths as they are.
    PlainPaths = "plain_paths",
    /// Texts go into CSV as they are.
    BareFormulas = "bare_formulas",
    /// Texts go to the terminal as they are.
    BareEscapes = "bare_escapes",
    /// YAML is read whatever it is made of.
    LooseYaml = "loose_yaml",
    /// Files that people write are read without a limit.
    EndlessFiles = "endless_files",
}

impl Sabotage {
    /// Whether this build does it: never without the feature `armed`.
    #[cfg(not(feature = "armed"))]
    #[must_use]
    #[inline]
    pub const fn is_on(self) -> bool {
        false
    }

    /// Whether this build does it: where the variable names it.
    #[cfg(feature = "armed")]
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "a build for tests only asks its environment which defect it has"
    )]
    pub fn is_on(self) -> bool {
        std::env::var(VARIABLE).is_ok_and(|name| name == self.name())
    }
}
