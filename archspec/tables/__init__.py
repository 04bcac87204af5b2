"""The opaque token of a table -> cells, claims, and the rules that match them."""
