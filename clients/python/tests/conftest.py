pytest_plugins = ["postern.testing", "pytester"]
