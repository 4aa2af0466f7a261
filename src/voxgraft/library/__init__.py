"""The library of bases: what is kept, what could be fetched, and which one fits a project. Light: no numpy, no torch."""
