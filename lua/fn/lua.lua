-- SPDX-License-Identifier: Apache-2.0
--
-- lua: a Lua program that stands in the functionConfig. A helper process runs it
-- (core/host/luafn.c); here is what it is called and how it is explained.

return {
  api = 1,
  name = "lua",
  versions = { "v0.1.0" },
  images = { "lua" },
  summary = "Runs a Lua program over the resources.",
  doc = [[
The program is `source` of a LuaRun, or `source` in the data of a ConfigMap. It finds

    ctx.resource_list            the ResourceList: items, functionConfig
    ctx.result{message=, severity=, field=, file=}   adds a result
    print(…)                     writes to the log
    require("lanai.node")        lists, maps and what else nodes can do

changes the items in place, and fails with error(). There are no files, no network, no clock and no
code made from text; a program gets ten seconds and 64 MiB.

    apiVersion: fn.kpt.dev/v1alpha1
    kind: LuaRun
    metadata:
      name: set-replicas
    source: |
      for _, resource in ipairs(ctx.resource_list.items) do
        if resource.kind == "Deployment" then
          resource.spec.replicas = 3
        end
      end
]],
  config = { kind = "LuaRun", apiVersion = "fn.kpt.dev/v1alpha1" },
  pure = true,
  program = "lua",
}
