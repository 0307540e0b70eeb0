"""What people look at, drawn from a warehouse's contents: audits and pages. Read `audit/audit.py` first."""
