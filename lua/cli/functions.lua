-- SPDX-License-Identifier: Apache-2.0
--
-- Functions for verbs: the flags that those have in common, and where the functions come from.

local eval = require("lanai.eval")
local lanai = require("lanai")
local process = require("lanai.process")

local M = {}

-- Those without help are of container runtimes, and mean nothing here.
local SHARED = {
  ["allow-alpha-wasm"] = { kind = "bool", default = false },
  ["image-prefix"] = { kind = "string", default = "",
    help = "registry of images that name none; or KPT_IMAGE_PREFIX" },
  ["image-pull-policy"] = { kind = "string", default = "IfNotPresent" },
  ["results-dir"] = { kind = "string", default = "",
    help = "directory for results.yaml: what the functions reported" },
}

--- The flag of directories with further functions.
M.DIRECTORIES = { kind = "list",
  help = "directories of your own functions, by commas; or LANAI_FUNCTIONS, by colons" }

--- The flags of a verb that runs functions.
--- @param own table
--- @return table
function M.flags(own)
  for name, flag in pairs(SHARED) do
    own[name] = flag
  end
  own.functions = M.DIRECTORIES
  return own
end

--- What is wrong with the shared flags, or nil.
--- @param flags table
--- @return string|nil
function M.check(flags)
  local policy = flags["image-pull-policy"]:lower()
  if policy ~= "always" and policy ~= "ifnotpresent" and policy ~= "never" then
    return ('invalid argument %q for "--image-pull-policy" flag: must be one of: Always, '
      .. "IfNotPresent, Never"):format(flags["image-pull-policy"])
  end
end

--- Loads the functions; `more` are further directories.
--- @param flags table
--- @param more string[]|nil
--- @return true|nil, string?
function M.open(flags, more)
  local directories = flags.functions
    or lanai.split(process.env("LANAI_FUNCTIONS") or "", ":")
  local list = {}
  for _, set in ipairs { directories, more or {} } do
    for _, directory in ipairs(set) do
      list[#list + 1] = directory ~= "" and directory or nil
    end
  end
  local ok, err = eval.open(list)
  return ok, err and err.message
end

--- The registry that images without one are from.
--- @param flags table
--- @return string
function M.prefix(flags)
  local prefix = flags["image-prefix"]
  if prefix == "" then
    prefix = process.env("KPT_IMAGE_PREFIX") or ""
  end
  return (prefix:gsub("/+$", ""))
end

return M
