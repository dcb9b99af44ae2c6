//! The real binary from outside, and the shape of the workspace: one test binary, because each one links DataFusion.

#[cfg(test)]
mod architecture;
#[cfg(test)]
mod crashes;
#[cfg(test)]
mod example;
#[cfg(test)]
mod exit_codes;
#[cfg(test)]
mod inputs;
#[cfg(test)]
mod live_faults;
#[cfg(test)]
mod playground;
#[cfg(test)]
mod shadow_faults;
