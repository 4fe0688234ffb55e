-- SPDX-License-Identifier: Apache-2.0
--
-- set-namespace: the namespace of resources, of references to namespaces in them, and of depends-on
-- annotations. A wrong configuration is an error result; the function itself goes well then.

local node = require("lanai.node")
local resource = require("lanai.resource")

local DEPENDS_ON = "config.kubernetes.io/depends-on"
local UPSTREAM = "internal.kpt.dev/upstream-identifier"
local EXPECTED = "`ConfigMap.v1` or `SetNamespace.v1alpha1.fn.kpt.dev`"
local NONE = "~C"

local function fail(text)
  return nil, text
end

-- New namespace and matcher, or nil and what is wrong with the configuration.
local function read_config(config)
  if not config then
    return fail("FunctionConfig is missing. Expect " .. EXPECTED)
  end
  if resource.is(config, "", "v1", "ConfigMap") then
    local data = resource.data(config)
    local name = data.namespace or ""
    if name == "" and resource.meta(config, "name") == "kptfile.kpt.dev" then
      name = data.name or ""
    end
    if name == "" then
      return fail("`data.namespace` should not be empty")
    end
    return name, data.namespaceMatcher
  end
  if resource.is(config, "fn.kpt.dev", "v1alpha1", "SetNamespace") then
    if (config.namespace or "") == "" then
      return fail("`namespace` should not be empty")
    end
    return config.namespace, config.namespaceMatcher
  end
  return fail(("unknown functionConfig Kind=%s ApiVersion=%s, expect %s"):format(config.kind or "",
    config.apiVersion or "", EXPECTED))
end

-- Namespace and name that a resource had in its upstream.
local function origin(item)
  local id = resource.annotation(item, UPSTREAM)
  local ns, name = (id or ""):match("^[^|]*|[^|]*|([^|]*)|(.*)$")
  if ns then
    return ns, name
  end
  ns = resource.meta(item, "namespace")
  if ns == "" then
    ns = resource.is_namespaced(item) and "default" or NONE
  end
  return ns, resource.meta(item, "name")
end

local function sorted(set)
  local list = {}
  for key in pairs(set) do
    list[#list + 1] = key
  end
  table.sort(list)
  return list
end

-- Calls visit(parent, key, origin) for each field that names a namespace.
local function each_field(item, visit)
  local ns, name = origin(item)
  if resource.is(item, "", "v1", "Namespace") and resource.group_version(item) == "" then
    visit(item.metadata, "name", name)
  end
  local service
  if resource.is(item, "apiextensions.k8s.io", "v1", "CustomResourceDefinition") then
    service = resource.get(item, "spec", "conversion", "webhook", "clientConfig", "service")
  elseif resource.is(item, "apiregistration.k8s.io", "v1", "APIService") then
    service = resource.get(item, "spec", "service")
  end
  if node.is_map(service) and service.namespace ~= nil then
    visit(service, "namespace", service.namespace)
  end
  if item.kind == "ClusterRoleBinding" then
    local subjects = item.subjects
    for _, subject in ipairs(node.is_list(subjects) and subjects or {}) do
      if subject.namespace ~= nil then
        visit(subject, "namespace", subject.namespace)
      end
    end
  end
  if resource.is_namespaced(item) then
    visit(item.metadata, "namespace", ns)
  end
end

-- The only namespace that resources came from, or nil and the error when there are several.
local function check_origins(items)
  local seen = {}
  for _, item in ipairs(items) do
    if resource.annotation(item, UPSTREAM) and resource.is_namespaced(item) then
      local ns = origin(item)
      if ns == NONE then
        return fail(("%s is namespace-scoped, but has cluster-scoped or unknown scoepd origin %s")
          :format(resource.describe(item), resource.annotation(item, UPSTREAM)))
      end
      seen[ns] = true
    end
  end
  local list = sorted(seen)
  if #list > 1 then
    return fail(("unable to use origin `namespace` to match. expect a single upstream namespace, "
      .. "found [%s]. please switch to use `namespaceMatcher`to specify the namespace value you "
      .. "want to change"):format(table.concat(list, " ")))
  end
  return true
end

local function describe_id(group, ns, kind, name)
  return table.concat({ group, "namespaces", ns, kind, name }, "/")
end

-- Ids of the resources as depends-on annotations write them.
local function references(items)
  local known = {}
  for _, item in ipairs(items) do
    local group = resource.group_version(item)
    known[describe_id(group, resource.meta(item, "namespace"), item.kind or "",
      resource.meta(item, "name"))] = true
  end
  return known
end

-- An error about the configuration, with the place that the SDK gives one outside of files.
local function refuse(out, config, text)
  out:result({ severity = "error", message = text, resource = config or {},
    file = { index = -1 } })
  return true
end

local function set_namespaces(items, new, matcher, out)
  local old, count = {}, 0
  for _, item in ipairs(items) do
    each_field(item, function(parent, key, from)
      local current = parent[key]
      current = (current == nil or current == "") and "default" or tostring(current)
      if from == NONE or current == new then
        return
      end
      if matcher and matcher ~= "" then
        if matcher ~= current and matcher ~= from then
          return
        end
        if matcher == from and matcher ~= current then
          out:result({ severity = "info",
            message = ("[%s] has matching origin %s"):format(resource.describe(item), from) })
        end
      end
      node.set(parent, key, new)
      old[current] = true
      count = count + 1
    end)
  end
  if count == 0 then
    out:result({ severity = "info",
      message = ('all matching namespaces are already "%s". no value changed'):format(new) })
  else
    out:result({ severity = "info",
      message = ('namespace [%s] updated to "%s", %d value(s) changed'):format(
        table.concat(sorted(old), " "), new, count) })
  end
end

local function set_depends_on(items, known, new, matcher, out)
  local old, count = {}, 0
  for _, item in ipairs(items) do
    local id = resource.annotation(item, DEPENDS_ON)
    local group, ns, kind, name = (id or ""):match(
      "^([-.%w_]*)/namespaces/([-.%w_]*)/([-.%w_]*)/([-.%w_]*)$")
    local fits = not matcher or matcher == "" or matcher == ns
    if group and known[id] and fits and ns ~= new then
      node.set(item.metadata.annotations, DEPENDS_ON, describe_id(group, new, kind, name))
      old[ns] = true
      count = count + 1
    end
  end
  if count == 0 then
    out:result({ severity = "info",
      message = "all `depends-on` annotations are up-to-date. no `namespace` changed" })
  else
    out:result({ severity = "info",
      message = ('`depends-on` annotation namespace [%s] updated to "%s", %d value(s) changed')
        :format(table.concat(sorted(old), " "), new, count) })
  end
end

return {
  api = 1,
  name = "set-namespace",
  versions = { "v0.4.0", "v0.4.1", "v0.4.2", "v0.4.3", "v0.4.4", "v0.4.5" },
  images = { "set-namespace" },
  summary = "Sets the namespace of resources and of what refers to them.",
  doc = [[
The ConfigMap names the new namespace in `namespace`, or is the package context. With
`namespaceMatcher` only resources that are in that namespace, or came from it, change.]],
  config = {
    data = { namespace = "new namespace", namespaceMatcher = "namespace to change" },
    kind = { apiVersion = "fn.kpt.dev/v1alpha1", kind = "SetNamespace",
      fields = { namespace = "string", namespaceMatcher = "string" } },
  },
  pure = true,

  run = function(items, config, out)
    local new, matcher = read_config(config)
    if not new then
      return refuse(out, config, matcher)
    end
    local mine = {}
    for _, item in ipairs(items) do
      if not resource.is_local_config(item) then
        mine[#mine + 1] = item
      end
    end
    local known = references(mine)
    if not matcher or matcher == "" then
      local ok, text = check_origins(mine)
      if not ok then
        return refuse(out, config, text)
      end
    end
    set_namespaces(mine, new, matcher, out)
    set_depends_on(mine, known, new, matcher, out)
    return true
  end,
}
