-- Times the store: LANAI_BUILD=<release build> lua5.4 spec/bench/store.lua [directory]
-- Every number comes with its comparison from the same run on the same disk.
package.cpath = (os.getenv("LANAI_BUILD") or "build") .. "/probe/?.so;" .. package.cpath
local probe = require "probe_store"

local base = arg[1] or "/tmp"
local dir = ("%s/lanai-bench-%d"):format(base, os.time())
assert(os.execute("mkdir '" .. dir .. "'"))
local SIZE = 2048

local function rss()
  local out = { VmRSS = 0, RssAnon = 0 }
  for line in io.lines("/proc/self/status") do
    local key, kib = line:match("^(%w+):%s+(%d+) kB")
    if out[key] then
      out[key] = tonumber(kib)
    end
  end
  return ("%.1f MiB, of it anonymous %.1f MiB"):format(out.VmRSS / 1024, out.RssAnon / 1024)
end

print("memory before opening:      " .. rss())
local store = assert(probe.open { dir = dir })
print("memory of an empty store:   " .. rss())

for round = 1, 3 do
  local bare, bare99 = probe.time_bare(("%s/bare%d.db"):format(dir, round), 3000, SIZE)
  local p50, p99 = store:time_put(3000, SIZE)
  print(("commit of one 2 KiB put: p50 %.0f us (p99 %.0f); bare SQLite p50 %.0f us (p99 %.0f);"
    .. " ratio %.2f"):format(p50, p99, bare, bare99, p50 / bare))
end
for _, threads in ipairs { 1, 4, 16, 64 } do
  local before = store:stats()
  local failures, seconds = store:load(threads, 0, 4000 // threads, SIZE)
  local after = store:stats()
  assert(failures == 0)
  print(("%2d threads: %.0f commits/s, %.1f commits per sync"):format(threads,
    (after.commits - before.commits) / seconds,
    (after.commits - before.commits) / (after.groups - before.groups)))
end
store:close()

store = assert(probe.open { dir = dir .. "/ten-thousand" })
store:time_put(10000, SIZE)
print("memory at 10,000 objects:   " .. rss())
store:close()
store = assert(probe.open { dir = dir .. "/ten-thousand" })
print("memory after reopening:     " .. rss())
for _ = 1, 3 do
  local us, found = store:time_get(100000, 10000)
  assert(found == 100000)
  local rows, bytes, seconds = store:time_list()
  local log, log_seconds = store:time_changes("kind")
  local _, skip_seconds = store:time_changes("other")
  print(("get %.1f us; list of %d: %.0f MB/s, %.1f ms; changes: %.0f MB/s; other kinds skipped:"
    .. " %.2f us each"):format(us, rows, bytes / seconds / 1e6, seconds * 1e3,
    log / log_seconds / 1e6, skip_seconds * 1e6 / rows))
end
print("memory after reading:       " .. rss())
store:close()
os.execute("rm -rf '" .. dir .. "'")
