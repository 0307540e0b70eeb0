"""Pages for people: one HTML file each, readable without a network. The only home of matplotlib and jinja2."""
