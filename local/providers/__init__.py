"""Servers that stand in for Google's and Apple's push services: they check what those check, and show what came."""
