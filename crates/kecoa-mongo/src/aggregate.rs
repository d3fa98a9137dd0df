//! Stages and accumulators of pipelines.
