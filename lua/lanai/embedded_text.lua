-- SPDX-License-Identifier: Apache-2.0
--
-- Scalars whose text is itself YAML or JSON, changed inside and written back as kustomize does it:
-- JSON with sorted keys, compact or with two blanks, YAML without its last line feed.

local node = require("lanai.node")

local M = {}

-- Strings as Go's encoder writes them, fit for HTML.
local function scalar(value)
  return (node.json(value):gsub("[<>&]", function(c) return ("\\u%04x"):format(c:byte()) end))
end

local function write(value, pretty, indent)
  local kind = node.kind(value)
  if kind ~= "map" and kind ~= "list" or #value == 0 then
    return scalar(value)
  end
  local inner = pretty and "\n" .. ("  "):rep(indent + 1) or ""
  local parts = {}
  if kind == "list" then
    for i = 1, #value do
      parts[i] = inner .. write(node.at(value, i), pretty, indent + 1)
    end
  else
    local keys = node.keys(value)
    table.sort(keys)
    for i, key in ipairs(keys) do
      parts[i] = inner .. scalar(key) .. (pretty and ": " or ":")
        .. write(node.at(value, key), pretty, indent + 1)
    end
  end
  local open, close = "{", "}"
  if kind == "list" then
    open, close = "[", "]"
  end
  return open .. table.concat(parts, ",") .. (pretty and "\n" .. ("  "):rep(indent) or "") .. close
end

--- Parses the text of a scalar; nil when it is no map and no list.
--- @param value lanai.Node
--- @return lanai.Node|nil
function M.parse(value)
  local inside = node.parse(node.text(value))
  return (node.is_map(inside) or node.is_list(inside)) and inside or nil
end

--- Gives the text of what was parsed from a scalar with the text `old`.
--- @param inside lanai.Node
--- @param old string
--- @return string
function M.emit(inside, old)
  if old:find("^%s*[{%[]") then
    return write(inside, old:find("\n", 1, true) and old:find("  ", 1, true) ~= nil, 0)
  end
  return (node.emit(inside):match("^%s*(.-)%s*$"))
end

return M
