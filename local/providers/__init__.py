"""Servers that stand in for push services and for SES: they check what those check, and show what came."""
