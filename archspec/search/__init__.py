"""Families of networks: many of them counted, those that suit found."""
