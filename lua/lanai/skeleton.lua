-- SPDX-License-Identifier: Apache-2.0
--
-- The three files of a new package, byte for byte those of the reference tool (cad-library.md
-- §1.6, §1.7, §2.1).

local lanai = require("lanai")
local yaml = require("lanai.yaml")

local M = {}

local LOCAL = "config.kubernetes.io/local-config"

local README = [[
# NAME

## Description
DESCRIPTION

## Usage

### Fetch the package
`kpt pkg get REPO_URI[.git]/PKG_PATH[@VERSION] NAME`
Details: https://kpt.dev/reference/cli/pkg/get/

### View package content
`kpt pkg tree NAME`
Details: https://kpt.dev/reference/cli/pkg/tree/

### Apply the package
```
kpt live init NAME
kpt live apply NAME --reconcile-timeout=2m --output=table
```
Details: https://kpt.dev/reference/cli/live/
]]

local HTML = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&#34;", ["'"] = "&#39;" }

local function escape(text)
  return (text:gsub("[&<>\"']", HTML))
end

-- Adds a member unless its value is empty.
local function add(map, key, value)
  if value and value ~= "" then
    map[key] = value
  end
end

--- Text of the Kptfile.
--- @param name string
--- @param init table|lanai.Node {description?, keywords?, site?}
--- @return string
function M.kptfile(name, init)
  local metadata = lanai.map()
  metadata.name = name
  metadata.annotations = { [LOCAL] = "true" }
  local info = lanai.map()
  add(info, "site", init.site)
  add(info, "description", init.description)
  if init.keywords and #init.keywords > 0 then
    info.keywords = init.keywords
  end
  local file = lanai.map()
  file.apiVersion = "kpt.dev/v1"
  file.kind = "Kptfile"
  file.metadata = metadata
  file.info = info
  return yaml.emit(file)
end

--- Text of README.md.
--- @param name string
--- @param description string
--- @return string
function M.readme(name, description)
  local values = { NAME = escape(name), DESCRIPTION = escape(description) }
  return (README:gsub("%u+", values))
end

--- Text of package-context.yaml.
--- @return string
function M.context()
  local metadata = lanai.map()
  metadata.name = "kptfile.kpt.dev"
  metadata.annotations = { [LOCAL] = "true" }
  local file = lanai.map()
  file.apiVersion = "v1"
  file.kind = "ConfigMap"
  file.metadata = metadata
  file.data = { name = "example" }
  return yaml.emit(file)
end

--- Puts the three files into a draft (or anything with file and set); files that are there stay.
--- @param draft lanai.Draft
--- @param name string
--- @param init table|lanai.Node
--- @return true|nil, lanai.Error?
function M.fill(draft, name, init)
  local files = {
    Kptfile = M.kptfile(name, init),
    ["README.md"] = M.readme(name, init.description or ""),
    ["package-context.yaml"] = M.context(),
  }
  for path, text in lanai.sorted_pairs(files) do
    if not draft:file(path) then
      local ok, err = draft:set(path, text)
      if not ok then
        return nil, err
      end
    end
  end
  return true
end

return M
