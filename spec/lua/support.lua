-- SPDX-License-Identifier: Apache-2.0
-- For specs of lua/: temporary directories, git repositories, the verbs as programs, and pieces of
-- Lua that run where verbs run.
local cjson = require("cjson")
local probe = require("probe_local")

local M = {}

local LANAI = (os.getenv("LANAI_BUILD") or "build") .. "/lanai"
local made = {}

function M.quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- Runs a shell command; gives its output and exit code.
function M.shell(command)
  local pipe = assert(io.popen("(" .. command .. ") 2>&1"))
  local out = pipe:read("a")
  local _, _, code = pipe:close()
  return out, code
end

local function must(command)
  local out, code = M.shell(command)
  assert(code == 0, command .. "\n" .. out)
  return (out:gsub("%s+$", ""))
end

--- A new directory that clean() removes.
function M.directory()
  local dir = must("mktemp -d")
  made[#made + 1] = dir
  return dir
end

function M.clean()
  for _, dir in ipairs(made) do
    must("rm -rf " .. M.quote(dir))
  end
  made = {}
end

function M.read(path)
  local f = io.open(path, "rb")
  local bytes = f and f:read("a")
  if f then
    f:close()
  end
  return bytes
end

--- Writes files below a directory, path → bytes.
function M.write(dir, files)
  for path, bytes in pairs(files) do
    must("mkdir -p " .. M.quote((dir .. "/" .. path):match("^(.*)/")))
    local f = assert(io.open(dir .. "/" .. path, "wb"))
    f:write(bytes)
    f:close()
  end
end

--- Map of relative path to bytes of all files below a directory.
function M.tree(dir)
  local files = {}
  local list = must("cd " .. M.quote(dir) .. " && find . -type f ! -path '*/.git/*'")
  for path in list:gmatch("[^\n]+") do
    files[path:sub(3)] = M.read(dir .. "/" .. path)
  end
  return files
end

--- Runs git in a directory.
function M.git(dir, words)
  return must("env -i PATH=\"$PATH\" HOME=/nonexistent GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a "
    .. "GIT_AUTHOR_EMAIL=a@x GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@x git -C "
    .. M.quote(dir) .. " " .. words)
end

--- Makes files the only ones of a repository's work tree, commits and tags them; gives the commit.
function M.commit(dir, files, tag)
  if not M.read(dir .. "/.git/HEAD") then
    must("mkdir -p " .. M.quote(dir))
    M.git(dir, "init -q -b main")
  end
  must("cd " .. M.quote(dir) .. " && find . -mindepth 1 -maxdepth 1 ! -name .git -exec rm -rf {} +")
  M.write(dir, files)
  M.git(dir, "add -A")
  M.git(dir, "commit -q --allow-empty -m c")
  if tag then
    M.git(dir, "tag " .. tag)
  end
  return M.git(dir, "rev-parse HEAD")
end

--- Runs a program in a directory; gives exit code, output and errors.
function M.run(dir, command, env)
  local out, err = os.tmpname(), os.tmpname()
  local _, code = M.shell(("cd %s && HOME=%s %s %s >%s 2>%s"):format(M.quote(dir), M.quote(dir),
    env or "", command, out, err))
  local texts = { M.read(out), M.read(err) }
  os.remove(out)
  os.remove(err)
  return code, texts[1], texts[2]
end

--- Runs `lanai WORDS` in a directory, with a cache of git repositories there.
function M.lanai(dir, words, env)
  local program = must("realpath " .. M.quote(LANAI))
  return M.run(dir, program .. " " .. words, "KPT_CACHE_DIR=" .. M.quote(dir .. "/.cache") .. " "
    .. (env or ""))
end

--- Runs the body of a function(value) as verbs run; value and result go as JSON.
function M.eval(body, value)
  local dir = M.directory()
  M.write(dir, { ["lib/probe.lua"] = [[
local json, process, node = require("lanai.json"), require("lanai.process"), require("lanai.node")
local function body(value) ]] .. body .. [[ end
return function(args)
  local out = node.map()
  out.result = body(json.parse(args[1]).value)
  process.out(json.emit(out))
  return 0
end
]] })
  local code, out, err = probe.run("lib.probe", { cjson.encode({ value = value or "" }) },
    { dir = dir })
  assert(code == 0, tostring(out) .. tostring(err))
  return cjson.decode(out).result
end

return M
