//! The real binary from outside, and the shape of the workspace: one test binary, because each one links DataFusion.

#[cfg(test)]
mod architecture;
#[cfg(test)]
mod example;
