"""Training networks side by side under one protocol: `Plan` -> runs -> results -> report (docs/compare.md)."""
