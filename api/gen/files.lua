-- SPDX-License-Identifier: Apache-2.0
--
-- What the generator needs of the file system: list a directory, read a file, load a data file,
-- write a file. Data files run in an empty environment, so a kind file is a plain table and
-- nothing else.

local M = {}

--- Names of the .lua files of a directory, sorted; subdirectories are not entered.
---@param dir string
---@return string[]
function M.list(dir)
  local quoted = "'" .. dir:gsub("'", "'\\''") .. "'"
  local pipe = assert(io.popen("LC_ALL=C ls -1 " .. quoted, "r"))
  local names = {}
  for name in pipe:lines() do
    if name:sub(-4) == ".lua" then
      names[#names + 1] = name
    end
  end
  assert(pipe:close(), "cannot list " .. dir)
  table.sort(names)
  return names
end

--- Evaluates a data file and returns its table.
---@param path string
---@return table
function M.data(path)
  local chunk = assert(loadfile(path, "t", {}))
  local value = chunk()
  assert(type(value) == "table", path .. ": must return a table")
  return value
end

---@param path string
---@param text string
function M.write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
end

return M
