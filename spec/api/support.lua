-- SPDX-License-Identifier: Apache-2.0
--
-- Helpers of the api specs: load the generator's modules, run it on a copy of api/ with a changed
-- kind file, read its outputs.

local M = {}

--- Runs f with the generator's modules on the path; they are forgotten afterwards.
function M.with_generator(f)
  local path, before = package.path, {}
  for name in pairs(package.loaded) do
    before[name] = true
  end
  package.path = "./api/gen/?.lua;" .. path
  local ok, result = pcall(f)
  package.path = path
  for name in pairs(package.loaded) do
    if not before[name] then
      package.loaded[name] = nil
    end
  end
  assert(ok, result)
  return result
end

--- Model of a directory, with the messages.
function M.model(api)
  return M.with_generator(function()
    local model = require("model").load(api)
    model.messages = require("files").data(api .. "/messages.lua")
    return model
  end)
end

--- Documents of a directory by path and variant: documents["/openapi/v2 pb"].
function M.documents(api)
  local model = M.model(api)
  return M.with_generator(function()
    local list, map = {}, {}
    for _, name in ipairs({ "discovery", "openapi", "crd" }) do
      require(name).add(list, model)
    end
    for _, document in ipairs(list) do
      local key = document.path
      if document.variant ~= "" then
        key = key .. " " .. document.variant
      end
      assert(not map[key], "two documents for " .. key)
      map[key] = document
    end
    return map
  end)
end

function M.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

function M.write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

--- A new empty directory; remove it with M.remove.
function M.temporary()
  local pipe = assert(io.popen("mktemp -d", "r"))
  local path = pipe:read("l")
  pipe:close()
  return path
end

function M.remove(path)
  assert(path:match("^/.+"))
  os.execute("rm -rf '" .. path .. "'")
end

--- Runs a command; returns success and what it wrote to both outputs.
function M.run(command)
  local pipe = assert(io.popen(command .. " 2>&1", "r"))
  local text = pipe:read("a")
  local ok = pipe:close()
  return ok == true, text
end

--- Runs the generator; options may be "--crds".
function M.generate(api, out, options)
  return M.run(("lua5.4 '%s/gen/main.lua' %s '%s' '%s'"):format(api, options or "", api, out))
end

return M
