"""Every page: Jinja2 templates with one stylesheet, and figures. A page is one file that loads nothing."""
