"""Incidents: one row an incident, read from any table of them and counted by period."""
