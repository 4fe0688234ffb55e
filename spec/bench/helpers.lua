-- SPDX-License-Identifier: Apache-2.0
--
-- Times functions in helper processes alone (no server):
--   LANAI_BUILD=build/release lua5.4 spec/bench/helpers.lua
-- Rows: an empty program over the socket, which is what a helper costs, and a program of 100 lines
-- over 100 Deployments, as JSON over the socket and from YAML to YAML.

local BUILD = os.getenv("LANAI_BUILD") or "build"
package.cpath = BUILD .. "/probe/?.so;" .. package.cpath
local cjson = require("cjson")
local probe = require("probe_programs")

local RESOURCES, LINES, RUNS = 100, 100, 50

local function deployment(i)
  return ([[
- apiVersion: apps/v1
  kind: Deployment
  metadata:
    name: app-%d
    labels: {app: app-%d}
  spec:
    replicas: 1
    selector:
      matchLabels: {app: app-%d}
    template:
      metadata:
        labels: {app: app-%d}
      spec:
        containers:
        - name: main
          image: example.com/app:%d
          env:
          - name: N
            value: "%d"
]]):format(i, i, i, i, i, i)
end

local function starlark()
  local lines = { "def change(r):" }
  for i = 1, LINES - 4 do
    lines[#lines + 1] = ('  r["metadata"]["labels"]["k%d"] = r["metadata"]["name"] + "-%d"'):format(
      i % 10, i)
  end
  lines[#lines + 1] = 'for r in ctx.resource_list["items"]:'
  lines[#lines + 1] = '  if r["kind"] == "Deployment":'
  lines[#lines + 1] = "    change(r)"
  return table.concat(lines, "\n")
end

local function lua()
  local lines = { "local function change(r)" }
  for i = 1, LINES - 6 do
    lines[#lines + 1] = ('  r.metadata.labels.k%d = r.metadata.name .. "-%d"'):format(i % 10, i)
  end
  lines[#lines + 1] = "end\nfor _, r in ipairs(ctx.resource_list.items) do"
  lines[#lines + 1] = '  if r.kind == "Deployment" then\n    change(r)\n  end\nend'
  return table.concat(lines, "\n")
end

local function yaml(source)
  local out = { "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n" }
  for i = 1, RESOURCES do
    out[#out + 1] = deployment(i)
  end
  out[#out + 1] = "functionConfig:\n  apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: f}\n"
    .. "  data:\n    source: " .. cjson.encode(source):gsub("\\/", "/") .. "\n"
  return table.concat(out)
end

local function row(name, ns, wanted)
  print(("%-44s %9.3f ms   %s"):format(name, ns / 1e6, wanted or ""))
end

local function empty(name, argv)
  local h = probe.helpers({ argv = argv, max = 1, max_calls = 1 << 30, max_output = 64 << 20 })
  local request = '{"items":[],"functionConfig":{"kind":"ConfigMap","apiVersion":"v1",'
    .. '"metadata":{"name":"f"},"data":{"source":"x = 1"}}}'
  h:time(request, RUNS)
  row(name .. ": an empty program", h:time(request, 1000), "wanted: far below 1 ms")
end

local function large(name, argv, source)
  local h = probe.helpers({ argv = argv, max = 1, max_calls = 1 << 30, max_output = 64 << 20 })
  local p = probe.programs({ self = BUILD .. "/lanai" })
  local text = yaml(source)
  local json = probe.json(text)
  h:time(json, RUNS)
  row(("%s: %d lines over %d resources, JSON"):format(name, LINES, RESOURCES), h:time(json, RUNS))
  local call = { program = name, image = name, input = text }
  assert(p:run(call) == 0)
  row(("%s: the same from YAML to YAML"):format(name), p:time(call, RUNS))
end

empty("lua", { BUILD .. "/lanai", "fn-helper", "lua" })
large("lua", { BUILD .. "/lanai", "fn-helper", "lua" }, lua())
empty("starlark", { BUILD .. "/lanai-starlark" })
large("starlark", { BUILD .. "/lanai-starlark" }, starlark())
