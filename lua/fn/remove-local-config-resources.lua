-- SPDX-License-Identifier: Apache-2.0
--
-- remove-local-config-resources: leaves only what is applied to a cluster.

local item = require("lanai.item")
local node = require("lanai.node")

local function is_local(resource)
  local value = item.annotation(resource, "config.kubernetes.io/local-config")
  return value ~= nil and value:lower() == "true"
end

local function run(items, _, out)
  local pruned = {}
  for i = #items, 1, -1 do
    if is_local(items[i]) then
      local path = item.path(items[i])
      table.insert(pruned, 1, { severity = "info", file = path and { path = path } or nil,
        message = ("Resource name: [%s]"):format(item.name(items[i])) })
      node.remove(items, i)
    end
  end
  if #pruned == 0 then
    out:result({ severity = "warning",
      message = "Found no resources to prune with the local config annotation" })
    return true
  end
  out:result({ severity = "info",
    message = ("Number of resources pruned: %d"):format(#pruned) })
  for _, result in ipairs(pruned) do
    out:result(result)
  end
  return true
end

return {
  api = 1,
  name = "remove-local-config-resources",
  versions = { "v0.1.0" },
  images = { "remove-local-config-resources" },
  summary = "Removes resources with the annotation config.kubernetes.io/local-config",
  doc = [[
Removes what is not applied to a cluster: all resources that are annotated with
`config.kubernetes.io/local-config: "true"`. Kptfiles may be among them. Takes no configuration.
]],
  pure = true,
  run = run,
}
