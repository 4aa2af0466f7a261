"""The report: one HTML page that holds everything, with the sound and the pictures inside."""

from voxgraft.evaluation.report.contents import Report
from voxgraft.evaluation.report.page import render, write_report
from voxgraft.evaluation.report.recogniser_page import RecogniserReport, render_recogniser, write_recogniser_report
from voxgraft.evaluation.report.transcripts import HeardSet

__all__ = [
    "HeardSet",
    "RecogniserReport",
    "Report",
    "render",
    "render_recogniser",
    "write_recogniser_report",
    "write_report",
]
