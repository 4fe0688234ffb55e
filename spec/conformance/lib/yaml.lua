-- SPDX-License-Identifier: Apache-2.0
-- YAML as Lua tables, read by the product's own reader. JSON null becomes M.null; whole numbers
-- are integers.
local cjson = require("cjson")
local data = require("probe_data")

local M = { null = cjson.null }

local function settle(value)
  if type(value) == "number" then
    return math.tointeger(value) or value
  elseif type(value) == "table" then
    for key, member in pairs(value) do
      value[key] = settle(member)
    end
  end
  return value
end

--- Parses JSON text.
function M.from_json(text)
  return settle(cjson.decode(text))
end

--- JSON of a YAML text; raises when it is broken.
function M.to_json(text)
  local json, kind, message = data.yaml(text)
  if not json then
    error(("%s: %s"):format(kind, message), 2)
  end
  return json
end

--- Parses one YAML document; raises when it is broken.
function M.parse(text)
  return M.from_json(M.to_json(text))
end

--- JSON text of a table. Empty tables are maps.
function M.encode(value)
  return cjson.encode(value)
end

--- True when two JSON texts are equal as data.
function M.equal(a, b)
  return data.equal(a, b)
end

--- The value, or nil when it is absent or null.
function M.given(value)
  if value == cjson.null then
    return nil
  end
  return value
end

return M
