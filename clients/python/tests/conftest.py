import support  # noqa: F401

pytest_plugins = ["postern_accounts.testing", "pytester"]
