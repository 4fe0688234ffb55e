-- SPDX-License-Identifier: Apache-2.0
--
-- Makes workflows/README.md from the header comments of the workflows:
--
--     lua5.4 core/host/readme.lua > workflows/README.md
--
-- Required as a module it gives the text instead (a spec compares it with the file).

local TEXT = [[
# Workflows

What happens for each package operation. A file is named by its verb, reads top to bottom, and only
records what it wants; the engine checks and commits the whole once. A file of the same name in a
workflow directory (`/etc/lanai/workflows`, …) replaces the built-in one.

| file | runs on | may | what it does |
|---|---|---|---|
%s
Effects: `read` objects and packages · `draft` new content · `publish` lifecycle steps and
publication · `objects` metadata, deletion, Events. A function that a workflow does not list is not
in its `ctx`. The functions are declared in `lua/meta/`; the contract is checked when a generation
is loaded, and the header comment (`-- @key value`) must say what the table says.

This table is made by `lua5.4 core/host/readme.lua > workflows/README.md`.
]]

local function headers(path)
  local values, first = {}, nil
  local summary = {}
  for line in io.lines(path) do
    local text = line:match("^%-%-%s?(.*)$")
    if not text then
      break
    end
    local key, value = text:match("^@(%w+)%s+(.+)$")
    if key then
      values[key] = value
    elseif text ~= "" and not text:find("^SPDX") and not first then
      summary[#summary + 1] = text
    elseif text == "" and #summary > 0 then
      first = true
    end
  end
  values.summary = table.concat(summary, " ")
  return values
end

local function make()
  local paths, rows = {}, {}
  local pipe = assert(io.popen("find workflows -name '*.lua' | LC_ALL=C sort"))
  for path in pipe:lines() do
    paths[#paths + 1] = path
  end
  pipe:close()
  for _, path in ipairs(paths) do
    local h = headers(path)
    local file = path:gsub("^workflows/", "")
    rows[#rows + 1] = ("| [%s](%s) | %s | %s | %s |\n"):format(h.name, file, h.on, h.effects,
      h.summary)
  end
  return TEXT:format(table.concat(rows))
end

if ... == nil then
  io.write(make())
end
return make
