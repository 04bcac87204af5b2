"""The conventions of papers, one file for each family of tables."""
