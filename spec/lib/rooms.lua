-- SPDX-License-Identifier: Apache-2.0
-- The room graph as it stands in the code: which directory of core/ includes which, and which Lua
-- file requires what. `lua5.4 spec/lib/rooms.lua` prints the map that README.md shows.

local M = {}

-- A room may use rooms of lower rank only, that is of earlier rows. api/ is data over base/ that
-- every other room may read, so it has a row of its own between ranks 0 and 1.
M.RANKS = {
  { rank = "0", "base" },
  { rank = "0", "api" },
  { rank = "1", "data", "net" },
  { rank = "2", "krm", "store", "script" },
  { rank = "3", "repo", "eval" },
  { rank = "4", "host" },
  { rank = "5", "engine", "auth" },
  { rank = "6", "kube" },
  { rank = "7", "http" },
  { rank = "8", "main" },
}

M.PURPOSE = {
  api = "kinds, messages and documents as data",
  base = "errors, arenas, buffers, maps, clocks, threads, log, limits",
  data = "one node tree for JSON and YAML: edits, patches, field ownership, protobuf",
  net = "outgoing HTTP, TLS and sockets with deadlines",
  krm = "names, paths, Kptfile: pure rules",
  store = "objects, content, change log, journal on SQLite",
  script = "Lua states, allow-list, limits, generations",
  repo = "git repositories: mirrors, discovery, publishing",
  eval = "KRM functions: images, built-ins, pipelines",
  host = "what workflows may call: ctx",
  engine = "verbs to workflows, effects, pushes, sync",
  auth = "who (certificates, tokens) and may (RBAC)",
  kube = "API machinery: routes, lists, watches, patches, tables",
  http = "TLS listener, limits, streaming",
  main = "the lanai program",
}

function M.rank_of()
  local rank = {}
  for i, rooms in ipairs(M.RANKS) do
    for _, room in ipairs(rooms) do rank[room] = i end
  end
  return rank
end

local function files(pattern)
  local list = {}
  local pipe = assert(io.popen("git ls-files -co --exclude-standard -- " .. pattern))
  for path in pipe:lines() do list[#list + 1] = path end
  pipe:close()
  table.sort(list)
  return list
end

local function lines(path)
  local f = io.open(path)
  if not f then return function() end end
  local next_line = f:lines()
  return function()
    local line = next_line()
    if not line then f:close() end
    return line
  end
end

-- { {file=, line=, from=, to=}, ... } for every include of another room.
function M.includes()
  local rank, found = M.rank_of(), {}
  for _, path in ipairs(files("'core/*.[ch]' 'api/*.[ch]'")) do
    local from = path:match("^core/([^/]+)/") or "api"
    local n = 0
    for line in lines(path) do
      n = n + 1
      local to = line:match('^%s*#%s*include%s+"([%w_]+)/')
      if to and to ~= from and rank[to] then
        found[#found + 1] = { file = path, line = n, from = from, to = to }
      end
    end
  end
  return found
end

-- Lua areas: lua/lanai is below workflows, lua/fn and lua/cli; nothing requires workflows.
M.LUA_MAY = {
  ["lua/lanai"] = { ["lua/lanai"] = true },
  ["lua/fn"] = { ["lua/lanai"] = true },
  ["lua/cli"] = { ["lua/lanai"] = true, ["lua/cli"] = true },
  workflows = { ["lua/lanai"] = true },
}

function M.requires()
  local found = {}
  for _, path in ipairs(files("'lua/*.lua' 'workflows/*.lua'")) do
    local from = path:match("^(lua/[^/]+)/") or path:match("^(workflows)/")
    local n = 0
    for line in lines(path) do
      n = n + 1
      local module = not line:match("^%s*%-%-") and line:match('require[%s%(]*"([%w_.%-]+)"')
      if module and M.LUA_MAY[from] then
        local to = module:match("^lanai") and "lua/lanai" or "lua/" .. module:match("^[^.]+")
        found[#found + 1] = { file = path, line = n, from = from, to = to }
      end
    end
  end
  return found
end

function M.upward()
  local rank, bad = M.rank_of(), {}
  for _, edge in ipairs(M.includes()) do
    if rank[edge.to] >= rank[edge.from] then bad[#bad + 1] = edge end
  end
  for _, edge in ipairs(M.requires()) do
    if not M.LUA_MAY[edge.from][edge.to] then bad[#bad + 1] = edge end
  end
  return bad
end

-- Rooms of core/ that no rank names.
function M.unknown()
  local rank, seen, bad = M.rank_of(), {}, {}
  for _, path in ipairs(files("'core/*.[ch]'")) do
    local room = path:match("^core/([^/]+)/")
    if room and not rank[room] and not seen[room] then
      seen[room] = true
      bad[#bad + 1] = room
    end
  end
  return bad
end

function M.map()
  local uses = {}
  for _, edge in ipairs(M.includes()) do
    uses[edge.from] = uses[edge.from] or {}
    uses[edge.from][edge.to] = true
  end
  local out = { "rank  room     purpose", "" }
  out[2] = "                uses"
  for i = #M.RANKS, 1, -1 do
    for _, room in ipairs(M.RANKS[i]) do
      local list = {}
      for to in pairs(uses[room] or {}) do list[#list + 1] = to end
      table.sort(list)
      out[#out + 1] = ("%4s  %-8s %s"):format(M.RANKS[i].rank, room, M.PURPOSE[room])
      if #list > 0 then out[#out + 1] = "                ← " .. table.concat(list, " ") end
    end
  end
  return table.concat(out, "\n") .. "\n"
end

if arg and arg[0] and arg[0]:match("rooms%.lua$") then io.write(M.map()) end

return M
