-- SPDX-License-Identifier: Apache-2.0
-- Files, temporary directories and programs for the conformance runner.
local M = {}

local GIT = "env -i PATH=\"$PATH\" HOME=/nonexistent GIT_CONFIG_NOSYSTEM=1 LC_ALL=C "
  .. "GIT_AUTHOR_NAME=Outside GIT_AUTHOR_EMAIL=outside@example.com "
  .. "GIT_COMMITTER_NAME=Outside GIT_COMMITTER_EMAIL=outside@example.com git -c safe.directory='*' "

function M.quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- Runs a command; returns its output without the last line's end, raises when it fails.
function M.sh(command)
  local pipe = assert(io.popen("(" .. command .. ") 2>&1"))
  local out = pipe:read("a")
  if not pipe:close() then
    error(command .. "\n" .. out, 2)
  end
  return (out:gsub("%s+$", ""))
end

--- Runs git in a directory.
function M.git(dir, words)
  return M.sh(GIT .. "-C " .. M.quote(dir) .. " " .. words)
end

function M.lines(text)
  local list = {}
  for line in text:gmatch("[^\n]+") do
    list[#list + 1] = line
  end
  return list
end

--- The bytes of a file, or nil.
function M.read(path)
  local f = io.open(path, "rb")
  if not f then
    return nil
  end
  local bytes = f:read("a")
  f:close()
  return bytes
end

function M.write(path, bytes)
  local f = assert(io.open(path, "wb"))
  assert(f:write(bytes))
  f:close()
end

--- Map of relative path to bytes of all files below a directory.
function M.tree(dir)
  local files = {}
  for _, path in ipairs(M.lines(M.sh("cd " .. M.quote(dir) .. " && find . -type f | sort"))) do
    path = path:sub(3)
    files[path] = M.read(dir .. "/" .. path)
  end
  return files
end

--- Calls fn with a temporary directory and returns what it returns; the directory goes.
function M.with_tmp(fn)
  local dir = M.sh("mktemp -d")
  local result = table.pack(pcall(fn, dir))
  M.sh("rm -rf " .. M.quote(dir))
  if not result[1] then
    error(result[2], 0)
  end
  return table.unpack(result, 2, result.n)
end

return M
