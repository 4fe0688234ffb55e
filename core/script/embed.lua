-- SPDX-License-Identifier: Apache-2.0
--
-- Writes the Lua sources that travel inside the program as C tables:
--
--     lua5.4 core/script/embed.lua SOURCE_DIR OUT.c
--
-- Embedded are lua/**.lua (without lua/meta, which only editors and specs read) and
-- workflows/**.lua. Each source line becomes one string literal, so the output can be read and a
-- compiler's limit on one literal's source line is never met.

local source_dir, out_path = ...
if not out_path then
  io.stderr:write("usage: embed.lua SOURCE_DIR OUT.c\n")
  os.exit(2)
end

local function quoted(path)
  return "'" .. path:gsub("'", "'\\''") .. "'"
end

-- Lua has no directory reading of its own; find(1) is on every machine that builds C.
local function files_below(dir)
  local list = {}
  local pipe = assert(io.popen("cd " .. quoted(source_dir) .. " && find " .. dir ..
    " -type f -name '*.lua' 2>/dev/null"))
  for path in pipe:lines() do
    if not path:find("^lua/meta/") then
      list[#list + 1] = path
    end
  end
  pipe:close()
  table.sort(list)
  return list
end

local ESCAPES = { ["\\"] = "\\\\", ['"'] = '\\"', ["\t"] = "\\t", ["\r"] = "\\r", ["?"] = "\\?" }

local function literal(line)
  return '"' .. line:gsub('[\\"\t\r?]', ESCAPES)
    :gsub("[%z\1-\31\127-\255]", function(c) return ("\\%03o"):format(c:byte()) end) .. '"'
end

local out = { "/* Made by core/script/embed.lua. */", '#include "script/embedded.h"', "" }
local entries = {}

for _, dir in ipairs({ "lua", "workflows" }) do
  for _, path in ipairs(files_below(dir)) do
    local file = assert(io.open(source_dir .. "/" .. path, "rb"))
    local text = file:read("a")
    file:close()
    local name = ("source_%d"):format(#entries + 1)
    out[#out + 1] = ("static const char %s[] ="):format(name)
    for line, newline in text:gmatch("([^\n]*)(\n?)") do
      if line ~= "" or newline ~= "" then
        out[#out + 1] = "    " .. literal(line .. newline):gsub("\\012\"$", "\\n\"")
      end
    end
    out[#out + 1] = '    "";'
    entries[#entries + 1] = ('    {"%s", %s, sizeof(%s) - 1},'):format(path, name, name)
  end
end

out[#out + 1] = "const struct script_embedded script_embedded[] = {"
table.move(entries, 1, #entries, #out + 1, out)
out[#out + 1] = "    {0, 0, 0},"
out[#out + 1] = "};"
out[#out + 1] = ("const size_t script_n_embedded = %d;"):format(#entries)

local file = assert(io.open(out_path, "wb"))
file:write(table.concat(out, "\n"), "\n")
assert(file:close())
