-- Shared by the specs of core/store: temporary directories and operations on small objects.
local probe = require "probe_store"

local M = {}

local dirs, stores = {}, {}

--- A new directory that `M.clean` removes.
function M.dir()
  local path = os.tmpname()
  os.remove(path)
  assert(os.execute("mkdir '" .. path .. "'"))
  dirs[#dirs + 1] = path
  return path
end

--- Opens a store that `M.clean` closes; config.dir defaults to a new directory.
function M.open(config)
  config = config or {}
  config.dir = config.dir or M.dir()
  local store = assert(probe.open(config))
  stores[#stores + 1] = store
  return store, config.dir
end

function M.clean()
  for _, store in ipairs(stores) do
    store:close()
  end
  for _, dir in ipairs(dirs) do
    os.execute("rm -rf '" .. dir .. "'")
  end
  dirs, stores = {}, {}
end

local function op(kind, name, fields)
  fields = fields or {}
  local ns = fields.ns or "default"
  local head = '{"kind":"Thing","metadata":'
  local meta = ('{"name":"%s","namespace":"%s","resourceVersion":""}'):format(name, ns)
  local json = head .. meta .. ',"spec":"' .. (fields.spec or "") .. '"}'
  local o = {
    op = kind, kind = "things", ns = ns, name = name, uid = "uid-" .. name, json = json,
    rv_at = select(2, json:find('resourceVersion":"', 1, true)),
    meta_from = #head, meta_to = #head + #meta, cells = '["' .. name .. '"]',
  }
  for key, value in pairs(fields) do
    o[key] = value
  end
  return o
end

--- A put of object `name`; fields (ns, spec, expect, f1, …) override.
function M.put(name, fields)
  return op("put", name, fields)
end

--- A delete of object `name`.
function M.del(name, fields)
  return op("del", name, fields)
end

--- Commits one put and returns its number.
function M.add(store, name, fields)
  return assert(store:commit { M.put(name, fields) })[1]
end

--- The names (with namespace when `with_ns` is true) of rows.
function M.names(rows, with_ns)
  local out = {}
  for i, row in ipairs(rows) do
    out[i] = with_ns == true and row.ns .. "/" .. row.name or row.name
  end
  return table.concat(out, " ")
end

--- All bytes of the files in a directory, one after the other.
function M.bytes(dir)
  local pipe = assert(io.popen("cat '" .. dir .. "'/*"))
  local bytes = pipe:read("a")
  pipe:close()
  return bytes
end

return M
