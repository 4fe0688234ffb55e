-- SPDX-License-Identifier: Apache-2.0
--
-- Upstream identity stamps (cad-library.md §2.3) in the files of whole trees. Best effort: what
-- cannot be read stays as it is.

local ignore = require("lanai.ignore")
local krm = require("lanai.krm")

local M = {}

local function yaml_files(directory)
  local list = {}
  for _, path in ipairs(ignore.files(directory)) do
    if path:find("%.ya?ml$") then
      list[#list + 1] = { path = path, text = directory:file(path) }
    end
  end
  return list
end

-- kpt reads a tree whole: one broken file and none is stamped, nor the trees behind it.
local function stamp_as_kpt(directory, attribute)
  local stamped = krm.stamp { files = yaml_files(directory), attribute = attribute,
    compat = "kpt" }
  for _, file in ipairs(stamped or {}) do
    directory:set(file.path, file.text)
  end
  return stamped ~= nil
end

local function stamp_each(directory, attribute)
  for _, file in ipairs(yaml_files(directory)) do
    local stamped = krm.stamp { files = { file }, attribute = attribute, compat = "lanai" }
    if stamped and stamped[1] and stamped[1].text ~= file.text then
      directory:set(file.path, stamped[1].text)
    end
  end
end

--- Stamps the resources below the directories.
--- @param compat string "kpt" or "lanai"
--- @param ... lanai.Tree|nil
function M.stamp(compat, ...)
  for i = 1, select("#", ...) do
    local directory = select(i, ...)
    if directory and compat ~= "kpt" then
      stamp_each(directory, false)
    elseif directory and not stamp_as_kpt(directory, false) then
      return
    end
  end
end

--- Stamps what was just fetched; with `attribute` resources of Config Connector say that they came
--- so.
--- @param compat string "kpt" or "lanai"
--- @param directory lanai.Tree
--- @param attribute boolean
function M.stamp_new(compat, directory, attribute)
  if compat == "kpt" then
    stamp_as_kpt(directory, attribute)
  else
    stamp_each(directory, attribute)
  end
end

return M
