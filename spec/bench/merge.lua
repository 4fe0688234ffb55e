-- SPDX-License-Identifier: Apache-2.0
-- Times merges of packages: lua5.4 spec/bench/merge.lua PROBES BYTES RUNS prints the milliseconds
-- of each run, by default and as kpt, one "mode milliseconds" a line. Every file was changed on
-- both sides, so everything is read, merged and written.
local probes, bytes, runs = arg[1], tonumber(arg[2]), tonumber(arg[3])
package.cpath = probes .. "/?.so;" .. package.cpath
local merge = require("probe_merge")

local ENV = {}
for i = 1, 8 do
  ENV[i] = ("        - name: E%d\n          value: \"v%d\"\n"):format(i, i)
end
ENV = table.concat(ENV)

local function deployment(i, image, replicas)
  return ([[
apiVersion: apps/v1
kind: Deployment
metadata: # kpt-merge: /d%d
  name: d%d
  labels:
    app: d%d
spec:
  replicas: %d # kpt-set: ${replicas}
  template:
    spec:
      containers:
      - name: app
        image: registry.example/app:%d
        env:
%s        ports:
        - containerPort: 80
          protocol: TCP
]]):format(i, i, i, replicas, image, ENV)
end

-- Files of four resources each, together of that size.
local function package_of(image, replicas)
  local out, size, i = {}, 0, 0
  while size < bytes do
    local list = {}
    for k = 1, 4 do
      list[k] = deployment(4 * i + k, image, replicas)
    end
    local text = table.concat(list, "---\n")
    out[("d%05d.yaml"):format(i)] = text
    size = size + #text
    i = i + 1
  end
  return out
end

local base, ours, theirs = package_of(1, 1), package_of(1, 3), package_of(2, 1)
for _, mode in ipairs { "lanai", "kpt" } do
  for _ = 1, runs do
    local start = os.clock()
    assert(merge.files(base, ours, theirs, { kpt = mode == "kpt", is_root = true }))
    print(mode, (os.clock() - start) * 1000)
  end
end
