"""Commands on what a warehouse holds: releases, audits, pages, exchange."""
