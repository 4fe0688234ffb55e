-- SPDX-License-Identifier: Apache-2.0
--
-- Shared by the specs of core/kube: a server for a file, requests in JSON, objects to start from.
local cjson = require "cjson"
local probe = require "probe_kube"

local M = {}

M.null = cjson.null

--- A server over a new directory. options as probe_kube.open has them.
function M.server(options)
  local dir = os.tmpname()
  os.remove(dir)
  assert(os.execute("mkdir -p -m 700 '" .. dir .. "'"))
  local server = assert(probe.open(dir, options))
  local self = { server = server }

  local function decoded(answer)
    local kind = (answer.headers["Content-Type"] or { "" })[1]
    if kind:find("^application/json") and #answer.body > 0 then
      answer.json = cjson.decode(answer.body)
    end
    return answer
  end

  local function request_of(method, path, body, headers)
    local request = { method = method, path = path, headers = {} }
    for name, value in pairs(headers or {}) do
      request.headers[name] = value
    end
    if type(body) == "table" then
      body = cjson.encode(body)
    end
    if body then
      request.body = body
      request.headers["Content-Type"] = request.headers["Content-Type"] or "application/json"
    end
    return request
  end

  --- method, path, body (table becomes JSON), headers → answer with `json` when it is JSON
  function self.call(...)
    return decoded(server:request(request_of(...)))
  end

  --- Like call, but does not wait: gives a function that gives the answer.
  function self.send(...)
    local sent = server:send(request_of(...))
    return function()
      return decoded(sent:answer())
    end
  end

  --- Nothing is committed until the function that this gives is called.
  function self.hold()
    server:hold()
    local answer = self.send("POST", M.CM, { metadata = { generateName = "hold-" } })
    server:held()
    return function()
      server:release()
      assert(answer().status == 201)
    end
  end

  function self.get(path, headers)
    return self.call("GET", path, nil, headers)
  end

  --- The request must succeed; gives the decoded body.
  function self.must(...)
    local answer = self.call(...)
    if answer.status >= 300 then
      error(("%s %s: %d %s"):format(select(1, ...), select(2, ...), answer.status, answer.body), 2)
    end
    return answer.json
  end

  --- Opens a watch; `next` gives decoded events.
  function self.watch(path, headers)
    local watch = server:watch { path = path, headers = headers or {} }
    if type(watch) == "table" then
      watch.json = cjson.decode(watch.body)
      return nil, watch
    end
    return {
      next = function(seconds)
        local line = watch:next(seconds)
        return line and cjson.decode(line)
      end,
      line = function(seconds)
        return watch:next(seconds)
      end,
      ended = function()
        return watch:ended()
      end,
      close = function()
        watch:close()
      end,
    }
  end

  function self.close()
    server:close()
    os.execute("rm -rf '" .. dir .. "'")
  end

  return self
end

M.CM = "/api/v1/namespaces/default/configmaps"

--- A ConfigMap.
function M.config_map(name, fields)
  local object = { apiVersion = "v1", kind = "ConfigMap", metadata = { name = name } }
  for key, value in pairs(fields or {}) do
    if key == "labels" or key == "annotations" or key == "finalizers" then
      object.metadata[key] = value
    else
      object[key] = value
    end
  end
  return object
end

--- A Repository.
function M.repository(name, spec)
  return { apiVersion = "config.porch.kpt.dev/v1alpha1", kind = "Repository",
    metadata = { name = name }, spec = spec }
end

--- Names of the items of a list.
function M.names(list)
  local names = {}
  for i, item in ipairs(list.items) do
    names[i] = item.metadata.name
  end
  return names
end

M.TABLE = { Accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json" }

return M
