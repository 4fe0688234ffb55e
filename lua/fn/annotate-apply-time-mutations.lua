-- SPDX-License-Identifier: Apache-2.0
--
-- annotate-apply-time-mutations: what is filled in when resources are applied, from comments and
-- ApplyTimeMutation resources into annotations that appliers read.

local item = require("lanai.item")
local node = require("lanai.node")

local ANNOTATION = "config.kubernetes.io/apply-time-mutation"
local REF_KEYS = { "apiVersion", "group", "kind", "name", "namespace" }

-- Reads `group/namespaces/ns/Kind/name:$.path`, which may have a version behind the group and no
-- namespace. Gives the reference and the path; nil and a message.
local function parse_reference(text)
  local id, path = text:match("^([^:]*):(.+)$")
  if not id then
    return nil, ("invalid reference `%s`: expected <group>/<kind>/<name>:<path>"):format(text)
  end
  local parts = {}
  for part in (id .. "/"):gmatch("(.-)/") do
    parts[#parts + 1] = part
  end
  local ref = { name = table.remove(parts), kind = table.remove(parts) }
  if #parts >= 2 and parts[#parts - 1] == "namespaces" then
    ref.namespace = table.remove(parts)
    table.remove(parts)
  end
  if #parts == 2 then
    ref.apiVersion = parts[1] == "" and parts[2] or parts[1] .. "/" .. parts[2]
  elseif #parts == 1 then
    ref.group = parts[1] ~= "" and parts[1] or nil
  end
  if #parts < 1 or #parts > 2 or ref.kind == "" or ref.name == "" or ref.namespace == "" then
    return nil, ("invalid reference `%s`: expected <group>/<kind>/<name>:<path>"):format(text)
  end
  return ref, path
end

local function target_path(path)
  local out = "$"
  for name, indices in (path .. "."):gmatch("([^.%[]*)([^.]*)%.") do
    out = out .. "." .. name .. indices
  end
  return out
end

-- What a comment says about a field: text before, reference, text behind. nil when it says nothing.
local function parse_comment(comment)
  local text = comment and comment:match("^# *apply%-time%-mutation: *(.-)%s*$")
  if not text then
    return nil
  end
  local before, reference, behind = text:match("^(.-)%${(.-)}(.*)$")
  return before or text, reference, behind
end

-- Adds the substitution of one field; nil and a message on failure.
local function scan_field(path, value, list)
  local before, reference, behind = parse_comment(node.comment(value, "line"))
  if not before then
    return true
  elseif not reference then
    return nil, ("no reference in the comment at %s"):format(path)
  end
  local ref, source = parse_reference(reference)
  if not ref then
    return nil, source
  end
  local found = { sourceRef = ref, sourcePath = source, targetPath = target_path(path) }
  if before .. behind ~= "" then
    found.token = ("${ref%d}"):format(#list)
    node.set_text(value, before .. found.token .. behind)
  end
  list[#list + 1] = found
  return true
end

local function scan(resource, list)
  for path, value in node.walk(resource, "# apply-time-mutation:") do
    if node.text(value) then
      local ok, problem = scan_field(path, value, list)
      if not ok then
        return nil, problem
      end
    end
  end
  return true
end

local function read_ref(map)
  local ref = {}
  for _, key in ipairs(REF_KEYS) do
    local text = item.text(map, key) or ""
    ref[key] = text ~= "" and text or nil
  end
  return ref
end

local function means(ref, resource)
  local group, _, kind = item.gvk(resource)
  return kind == ref.kind and item.name(resource) == ref.name
    and item.namespace(resource) == (ref.namespace or "")
    and (ref.apiVersion and ref.apiVersion == item.text(resource, "apiVersion")
      or not ref.apiVersion and (ref.group or "") == group)
end

local function read_object(object, items, lists)
  local spec = item.map(object, "spec")
  local target = read_ref(item.map(spec, "targetRef"))
  local substitutions = spec and spec.substitutions
  if not target.kind or not target.name or not node.is_list(substitutions) then
    return nil, "targetRef and substitutions are needed"
  end
  for i = 1, #items do
    if means(target, items[i]) then
      for _, s in pairs(substitutions) do
        table.insert(lists[i], { sourceRef = read_ref(item.map(s, "sourceRef")),
          sourcePath = item.text(s, "sourcePath"), targetPath = item.text(s, "targetPath"),
          token = item.text(s, "token") })
      end
    end
  end
  return true
end

-- Members by name, as they are in annotations that were written before.
local function emit(list)
  local out = node.list()
  for _, s in ipairs(list) do
    local map, ref = node.map(), node.map()
    for _, key in ipairs(REF_KEYS) do
      ref[key] = s.sourceRef[key]
    end
    map.sourcePath = s.sourcePath
    map.sourceRef = ref
    map.targetPath = s.targetPath
    map.token = s.token
    out[#out + 1] = map
  end
  return node.emit(out)
end

local function write(resource, list)
  local text = emit(list)
  if item.annotation(resource, ANNOTATION) ~= text then
    local annotations = item.make_annotations(resource)
    node.put(annotations, ANNOTATION, text)
    node.set_style(node.at(annotations, ANNOTATION), "literal")
  end
end

local function fail(out, resource, message)
  out:result({ severity = "error", message = message, resource = resource,
    file = item.file(resource) })
  return nil, message
end

local function run(items, _, out)
  local lists = {}
  for i = 1, #items do
    lists[i] = {}
  end
  for i = 1, #items do
    local group, _, kind = item.gvk(items[i])
    local ok, problem
    if group == "fn.kpt.dev" and kind == "ApplyTimeMutation" then
      ok, problem = read_object(items[i], items, lists)
      if ok then
        out:result({ severity = "info", resource = items[i], file = item.file(items[i]),
          message = ("Found valid ApplyTimeMutation object (item: %d)"):format(i - 1) })
      end
    else
      ok, problem = scan(items[i], lists[i])
    end
    if not ok then
      return fail(out, items[i], problem)
    end
  end
  for i = 1, #items do
    if #lists[i] > 0 then
      write(items[i], lists[i])
      out:result({ severity = "info", resource = items[i], file = item.file(items[i]),
        message = ("Wrote apply-time-mutation annotation (item: %d)"):format(i - 1) })
    end
  end
  return true
end

return {
  api = 1,
  name = "annotate-apply-time-mutations",
  versions = { "v0.1.0" },
  images = { "annotate-apply-time-mutations" },
  summary = "Annotates what is filled in when resources are applied",
  doc = [[
A field with a comment gets its value when the package is applied, from a field of another resource:

    number: 0 # apply-time-mutation: ${example.com/namespaces/ns/Kind/name:$.status.number}
    text: x # apply-time-mutation: prefix-${v1/namespaces/ns/Secret/name:$.data.key}

The same can be said by ApplyTimeMutation resources (fn.kpt.dev/v1alpha1) with targetRef and
substitutions. Appliers read the annotation `config.kubernetes.io/apply-time-mutation`. Takes no
configuration.
]],
  pure = true,
  run = run,
}
