-- SPDX-License-Identifier: Apache-2.0
--
-- CEL rules of a kind for documents and CRDs: its name rule and its immutable fields. The server
-- itself checks the same things from the C tables; both come from the kind file.

local json = require("json")

local M = {}

local NAME_RULES = {
  crd_label = {
    { "repository-name-label", "self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')" },
    { "repository-name-long", "size(self.metadata.name) <= 63" },
  },
}

-- "Unchanged, unless it had no value": every optional step on the way needs its own has().
local function immutable_rule(path, message)
  local steps, tests = {}, {}
  for step in path:gmatch("[^.]+") do
    steps[#steps + 1] = step
    if #steps > 1 then
      tests[#tests + 1] = "!has(oldSelf." .. table.concat(steps, ".") .. ")"
    end
  end
  tests[#tests + 1] = ("self.%s == oldSelf.%s"):format(path, path)
  return json.object("message", message, "rule", table.concat(tests, " || "))
end

local function add_immutable(rules, schema, prefix)
  for _, field in ipairs(schema.fields) do
    local path = prefix .. field.name
    if field.immutable then
      rules[#rules + 1] = immutable_rule(path, field.immutable)
    end
    if field.type == "object" and not field.object.component then
      add_immutable(rules, field.object, path .. ".")
    end
  end
end

--- List of {message, rule} objects, or nil when the kind has none. `messages` is api/messages.lua.
function M.of(kind, messages)
  local rules = {}
  for _, rule in ipairs(NAME_RULES[kind.name_rule] or {}) do
    rules[#rules + 1] = json.object("message", messages[rule[1]], "rule", rule[2])
  end
  add_immutable(rules, kind.schema, "")
  return #rules > 0 and rules or nil
end

return M
