"""Audits, statuses, curves and scorecards in; HTML pages with SVG figures out. The only door to matplotlib and jinja2.

Read `dataset.py` first; `figures.py` draws, and the templates (`*.html`) lie beside the code.
"""
