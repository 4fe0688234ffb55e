-- SPDX-License-Identifier: Apache-2.0
--
-- Runs a function of lua/fn on files, as the pipeline does.
local cjson = require("cjson")
local support = require("spec.lua.support")

local M = {}

local BODY = [[
  local resources = require("lanai.resources")
  local fn = require("fn." .. value.name)
  local files, results = {}, node.list()
  for i = 1, #value.files do
    files[i] = { path = value.files[i].path, text = value.files[i].text }
  end
  local items = assert(resources.read(files, { annotate = true, wide = true }))
  local config = value.config and assert(node.parse(value.config))
  local out = { version = value.version or "" }
  function out.result(_, r)
    local copy = {}
    for k, v in pairs(r) do
      copy[k] = k ~= "resource" and v or v.metadata.name
    end
    results[#results + 1] = copy
  end
  function out.at_least(self, version)
    local function number(text)
      local a, b, c = text:match("^v(%d+)%.(%d+)%.(%d+)$")
      return a and a * 1000000 + b * 1000 + c or math.maxinteger
    end
    return number(self.version) >= number(version)
  end
  local ok, message = fn.run(items, config, out)
  local left = {}
  for i, file in ipairs(assert(resources.write(items, { keep = files, compat = value.compat }))) do
    left[i] = { path = file.path, text = file.text }
  end
  return { ok = ok == true, message = message, results = results, files = node.list(left) }
]]

--- files: path → text. opts: {version=, compat=}. Gives {ok, message, results, files}.
function M.run(name, files, config, opts)
  local list, paths = {}, {}
  for path in pairs(files) do
    paths[#paths + 1] = path
  end
  table.sort(paths)
  for i, path in ipairs(paths) do
    list[i] = { path = path, text = files[path] }
  end
  local answer = support.eval(BODY, { name = name, files = list, config = config,
    version = opts and opts.version, compat = opts and opts.compat })
  local texts = {}
  for _, file in ipairs(answer.files) do
    texts[file.path] = file.text
  end
  answer.files = texts
  answer.message = answer.message ~= cjson.null and answer.message or nil
  return answer
end

return M
