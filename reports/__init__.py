"""Every page and picture: Jinja2 templates with one stylesheet, and figures."""
