"""The report of an assessment as a PDF: what it says page by page, and how it is set and written."""

from escalation.report.write import compose_report, write_report

__all__ = ["compose_report", "write_report"]
