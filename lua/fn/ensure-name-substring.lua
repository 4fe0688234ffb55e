-- SPDX-License-Identifier: Apache-2.0
--
-- ensure-name-substring: a prefix or suffix for names of resources, and for what refers to them.

local fieldspec = require("lanai.fieldspec")
local item = require("lanai.item")
local node = require("lanai.node")
local references = require("lanai.references")

local DEPENDS_ON = "config.kubernetes.io/depends-on"
local SKIPPED = { CustomResourceDefinition = true, APIService = true, Namespace = true,
  Kptfile = true }

local function read_config_map(config)
  local data = item.map(config, "data")
  local keys = data and node.keys(data) or {}
  if #keys ~= 1 then
    return nil, ("only 1 entry is allowed in the ConfigMap, but got: %d"):format(#keys)
  elseif keys[1] ~= "prepend" and keys[1] ~= "append" then
    return nil, ("unknown editMode: %s, only prepend and append are allowed"):format(keys[1])
  end
  return { mode = keys[1], text = item.text(data, keys[1]) or "", further = {} }
end

local function read_typed(config)
  local specs = config.additionalNameFields
  if config.fieldSpecs ~= nil and specs ~= nil then
    return nil, "`fieldSpecs` has been deprecated, please rename it to `additionalNameFields`"
  end
  local mode = item.text(config, "editMode") or ""
  return { mode = mode ~= "" and mode or "prepend", text = item.text(config, "substring") or "",
    further = fieldspec.read(specs or config.fieldSpecs) }
end

local function configure(config)
  local group, version, kind = item.gvk(config)
  local edit, problem
  if kind == "ConfigMap" then
    edit, problem = read_config_map(config)
  elseif kind == "EnsureNameSubstring" then
    edit, problem = read_typed(config)
  else
    return nil, ("function config must be either /v1, Kind=ConfigMap or fn.kpt.dev/v1alpha1, "
      .. "Kind=EnsureNameSubstring, but we got: %s/%s, Kind=%s"):format(group, version, kind)
  end
  if not edit then
    return nil, problem
  elseif edit.text == "" then
    return nil, "substring must not be empty"
  elseif edit.mode ~= "prepend" and edit.mode ~= "append" then
    return nil, ("unknown editMode: %s, only prepend and append are allowed"):format(edit.mode)
  end
  return edit
end

local function edited(name, edit)
  if name:find(edit.text, 1, true) then
    return name
  end
  return edit.mode == "append" and name .. edit.text or edit.text .. name
end

-- The resource that a depends-on annotation names, and the text in front of its name.
local function parse_reference(text)
  local part = "([-.%w_]*)"
  local group, _, kind, name = text:match("^" .. part .. "/namespaces/" .. part .. "/" .. part
    .. "/" .. part .. "$")
  if not group then
    group, kind, name = text:match("^" .. part .. "/" .. part .. "/" .. part .. "$")
  end
  return group and group .. "/" .. kind .. "/" .. name, text:match("^(.*/)"), name
end

local function edit_reference(resource, known, edit)
  local text = item.annotation(resource, DEPENDS_ON)
  local id, front, name = parse_reference(text or "")
  if id and known[id] and edited(name, edit) ~= name then
    node.put(resource.metadata.annotations, DEPENDS_ON, front .. edited(name, edit))
  end
end

local function edit_name(resource, edit, renames)
  local old = item.name(resource)
  local new = edited(old, edit)
  if old ~= "" and new ~= old then
    node.put(resource.metadata, "name", new)
    references.rename(renames, resource, old, new)
  end
end

local function edit_further(resource, edit)
  for _, spec in ipairs(edit.further) do
    if fieldspec.fits(resource, spec) then
      fieldspec.each(resource, spec, function(parent, key)
        local text = item.text(parent, key)
        if text and edited(text, edit) ~= text then
          node.put(parent, key, edited(text, edit))
        end
      end)
    end
  end
end

local function run(items, config, out)
  local edit, problem = configure(config)
  if not edit then
    out:result({ severity = "error", message = problem })
    return nil, problem
  end
  local known, renames = {}, {}
  for _, resource in pairs(items) do
    local group, _, kind = item.gvk(resource)
    known[group .. "/" .. kind .. "/" .. item.name(resource)] = true
  end
  for _, resource in pairs(items) do
    local _, _, kind = item.gvk(resource)
    if not SKIPPED[kind] then
      edit_reference(resource, known, edit)
      edit_name(resource, edit, renames)
      edit_further(resource, edit)
    end
  end
  references.follow(items, renames, node.put)
  return true
end

return {
  api = 1,
  name = "ensure-name-substring",
  versions = { "v0.1.0", "v0.1.1", "v0.2.0" },
  images = { "ensure-name-substring" },
  summary = "Gives names of resources a prefix or suffix",
  doc = [[
Names that have the text already, anywhere, stay. Fields that refer to a renamed resource follow,
and so do depends-on annotations. Names of Namespaces, CustomResourceDefinitions, APIServices and
Kptfiles stay.

    configMap:
      prepend: prod-     # or append: -prod

or a resource, for names in further fields:

    apiVersion: fn.kpt.dev/v1alpha1
    kind: EnsureNameSubstring
    substring: prod-
    editMode: prepend
    additionalNameFields:
    - kind: MyResource
      path: spec/name
]],
  config = { ConfigMap = { prepend = "string", append = "string" },
    EnsureNameSubstring = { substring = "string", editMode = "prepend or append",
      additionalNameFields = "list" } },
  pure = true,
  run = run,
}
