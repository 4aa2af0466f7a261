"""The report: one HTML page that holds everything, with the sound and the pictures inside."""

from voxgraft.evaluation.report.contents import Report
from voxgraft.evaluation.report.page import render, write_report

__all__ = ["Report", "render", "write_report"]
