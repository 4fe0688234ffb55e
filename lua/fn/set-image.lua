-- SPDX-License-Identifier: Apache-2.0
--
-- set-image: name, tag or digest of container images. Versions up to v0.1.1 report every field and
-- know init containers; v0.1.2 reports a sum.

local fieldspec = require("lanai.fieldspec")
local item = require("lanai.item")
local node = require("lanai.node")

local POD = { { kind = "Pod", path = "spec/containers/image" } }
for _, kind in ipairs({ "Deployment", "StatefulSet", "ReplicaSet", "DaemonSet", "PodTemplate" }) do
  POD[#POD + 1] = { kind = kind, path = "spec/template/spec/containers/image" }
end
local ANY = {
  { path = "spec/containers/image" }, { path = "spec/initContainers/image" },
  { path = "spec/template/spec/containers/image" },
  { path = "spec/template/spec/initContainers/image" },
}
local FIELDS = { name = true, newName = true, newTag = true, digest = true }

-- Gives the image and further fields; nil and a message.
local function read(config, new)
  local map
  if item.text(config, "kind") == "SetImage" then
    map = item.map(config, "image")
  else
    map = item.map(config, "data")
    for _, key in ipairs(new and map and node.keys(map) or {}) do
      if not FIELDS[key] then
        return nil, "ConfigMap has wrong field name " .. key
      end
    end
  end
  local image = {}
  for key in pairs(FIELDS) do
    if map and map[key] ~= nil and not item.text(map, key) then
      return nil, item.text(config, "kind") == "SetImage"
        and ("Resource(apiVersion=%s, kind=SetImage, Name=%s) has unmatched field type: `image"):
          format(item.text(config, "apiVersion") or "", item.name(config))
        or "SubObject has unmatched field type: `data"
    end
    local text = item.text(map, key)
    image[key] = text ~= "" and text or nil
  end
  return image, fieldspec.read(node.is_map(config) and config.additionalImageFields or nil)
end

local function configure(config, new)
  local image, further = read(config, new)
  if not image then
    return nil, further
  elseif not image.name then
    return nil, new and "must specify `name`" or "missing image name"
  elseif not (image.newName or image.newTag or image.digest) then
    return nil, new and "must specify one of `newName`, `newTag`, or `digest`"
      or "missing image newName, newTag, or digest"
  end
  return image, further
end

-- Gives tag and digest of an image with that name; nil for other images.
local function match(text, name)
  if text:sub(1, #name) ~= name then
    return nil
  end
  local rest = text:sub(#name + 1)
  if rest == "" then
    return "", ""
  end
  local digest = rest:match("^@(sha256:[%w_.{}-]*)$")
  local tag = rest:match("^:([%w_.{}-]*)$")
  if digest or tag then
    return tag or "", digest or ""
  end
  return nil
end

local function renamed(image, tag, digest)
  local name = image.newName or image.name
  if image.digest then
    return name .. "@" .. image.digest
  elseif image.newTag then
    return name .. ":" .. image.newTag
  elseif tag ~= "" then
    return name .. ":" .. tag
  end
  return digest ~= "" and name .. "@" .. digest or name
end

local function report(out, resource, spec, current, proposed)
  out:result({ severity = "info", resource = resource, file = item.file(resource),
    message = ("set image from %s to %s"):format(current, proposed),
    field = { path = (spec.path:gsub("%[%]", ""):gsub("/", ".")), current = current,
      proposed = proposed } })
end

-- Changes the images in the fields that a specification means; gives how many there are.
local function set_in(resource, spec, image, out)
  local n = 0
  fieldspec.each(resource, spec, function(parent, key)
    local current = item.text(parent, key) or ""
    local tag, digest = match(current, image.name)
    if tag then
      n = n + 1
      local proposed = renamed(image, tag, digest)
      node.set(parent, key, proposed)
      if out then
        report(out, resource, spec, current, proposed)
      end
    end
  end)
  return n
end

local function fail(out, message, new)
  out:result({ severity = "error", message = message })
  if not new then
    return nil, message
  end
  message = "function is terminated: " .. message
  out:result({ severity = "error", message = message })
  return nil, "failed to evaluate function: " .. message
end

local function run(items, config, out)
  local new = out:at_least("v0.1.2")
  local image, further = configure(config, new)
  if not image then
    return fail(out, further, new)
  end
  local specs = new and POD or ANY
  specs = table.move(specs, 1, #specs, #further + 1, further)
  local n = 0
  for _, resource in pairs(items) do
    for _, spec in ipairs(specs) do
      if fieldspec.fits(resource, spec) then
        n = n + set_in(resource, spec, image, not new and out)
      end
    end
  end
  if new then
    out:result({ severity = "info",
      message = ("summary: updated a total of %d image(s)"):format(n) })
  end
  return true
end

return {
  api = 1,
  name = "set-image",
  versions = { "v0.1.0", "v0.1.1", "v0.1.2" },
  images = { "set-image" },
  summary = "Changes name, tag or digest of an image",
  doc = [[
    configMap:
      name: nginx              # images with this name, whatever their tag or digest
      newName: bitnami/nginx   # one of the three is needed
      newTag: 1.21.4
      digest: sha256:…         # wins over newTag

or a resource, for images in fields of other kinds:

    apiVersion: fn.kpt.dev/v1alpha1
    kind: SetImage
    image:
      name: nginx
      newTag: 1.21.4
    additionalImageFields:
    - kind: MyKind
      path: spec/manifest/images[]/image

Containers of Pods, Deployments, StatefulSets, ReplicaSets, DaemonSets and PodTemplates are looked
at; up to v0.1.1 those of all kinds, and init containers.
]],
  config = {
    ConfigMap = { name = "string", newName = "string", newTag = "string", digest = "string" },
    SetImage = { image = "map of the same", additionalImageFields = "list" },
  },
  pure = true,
  run = run,
}
