-- SPDX-License-Identifier: Apache-2.0
--
-- The generator: data in api/ becomes C tables, discovery and OpenAPI documents, and CRDs.
--   lua5.4 api/gen/main.lua API OUT          writes api_kinds.c, api_documents.c, api_messages.c
--   lua5.4 api/gen/main.lua --crds API OUT   writes one YAML file for each CRD

local here = arg[0]:match("^(.*)/[^/]*$") or "."
package.path = here .. "/?.lua;" .. package.path

local ckinds = require("ckinds")
local crd = require("crd")
local ctables = require("ctables")
local discovery = require("discovery")
local files = require("files")
local model_of = require("model")
local openapi = require("openapi")
local yaml = require("yaml")

local function load_model(api)
  local model = model_of.load(api)
  model.messages = files.data(api .. "/messages.lua")
  for _, kind in ipairs(model.kinds) do
    for verb, id in pairs(kind.refuse) do
      assert(model.messages[id], kind.file .. ": no message '" .. id .. "' for " .. verb)
    end
  end
  return model
end

local function write_tables(model, out)
  local documents = {}
  discovery.add(documents, model)
  openapi.add(documents, model)
  crd.add(documents, model)
  files.write(out .. "/api_kinds.c", ckinds.text(model))
  files.write(out .. "/api_documents.c", ctables.documents(documents))
  files.write(out .. "/api_messages.c", ctables.messages(model.messages))
end

local function write_crds(model, out)
  for _, entry in ipairs(crd.definitions(model)) do
    local head = "# SPDX-License-Identifier: Apache-2.0\n# Made by api/gen/main.lua --crds.\n---\n"
    files.write(out .. "/" .. entry.name .. ".yaml", head .. yaml.text(entry.tree))
  end
end

local arguments = table.move(arg, 1, #arg, 1, {})
local write = write_tables
if arguments[1] == "--crds" then
  table.remove(arguments, 1)
  write = write_crds
end
if #arguments ~= 2 then
  io.stderr:write("usage: main.lua [--crds] API OUT\n")
  os.exit(2)
end

local ok, message = pcall(function()
  write(load_model(arguments[1]), arguments[2])
end)
if not ok then
  io.stderr:write("api: ", tostring(message), "\n")
  os.exit(1)
end
