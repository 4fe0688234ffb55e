-- SPDX-License-Identifier: Apache-2.0
--
-- apply-replacements: values of one resource into fields of others, as kustomize's replacements.

local embedded = require("lanai.embedded_text")
local fieldpath = require("lanai.fieldpath")
local item = require("lanai.item")
local node = require("lanai.node")
local quote = require("lanai.quote")
local resid = require("lanai.resid")
local selector = require("lanai.selector")
local typed = require("lanai.typed")

local KIND = "ApplyReplacements"
local API = "fn.kpt.dev/v1alpha1"
local DEFAULT_PATH = "metadata.name"

-- --- configuration -----------------------------------------------------------------------

local OPTIONS = { delimiter = "string", index = "int", encoding = "string", create = "bool" }
local SOURCE = { group = "string", version = "string", kind = "string", name = "string",
  namespace = "string", fieldPath = "string", options = OPTIONS }
local SELECT = { group = "string", version = "string", kind = "string", name = "string",
  namespace = "string", annotationSelector = "string", labelSelector = "string" }
local TARGET = { select = SELECT, reject = { SELECT }, fieldPaths = { "string" },
  options = OPTIONS }
local REPLACEMENT = { source = SOURCE, targets = { TARGET }, sourceValue = "string" }

local function configure(config, newest)
  if not config or #config == 0 then
    return nil, "FunctionConfig is missing. Expect `ApplyReplacements`"
  end
  local kind, api = item.text(config, "kind") or "", item.text(config, "apiVersion") or ""
  if kind ~= KIND or api ~= API then
    return nil, ("received functionConfig of kind %s and apiVersion %s, only functionConfig of "
      .. "kind %s and apiVersion %s is supported"):format(kind, api, KIND, API)
  end
  local value = node.at(config, "replacements")
  local list, message = nil, nil
  if value then
    list, message = typed.read(value, { REPLACEMENT }, "replacements")
  end
  for _, replacement in ipairs(list or {}) do
    if replacement.sourceValue and not newest then
      message = message or 'json: unknown field "sourceValue"'
    end
  end
  if message then
    return nil, "unable to convert functionConfig to replacements:\n" .. message
  end
  return list or {}
end

-- --- the value ---------------------------------------------------------------------------

local function source_text(source)
  local text, options = resid.text(source), source.options or {}
  if (source.fieldPath or "") ~= "" then
    text = text .. ":" .. source.fieldPath
  end
  local delimiter = options.delimiter or ""
  if delimiter ~= "" or options.create then
    text = text .. (":%s(%d), create=%s"):format(delimiter, options.index or 0,
      tostring(options.create == true))
  end
  return text
end

local function split(text, delimiter)
  local parts, at = {}, 1
  while true do
    local from, to = text:find(delimiter, at, true)
    parts[#parts + 1] = text:sub(at, (from or 0) - 1)
    if not from then
      return parts
    end
    at = to + 1
  end
end

local function is_scalar(value)
  return not node.is_map(value) and not node.is_list(value)
end

local function select_source(job, source)
  local found
  for i = 1, #job.items do
    for _, id in ipairs(job:ids(i)) do
      if resid.equals(id, source) then
        if found then
          return nil, "multiple matches for selector " .. source_text(source)
        end
        found = job.items[i]
        break
      end
    end
  end
  return found, not found and "nothing selected by " .. source_text(source) or nil
end

-- Gives {text=} for scalars and {node=} for others.
local function refine(value, options)
  local delimiter = options and options.delimiter or ""
  if not is_scalar(value) then
    if delimiter ~= "" then
      return nil, "delimiter option can only be used with scalar nodes"
    end
    return { node = node.copy(value), leaf = node.kind(value) }
  end
  local text = node.text(value)
  if delimiter ~= "" then
    local parts, index = split(text, delimiter), options.index or 0
    if index >= #parts or index < 0 then
      return nil, ("options.index %d is out of bounds for value %s"):format(index, text)
    end
    text = parts[index + 1]
  end
  return { text = text, leaf = "scalar" }
end

local function get_value(job, replacement)
  local source = replacement.source
  if replacement.sourceValue then
    if source then
      return nil, "value and resource selectors are mutually exclusive"
    end
    return { text = replacement.sourceValue, leaf = "scalar" }
  end
  local resource, message = select_source(job, source)
  if not resource then
    return nil, message
  end
  local path = (source.fieldPath or "") ~= "" and source.fieldPath or DEFAULT_PATH
  local value
  value, message = fieldpath.get(resource, fieldpath.split(path))
  if message then
    return nil, "error looking up replacement source: " .. message
  end
  local kind = value and node.kind(value)
  if not value or kind == "null" or (kind == "map" or kind == "list") and #value == 0 then
    return nil, ("fieldPath `%s` is missing for replacement source %s"):format(path,
      resid.text(source))
  end
  return refine(value, source.options)
end

-- --- the targets -------------------------------------------------------------------------

-- Only the text is copied. What was a string stays one.
local function set_text(target, text)
  local is_string = node.kind(target) == "string"
  if text == node.text(target) and node.kind(target) ~= "null" then
    return
  end
  node.set_text(target, text)
  if is_string and node.kind(target) ~= "string" then
    node.set_style(target, "double")
  elseif text:find("\n", 1, true) and node.style(target) == "plain" then
    node.set_style(target, "literal")
  end
end

local function set_value(target, value, options)
  local text = value.text
  local delimiter = options and options.delimiter or ""
  if delimiter ~= "" then
    if not is_scalar(target) then
      return "delimiter option can only be used with scalar nodes"
    end
    local parts, index = split(node.text(target), delimiter), options.index or 0
    if index < 0 then
      table.insert(parts, 1, text or "")
    else
      parts[index < #parts and index + 1 or #parts + 1] = text or ""
    end
    text = table.concat(parts, delimiter)
  end
  if is_scalar(target) and (text or node.kind(target) ~= "null") then
    set_text(target, text or "")
  elseif text then
    node.assign(target, text)
  elseif not node.equal(target, value.node) then
    node.assign(target, value.node)
  end
end

-- Sets what a path means inside of a text that is YAML or JSON; false when it means nothing there.
local function set_inside(resource, value, steps)
  local field = resource
  for i = 1, #steps - 1 do
    field = fieldpath.get(field, { steps[i] })
    if not field then
      return false
    end
    local inside = node.kind(field) == "string" and embedded.parse(field)
    if inside then
      local targets = fieldpath.find(inside, { table.unpack(steps, i + 1) },
        value.create and value.leaf)
      for _, target in ipairs(targets or {}) do
        set_value(target, value)
      end
      if targets and #targets > 0 then
        set_text(field, embedded.emit(inside, node.text(field)))
        return true
      end
      return false
    end
  end
  return false
end

local function set_path(job, resource, value, path, options)
  local steps = job:steps(path)
  if job.newest and set_inside(resource, value, steps) then
    return nil
  end
  local targets, message = fieldpath.find(resource, steps, value.create and value.leaf)
  if not targets or #targets == 0 then
    return ("unable to find %sfield %s in replacement target%s"):format(
      value.create and "or create " or "", quote(path), message and ": " .. message or "")
  end
  for _, target in ipairs(targets) do
    message = set_value(target, value, options)
    if message then
      return message
    end
  end
end

-- A test of labels and annotations; nil and a message for what is no selector.
local function make_label_test(wanted)
  local labels, message = selector.parse(wanted.labelSelector or "")
  local annotations
  if labels then
    annotations, message = selector.parse(wanted.annotationSelector or "")
  end
  if not annotations then
    return nil, message
  end
  return function(resource)
    local metadata = item.map(resource, "metadata")
    local function getter(key)
      local map = item.map(metadata, key)
      return function(name) return item.text(map, name) end
    end
    return (#annotations == 0 or selector.matches(annotations, getter("annotations")))
      and (#labels == 0 or selector.matches(labels, getter("labels")))
  end
end

-- A test of ids: by expressions, in older versions by equality.
local function make_id_test(wanted, newest)
  if not newest then
    return function(id) return resid.equals(id, wanted) end
  end
  local test, message = resid.compile(wanted)
  return test, message and "error creating target selector: " .. message
end

local function any(ids, test)
  for _, id in ipairs(ids) do
    if test(id) then
      return true
    end
  end
  return false
end

local function has_id(wanted)
  for _, key in ipairs(resid.FIELDS) do
    if (wanted[key] or "") ~= "" then
      return true
    end
  end
  return false
end

-- Gives a function that tells whether a resource is meant; nil and a message.
local function make_target_test(job, target)
  local by_label, message = make_label_test(target.select)
  local by_id
  if by_label then
    by_id, message = make_id_test(target.select, job.newest)
  end
  if not by_id then
    return nil, message
  end
  local rejects = {}
  for _, reject in ipairs(target.reject or {}) do
    local labels, ids
    labels, message = make_label_test(reject)
    if labels then
      ids, message = make_id_test(reject, job.newest)
    end
    if not ids then
      return nil, message
    end
    local selects = (reject.labelSelector or "") ~= "" or (reject.annotationSelector or "") ~= ""
    rejects[#rejects + 1] = function(resource, of)
      return selects and labels(resource) or has_id(reject) and any(of, ids)
    end
  end
  return function(resource, ids)
    if not any(ids, by_id) or not by_label(resource) then
      return false
    end
    for _, reject in ipairs(rejects) do
      if reject(resource, ids) then
        return false
      end
    end
    return true
  end
end

local function apply_target(job, value, target)
  if not target.select then
    return "target must specify resources to select"
  end
  local paths = target.fieldPaths
  paths = paths and #paths > 0 and paths or { DEFAULT_PATH }
  local is_meant, message = make_target_test(job, target)
  if not is_meant then
    return message
  end
  value.create = target.options and target.options.create or nil
  for i = 1, #job.items do
    local resource = job.items[i]
    if is_meant(resource, job:ids(i)) then
      job.known[i] = nil
      for _, path in ipairs(paths) do
        message = set_path(job, resource, value, path, target.options)
        if message then
          return message
        end
      end
    end
  end
end

local function apply(job, replacement)
  if not (replacement.source or replacement.sourceValue) or not replacement.targets then
    return "replacements must specify a source and at least one target"
  end
  local value, message = get_value(job, replacement)
  if not value then
    return message
  end
  for _, target in ipairs(replacement.targets) do
    message = apply_target(job, value, target)
    if message then
      return message
    end
  end
end

local Job = {}
Job.__index = Job

-- The ids of item i, as it is now.
function Job:ids(i)
  self.known[i] = self.known[i] or resid.of(self.items[i])
  return self.known[i]
end

-- The steps of a path.
function Job:steps(path)
  self.paths[path] = self.paths[path] or fieldpath.split(path)
  return self.paths[path]
end

local function run(items, config, out)
  local newest = out:at_least("v0.1.5")
  local replacements, message = configure(config, newest)
  local job = setmetatable({ items = items, newest = newest, known = {}, paths = {} },
    Job)
  for _, replacement in ipairs(replacements or {}) do
    message = message or apply(job, replacement)
  end
  if message then
    out:result({ message = message, severity = "error" })
    return nil, "error: function failure"
  end
  return true
end

return {
  api = 1,
  name = "apply-replacements",
  versions = { "v0.1.0", "v0.1.1", "v0.1.2", "v0.1.5" },
  images = { "apply-replacements" },
  summary = "Copies values of resources into fields of others.",
  doc = [[
The configuration is a list of replacements, which are made in order. `source` names one resource
by any of group, version, kind, name, namespace, and a field of it (`fieldPath`, default
metadata.name). Each of `targets` selects resources, by the same fields as expressions that match
whole texts, by labelSelector and annotationSelector; `reject` takes some away; `fieldPaths` says
where the value goes: `spec.containers.[name=web].image`, `spec.args.0`, `*` for all elements,
`metadata.annotations.[a.b/c]`. `options` has `delimiter` and `index` for a part of a text, and
`create`, which makes what is missing. A path may go on inside of a text that is YAML or JSON.

    apiVersion: fn.kpt.dev/v1alpha1
    kind: ApplyReplacements
    metadata:
      name: replacements
    replacements:
    - source: {kind: ConfigMap, name: settings, fieldPath: data.image}
      targets:
      - select: {kind: Deployment}
        fieldPaths: ["spec.template.spec.containers.[name=app].image"]
]],
  config = { kind = KIND, apiVersion = API },
  pure = true,
  run = run,
}
