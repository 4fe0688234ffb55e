-- SPDX-License-Identifier: Apache-2.0
--
-- generate-kpt-pkg-docs: a description of a package in Markdown. Functions reach no files, so the
-- document is a result; the catalog's program writes it between markers of a mounted file.

local discover = require("lanai.discover")
local item = require("lanai.item")
local markdown = require("lanai.markdown")
local node = require("lanai.node")
local setter = require("lanai.setter")

local REPOSITORY = "https://github.com/GoogleCloudPlatform/blueprints.git/catalog/"
local REFERENCE = "https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.22/#"
local CONNECTOR = "https://cloud.google.com/config-connector/docs/"

local function directory(path)
  return path:match("^(.*)/[^/]*$") or "."
end

-- Kptfiles by path.
local function kptfiles_of(items)
  local found = {}
  for i = 1, #items do
    if item.text(items[i], "kind") == "Kptfile" then
      local path = item.path(items[i])
      if not path then
        return nil, "unable find resource path for " .. item.name(items[i])
      end
      found[path] = items[i]
    end
  end
  return found
end

-- Resources of the root package that are no configuration of its functions.
local function resources_of(items, kptfiles)
  local skip, list = { Kptfile = true }, {}
  for _, kind in ipairs({ "mutators", "validators" }) do
    local functions = (item.map(kptfiles.Kptfile, "pipeline") or {})[kind]
    for i = 1, node.is_list(functions) and #functions or 0 do
      skip[item.text(functions[i], "configPath") or ""] = true
    end
  end
  for path in pairs(kptfiles) do
    if path ~= "Kptfile" then
      skip[directory(path)] = true
    end
  end
  for i = 1, #items do
    local path = item.path(items[i])
    if path and not skip[path] and not skip[directory(path)] then
      list[#list + 1] = items[i]
    end
  end
  return list
end

local function link(text, address)
  return ("[%s](%s)"):format(text, address)
end

-- A kind, with where it is explained when that is known.
local function reference(group, version, kind)
  local name = kind:lower()
  if kind == "ConfigConnectorContext" and group == "core.cnrm.cloud.google.com" then
    return link(kind, CONNECTOR .. "how-to/advanced-install#addon-configuring")
  elseif kind == "ConfigManagement" and group == "configmanagement.gke.io" then
    return link(kind,
      "https://cloud.google.com/anthos-config-management/docs/configmanagement-fields")
  elseif group:find("%.cnrm%.cloud%.google%.com$") then
    return link(kind, ("%sreference/resource-docs/%s/%s"):format(CONNECTOR,
      group:match("^[^.]*"), name))
  elseif group == "" and version == "v1" then
    return link(kind, REFERENCE .. name .. "-v1-core")
  elseif group:find("%.k8s%.io$") then
    return link(kind, REFERENCE .. name .. "-" .. version .. "-" .. group:gsub("%.", "-"))
  end
  return kind
end

-- A heading, and sorted lines as a list or what to say when there are none.
local function list_section(title, lines, none)
  table.sort(lines)
  local text = markdown.heading(title, 2)
  for _, line in ipairs(lines) do
    text = text .. "- " .. line .. "\n"
  end
  return text .. (#lines == 0 and none .. "\n" or "")
end

local function description(job)
  local text = item.text(item.map(job.kptfiles.Kptfile, "info"), "description") or ""
  return text ~= "" and text:sub(-1) ~= "\n" and text .. "\n" or text
end

local function setter_section(job)
  local rows = {}
  for i, s in ipairs(discover.setters(job.items)) do
    rows[i] = { s.name, s.value, s.type, tostring(s.count) }
  end
  return markdown.heading("Setters", 2) .. (#rows == 0
    and "This package has no top-level setters. See sub-packages.\n"
    or markdown.table({ "Name", "Value", "Type", "Count" }, rows))
end

local function package_section(job)
  local lines = {}
  for path, kptfile in pairs(job.kptfiles) do
    if path ~= "Kptfile" then
      lines[#lines + 1] = link(item.name(kptfile), directory(path))
    end
  end
  return list_section("Sub-packages", lines, "This package has no sub-packages.")
end

local NO_RESOURCES = "This package has no top-level resources. See sub-packages."

local function resource_section(job)
  local rows = {}
  for i, r in ipairs(job.resources) do
    rows[i] = { item.path(r), item.text(r, "apiVersion") or "", item.text(r, "kind") or "",
      item.name(r), item.namespace(r) }
  end
  return markdown.heading("Resources", 2) .. (#rows == 0 and NO_RESOURCES .. "\n"
    or markdown.table({ "File", "APIVersion", "Kind", "Name", "Namespace" }, rows))
end

local function reference_section(job)
  local lines, seen = {}, {}
  for _, r in ipairs(job.resources) do
    local group, version, kind = item.gvk(r)
    local id = group .. "/" .. version .. "/" .. kind
    if not seen[id] then
      seen[id] = true
      lines[#lines + 1] = reference(group, version, kind)
    end
  end
  return list_section("Resource References", lines, NO_RESOURCES)
end

-- Text of a step, and the command that does it.
local function step(text, command, further)
  return "1.  " .. text .. "\n    ```shell\n    " .. command .. "\n    ```\n"
    .. (further and "    " .. further:gsub("\n", "\n    ") .. "\n" or "") .. "\n"
end

local function usage_section(job)
  local text = markdown.heading("Usage", 2)
    .. step("Clone the package:", "kpt pkg get " .. job.repository .. job.name .. "@${VERSION}",
      "Replace `${VERSION}` with the desired repo branch or tag\n(for example, `main`).")
    .. step("Move into the local package:", 'cd "./' .. job.name .. '/"')
    .. "1.  Edit the function config file(s):\n    - setters.yaml\n\n"
    .. step("Execute the function pipeline", "kpt fn render")
    .. step("Initialize the resource inventory", "kpt live init --namespace ${NAMESPACE}",
      "Replace `${NAMESPACE}` with the namespace in which to manage\n"
      .. "the inventory ResourceGroup (for example, `config-control`).")
    .. step("Apply the package resources to your cluster", "kpt live apply")
    .. step("Wait for the resources to be ready",
      "kpt live status --output table --poll-until current")
  return (text:gsub("\n+$", ""))
end

local SECTIONS = { description, setter_section, package_section, resource_section,
  reference_section, usage_section }

local function describe(items, config)
  local kptfiles, message = kptfiles_of(items)
  if not kptfiles or not kptfiles.Kptfile then
    return nil, message or "unable to find root Kptfile, please include --include-meta-resources "
      .. "flag if a Kptfile is present"
  end
  local data = setter.data(config)
  local root = kptfiles.Kptfile
  local name = data["pkg-name"] or ""
  local job = { items = items, kptfiles = kptfiles, resources = resources_of(items, kptfiles),
    name = name ~= "" and name or item.name(root), repository = data["repo-path"] or REPOSITORY }
  local text = markdown.heading(item.annotation(root, "blueprints.cloud.google.com/title")
    or item.name(root), 1)
  for _, section in ipairs(SECTIONS) do
    text = text .. section(job) .. "\n"
  end
  return text
end

local function run(items, config, out)
  local text, message = describe(items, config)
  if not text then
    out:result({ message = "failed to generate doc: " .. message, severity = "error" })
    return nil, message
  end
  out:result({ message = text })
  return true
end

return {
  api = 1,
  name = "generate-kpt-pkg-docs",
  versions = { "v0.1.0" },
  images = { "generate-kpt-pkg-docs" },
  summary = "Describes a package in Markdown.",
  doc = [[
Gives a result whose message is a document: the description, setters, sub-packages and resources of
the package, and how it is used. Data of the ConfigMap may have pkg-name and repo-path, which the
commands in it show. Changes nothing.
]],
  config = { kind = "ConfigMap", apiVersion = "v1" },
  pure = true,
  run = run,
}
