-- SPDX-License-Identifier: Apache-2.0
--
-- The conflict report of an update as text and as YAML: every place where both sides had a say.

local lanai = require("lanai")
local yaml = require("lanai.yaml")

local M = {}

local MEMBERS = { "package", "file", "group", "kind", "namespace", "name", "path", "base", "ours",
  "theirs", "taken", "reason" }

--- The report as a YAML document: a list under `conflicts`.
--- @param conflicts table[]
--- @return string
function M.yaml(conflicts)
  local list = lanai.list()
  for _, conflict in ipairs(conflicts) do
    local item = lanai.map()
    for _, member in ipairs(MEMBERS) do
      item[member] = conflict[member]
    end
    list[#list + 1] = item
  end
  local document = lanai.map()
  document.conflicts = list
  return yaml.emit(document)
end

local function value(node)
  if node == nil then
    return "(absent)"
  end
  local text = type(node) == "string" and node or yaml.emit(node):gsub("\n$", "")
  text = text:gsub("\n", "; ")
  return #text > 60 and text:sub(1, 57) .. "..." or text
end

local function place(conflict)
  local parts = {}
  if conflict.package and conflict.package ~= "." then
    parts[#parts + 1] = "package " .. conflict.package
  end
  parts[#parts + 1] = conflict.file
  if (conflict.kind or "") ~= "" then
    local namespace = conflict.namespace or ""
    parts[#parts + 1] = conflict.kind .. " " .. (namespace ~= "" and namespace .. "/" or "")
      .. (conflict.name or "")
  end
  if (conflict.path or "") ~= "" then
    parts[#parts + 1] = conflict.path
  end
  return table.concat(parts, ": ")
end

local TAKEN = { ours = "local kept", theirs = "upstream taken", both = "both agree",
  deleted = "deleted", added = "added" }

--- The report as lines for people.
--- @param conflicts table[]
--- @return string
function M.text(conflicts)
  local lines = { ("\n%d place(s) where upstream and local both had a say:"):format(#conflicts) }
  for _, conflict in ipairs(conflicts) do
    local head = ("  %s: %s"):format(place(conflict), TAKEN[conflict.taken] or conflict.taken)
    if (conflict.reason or "") ~= "" then
      head = head .. " (" .. conflict.reason .. ")"
    end
    lines[#lines + 1] = head
    if (conflict.path or "") ~= "" then
      lines[#lines + 1] = ("      was: %s, local: %s, upstream: %s"):format(value(conflict.base),
        value(conflict.ours), value(conflict.theirs))
    end
  end
  return table.concat(lines, "\n") .. "\n"
end

return M
