-- SPDX-License-Identifier: Apache-2.0
-- Names: core/krm/name.c.
local krm = require("probe_krm")
local shell = require("spec.conformance.lib.shell")
local yaml = require("spec.conformance.lib.yaml")

local M = {}

-- Repository, whole package with dots, workspace.
local function split(name)
  local repository, path, package, workspace = krm.name_split(name)
  local middle = path ~= "" and path:gsub("/", ".") .. "." .. package or package
  return { repository, middle, workspace }
end

local function compare(name, expected)
  local got = split(name)
  for i = 1, 3 do
    if got[i] ~= expected[i] then
      return false, ("part %d of '%s' is '%s', expected '%s'"):format(i, name, got[i], expected[i])
    end
  end
  return true
end

M["porch.util.parse-pkgrev-name"] = function(case)
  return compare(case:param("pkgRevId"), case:param("expected"))
end

-- The peer's function takes its delimiter as an argument; names here have dots. The rule (first
-- and last delimiter) is the same, so the delimiter is translated.
M["porch.util.parse-pkgrev-name-odd"] = function(case)
  local expected = {}
  for i, part in ipairs(case:param("expected")) do
    expected[i] = part:gsub("#%.#", ".")
  end
  return compare((case:param("pkgRevId"):gsub("#%.#", ".")), expected)
end

M["porch.util.parse-pkgrev-name-err"] = function(case)
  local repository, path = krm.name_parse(case:param("pkgRevId"))
  if repository then
    return false, ("accepted: '%s', '%s'"):format(repository, path)
  end
  return true
end

-- The line about one part, or nil.
local function line_of(text, label, value)
  local head = label .. " " .. value .. " invalid:"
  for _, line in ipairs(shell.lines(text)) do
    if line:sub(1, #head) == head then
      return line
    end
  end
end

local function check_row(name, row, head, parts)
  local workspace = parts.workspace and row.ws or nil
  local ok, err = krm.name_check(row.repo, row.path, row.pkg, workspace)
  if not row.err then
    return ok, err and ("%s: refused: %s"):format(name, err.message)
  elseif ok then
    return nil, name .. ": accepted"
  elseif shell.lines(err.message)[1] ~= head then
    return nil, ("%s: first line is '%s'"):format(name, shell.lines(err.message)[1])
  end
  for _, part in ipairs(parts) do
    local want = yaml.given(row[part.field])
    local line = line_of(err.message, part.label, row[part.value] or "")
    if want and want ~= "" and not (line and line:find(want, 1, true)) then
      return nil, ("%s: no '%s' about %s in\n%s"):format(name, want, part.label, err.message)
    elseif want == "" and line and part.strict then
      return nil, ("%s: unexpected '%s'"):format(name, line)
    end
  end
  return true
end

local function check_table(case, head, parts)
  local faults = {}
  for name, row in pairs(yaml.parse(case:file("table"))) do
    local ok, text = check_row(name, row, head, parts)
    if not ok then
      faults[#faults + 1] = text
    end
  end
  table.sort(faults)
  return #faults == 0, table.concat(faults, "\n")
end

local REPOSITORY = { field = "repoerrstring", label = "repository name", value = "repo",
  strict = true }
local PATH = { field = "patherrstring", label = "path", value = "path", strict = true }
local PACKAGE = { field = "pkgerrstring", label = "package name", value = "pkg" }
local WORKSPACE = { field = "wserrstring", label = "workspace name", value = "ws", strict = true }

M["porch.util.validate-package-name"] = function(case)
  return check_table(case, "package kubernetes resource name invalid:",
    { REPOSITORY, PATH, PACKAGE })
end

M["porch.util.validate-packagerevision-name"] = function(case)
  return check_table(case, "package revision kubernetes resource name invalid:",
    { REPOSITORY, PATH, PACKAGE, WORKSPACE, workspace = true })
end

return M
