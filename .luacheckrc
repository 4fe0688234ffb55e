std = "lua54"
max_line_length = 100
exclude_files = { "build*/", ".cache/" }
files["spec/"] = { std = "lua54+busted" }
files["workflows/"] = { read_globals = { "require" } }
