//! Settings from files, from the environment and from code.
#![cfg(feature = "config")]

#[macro_use]
mod child;
mod freshness;
mod large;
mod precedence;
mod provenance;
mod reload;
mod sources;
mod trust;
mod wrong;
