//! The real binary from outside, and the shape of the workspace: one test binary, because each one links DataFusion.

#[cfg(test)]
mod architecture;
#[cfg(test)]
mod campaign;
#[cfg(test)]
mod chain;
#[cfg(test)]
mod checks;
#[cfg(test)]
mod comparators;
#[cfg(test)]
mod crashes;
#[cfg(test)]
mod diff;
#[cfg(test)]
mod example;
#[cfg(test)]
mod exit_codes;
#[cfg(test)]
mod halves;
#[cfg(test)]
mod health_score;
#[cfg(test)]
mod hostile_outputs;
#[cfg(test)]
mod hostile_sql;
#[cfg(test)]
mod hostile_yaml;
#[cfg(test)]
mod inputs;
#[cfg(test)]
mod isolation;
#[cfg(test)]
mod lake;
#[cfg(test)]
mod lanes;
#[cfg(test)]
mod launchdarkly;
#[cfg(test)]
mod leaks;
#[cfg(test)]
mod live_edits;
#[cfg(test)]
mod live_faults;
#[cfg(test)]
mod masks;
#[cfg(test)]
mod mutations;
#[cfg(test)]
mod objects;
#[cfg(test)]
mod odd_names;
#[cfg(test)]
mod overrides;
#[cfg(test)]
mod payloads;
#[cfg(test)]
mod playground;
#[cfg(test)]
mod repair;
#[cfg(test)]
mod reports;
#[cfg(test)]
mod reuse;
#[cfg(test)]
mod review;
#[cfg(test)]
mod rollout;
#[cfg(test)]
mod rule_cases;
mod rules;
#[cfg(test)]
mod shadow_faults;
#[cfg(test)]
mod story;
#[cfg(test)]
mod waves;
