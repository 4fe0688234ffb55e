-- SPDX-License-Identifier: Apache-2.0
-- Times reading the YAML of real packages: lua5.4 spec/bench/yaml.lua PROBES LIST RUNS prints for
-- each run the megabytes per second of reading, those of reading and writing, and the arena's
-- bytes per byte of text. LIST names a file with a path in each line.
local probes, list, runs = arg[1], arg[2], tonumber(arg[3])
package.cpath = probes .. "/?.so;" .. package.cpath
local yaml = require("probe_yaml")

local texts, bytes = {}, 0
for path in io.lines(list) do
  local f = assert(io.open(path, "rb"))
  local text = f:read("a")
  f:close()
  if yaml.read_cost(text, 1) then
    texts[#texts + 1] = text
    bytes = bytes + #text
  end
end

for _ = 1, runs do
  local spent, memory = 0, 0
  for _, text in ipairs(texts) do
    local ns, used = yaml.read_cost(text, 1)
    spent, memory = spent + ns, memory + used
  end
  local start = os.clock()
  for _, text in ipairs(texts) do
    yaml.rewrite(text)
  end
  local both = os.clock() - start
  print(bytes / spent * 1e3, bytes / both / 1e6, memory / bytes)
end
