"""Syntax trees -> `Graph`: names, shapes and claims."""
