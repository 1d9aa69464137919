"""What the benchmarks of live runs share: a site of their own, light clients, and words for what was measured."""
