import support  # noqa: F401

pytest_plugins = ["postern.testing", "pytester"]
