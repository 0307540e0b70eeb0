"""Pages from the templates in this folder: text is escaped, and a name unknown to the template raises an error."""

import jinja2


def render_page(template: str, **entries: object) -> str:
    """The page that a template makes from these entries."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("reports", "pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template).render(**entries)
