-- SPDX-License-Identifier: Apache-2.0
--
-- set-name-prefix: the package's name in front of the names of its resources.

local item = require("lanai.item")
local node = require("lanai.node")
local references = require("lanai.references")
local resource = require("lanai.resource")

local CONTEXT = "kptfile.kpt.dev"

local function find_context(items)
  for _, candidate in pairs(items) do
    local group, version, kind = item.gvk(candidate)
    if kind == "ConfigMap" and group == "" and version == "v1"
      and item.name(candidate) == CONTEXT then
      return candidate
    end
  end
  return nil
end

local function is_config_map(config)
  local group, version, kind = item.gvk(config)
  return kind == "ConfigMap" and group == "" and version == "v1"
end

local function renamed(name, old, prefix)
  if name == old then
    return prefix
  elseif name:sub(1, #old + 1) == old .. "-" then
    return prefix .. name:sub(#old + 1)
  end
  return name
end

local function fail(out, message)
  out:result({ severity = "error", message = message })
  return nil, message
end

local function run(items, config, out)
  local context = find_context(items)
  if not context then
    return fail(out, ("unable to find the package context ConfigMap `%s`"):format(CONTEXT))
  end
  if config and not is_config_map(config) then
    out:result({ severity = "error",
      message = "functionConfig error: unknown functionConfig Kind /, Kind=" })
    return true
  end
  local data = item.map(config, "data")
  local prefix = item.text(data, "prefix") or ""
  prefix = prefix ~= "" and prefix or item.text(item.map(context, "data"), "name") or ""
  local old = item.text(data, "oldPrefix") or ""
  old = old ~= "" and old or "packagename"
  if prefix == "" then
    return fail(out, "`data.prefix` should not be empty")
  end
  local renames = {}
  for _, target in pairs(items) do
    local name = item.name(target)
    local new = renamed(name, old, prefix)
    if new ~= name and not resource.is_local_config(target) and target.kind ~= "ResourceGroup" then
      node.set(target.metadata, "name", new)
      references.rename(renames, target, name, new)
    end
  end
  references.follow(items, renames, node.set)
  return true
end

return {
  api = 1,
  name = "set-name-prefix",
  versions = { "v0.0.1", "v0.0.2", "v0.0.3" },
  images = { "set-name-prefix" },
  summary = "Puts the package's name in front of names",
  doc = [[
Resources with the name `packagename`, or one that begins with `packagename-`, get the name of the
package in its place: that of the ConfigMap `kptfile.kpt.dev`, which must be there. Fields that
refer to a renamed resource follow.

    configMap:
      prefix: shop          # in place of the package's name
      oldPrefix: example    # in place of packagename
]],
  config = { ConfigMap = { prefix = "string", oldPrefix = "string" } },
  pure = true,
  run = run,
}
