-- SPDX-License-Identifier: Apache-2.0
--
-- set-enforcement-action: what Gatekeeper does about violations of policies.

local item = require("lanai.item")
local node = require("lanai.node")

local ACTIONS = { deny = true, warn = true, dryrun = true }

local function configure(config)
  local data = item.map(config, "data")
  local action = item.text(data, "enforcementAction")
  if not action or #data ~= 1 then
    return nil, "expecting exactly 1 enforcementAction as part of the ConfigMap"
  elseif not ACTIONS[action] then
    return nil, "expected values for enforcementAction are [deny] or [warn] or [dryrun]"
  end
  return action
end

local function set(resource, action)
  if not item.map(resource, "spec") then
    node.set(resource, "spec", node.map())
  end
  node.put(resource.spec, "enforcementAction", action)
end

local function run(items, config, out)
  local action, problem = configure(config)
  if not action then
    problem = "failed to process policies: " .. problem
    out:result({ severity = "error", message = problem })
    return nil, problem
  end
  local policies = {}
  for _, resource in pairs(items) do
    if item.text(resource, "apiVersion") == "constraints.gatekeeper.sh/v1beta1" then
      set(resource, action)
      policies[#policies + 1] = resource
    end
  end
  if #policies == 0 then
    out:result({ severity = "warning",
      message = ("Found no policy to set to [%s]"):format(action) })
    return true
  end
  out:result({ severity = "info",
    message = ("Number of policies set to [%s]: %d"):format(action, #policies) })
  for _, resource in ipairs(policies) do
    local path = item.path(resource)
    out:result({ severity = "info", file = path and { path = path } or nil,
      message = ("Policy name: [%s]"):format(item.name(resource)) })
  end
  return true
end

return {
  api = 1,
  name = "set-enforcement-action",
  versions = { "v0.1.0" },
  images = { "set-enforcement-action" },
  summary = "Sets the enforcement action of Gatekeeper constraints",
  doc = [[
Sets `spec.enforcementAction` of every resource of `constraints.gatekeeper.sh/v1beta1`.

    configMap:
      enforcementAction: dryrun   # deny, warn or dryrun
]],
  config = { ConfigMap = { enforcementAction = "deny, warn or dryrun" } },
  pure = true,
  run = run,
}
