-- SPDX-License-Identifier: Apache-2.0
--
-- `lanai fn new NAME`: the first version of a function of one's own, with a test.

local command = require("cli.command")
local disk = require("cli.disk")
local files = require("lanai.files")
local process = require("lanai.process")

local FUNCTION = [[
-- NAME: says who owns a resource.
--
-- A function gets resources and gives them back changed. It has no files, no network, no clock:
-- what comes out depends on what goes in, and a run may be left out when nothing of that changed.
--
--   lanai fn test NAME.lua                                   runs the cases of NAME_test.yaml
--   lanai fn eval DIR --functions . -i NAME -- owner=team-a  runs it over a directory
--
-- A server has it as image NAME when the file is in its directory of functions.

local node = require("lanai.node")

return {
  api = 1,                   -- level of this contract
  name = "NAME",             -- the name of this file
  versions = { "v0.1.0" },   -- tags that it answers to, and :latest
  images = { "NAME" },       -- image names that it stands for, without registry
  summary = "Says who owns a resource.",
  doc = [=[
Sets the annotation example.com/owner of every resource to the owner in the data of the ConfigMap.
Resources that have an owner keep it.]=],
  config = { ConfigMap = { owner = "who the resources belong to" } },
  pure = true,

  -- items:  list of resources; a resource is a map that is read like a table (item.metadata.name).
  --         Assigning changes it (item.spec.replicas = 3); comments and the order of fields stay.
  -- config: the functionConfig, or nil when there is none.
  -- out:    out:result{ message =, severity =, resource =, field =, file = } reports to the user;
  --         out.version is the version that was asked for.
  -- Gives true; or nil and a message, and then nothing is changed.
  run = function(items, config, out)
    local owner = config and config.data and config.data.owner
    if not owner then
      return nil, "`data.owner` should not be empty"
    end
    for _, item in ipairs(items) do
      if not item.metadata.annotations then
        item.metadata.annotations = node.map()
      end
      if not item.metadata.annotations["example.com/owner"] then
        item.metadata.annotations["example.com/owner"] = owner
        out:result({ message = "is owned by " .. owner, resource = item })
      end
    end
    return true
  end,
}
]]

local CASES = [[
# Cases of NAME.lua: `lanai fn test NAME.lua`. Each has input and what comes of it: output (when
# it is left out, the input comes back unchanged), results as `lanai fn eval` prints them (when
# they are left out, any), or error: a part of the message that the function fails with.
cases:
  - name: says who owns a resource, and keeps comments
    config:
      apiVersion: v1
      kind: ConfigMap
      metadata:
        name: function-input
      data:
        owner: team-a
    input: |
      apiVersion: v1
      kind: ConfigMap
      metadata:
        name: settings # of the app
    output: |
      apiVersion: v1
      kind: ConfigMap
      metadata:
        name: settings # of the app
        annotations:
          example.com/owner: team-a
    results:
      - "[info] v1/ConfigMap/settings: is owned by team-a"
  - name: leaves resources alone that have an owner
    config:
      apiVersion: v1
      kind: ConfigMap
      metadata:
        name: function-input
      data:
        owner: team-a
    input: |
      apiVersion: v1
      kind: ConfigMap
      metadata:
        name: settings
        annotations:
          example.com/owner: team-b
    results: []
  - name: fails without an owner
    input: |
      apiVersion: v1
      kind: ConfigMap
      metadata:
        name: settings
    error: "`data.owner` should not be empty"
]]

local function run(args)
  local name = args[1]
  if not name:match("^[%l%d][%l%d-]*$") then
    return command.usage_error(("invalid function name %q: lower case letters, digits and hyphens")
      :format(name))
  end
  local here = disk.absolute(".")
  for _, file in ipairs { name .. ".lua", name .. "_test.yaml" } do
    if files.kind(file) then
      return command.usage_error(("%q already exists"):format(file))
    end
  end
  for file, text in pairs { [name .. ".lua"] = FUNCTION, [name .. "_test.yaml"] = CASES } do
    local ok, err = files.write(here, file, (text:gsub("NAME", name)))
    if not ok then
      return command.usage_error(err.message)
    end
  end
  process.warn(("writing %s.lua\nwriting %s_test.yaml\n"):format(name, name))
  return 0
end

return {
  usage = "new NAME",
  summary = "Write a commented function with a test",
  min = 1,
  max = 1,
  run = run,
}
