-- SPDX-License-Identifier: Apache-2.0
-- From the peer's Go values in table cases to the API's JSON objects, and selectors from filters.
local yaml = require("spec.conformance.lib.yaml")

local M = {}

-- Go names whose JSON name is not the name with a small first letter.
local NAMES = { ObjectMeta = "metadata", RepositoryName = "repository" }
local SYMBOLS = {
  ["porchapi.LatestPackageRevisionKey"] = "kpt.dev/latest-revision",
  ["porchapi.LatestPackageRevisionValue"] = "true",
  ["core.SecretTypeOpaque"] = "Opaque",
  ["core.SecretTypeBasicAuth"] = "kubernetes.io/basic-auth",
  ["corev1.SecretTypeBasicAuth"] = "kubernetes.io/basic-auth",
}
local FREE_MAPS = { Labels = true, Annotations = true, Data = true }

--- The value of a symbol, or the text itself.
function M.symbol(value)
  if type(value) == "table" and value.symbol then
    return SYMBOLS[value.symbol] or value.symbol
  end
  return SYMBOLS[value] or value
end

local function free_map(map)
  local out = {}
  for key, value in pairs(map) do
    out[M.symbol(key)] = M.symbol(value)
  end
  return out
end

--- Converts a Go struct literal; nil and null give nil.
function M.from_go(value)
  value = yaml.given(value)
  if type(value) ~= "table" then
    return value
  end
  if value.symbol then
    return M.symbol(value)
  elseif value.helper == "int64" or value.helper == "int" then
    return value.args[1]
  end
  local out = {}
  for key, member in pairs(value) do
    if FREE_MAPS[key] then
      out[key:lower()] = free_map(member)
    elseif type(key) == "number" then
      out[key] = M.from_go(member)
    else
      out[NAMES[key] or (key:gsub("^%u", string.lower))] = M.from_go(member)
    end
  end
  return out
end

--- A PackageRevision object with what the fields say; fields are the peer's names in any nesting
--- of PrKey, or flat.
function M.revision(fields)
  return { apiVersion = "porch.kpt.dev/v1alpha1", kind = "PackageRevision",
    metadata = { name = fields.name or "revision", namespace = fields.namespace or "default",
      labels = fields.labels },
    spec = { repository = fields.repository, packageName = fields.package,
      workspaceName = fields.workspace, revision = fields.revision,
      lifecycle = fields.lifecycle },
    status = {} }
end

--- The fields of a key {PkgKey{RepoKey{Namespace, Name}, Path, Package}, Revision, WorkspaceName}.
function M.key_fields(key)
  key = yaml.given(key) or {}
  local package = yaml.given(key.PkgKey) or {}
  local repository = yaml.given(package.RepoKey) or {}
  local path, name = yaml.given(package.Path), yaml.given(package.Package)
  return {
    namespace = yaml.given(repository.Namespace), repository = yaml.given(repository.Name),
    package = path and path ~= "" and path .. "/" .. (name or "") or name,
    workspace = yaml.given(key.WorkspaceName), revision = yaml.given(key.Revision),
  }
end

--- Field selector that asks for these fields (as key_fields gives them, and lifecycle).
function M.selector(fields)
  local names = { { "namespace", "metadata.namespace" }, { "repository", "spec.repository" },
    { "package", "spec.packageName" }, { "workspace", "spec.workspaceName" },
    { "revision", "spec.revision" }, { "lifecycle", "spec.lifecycle" },
    { "name", "metadata.name" } }
  local terms = {}
  for _, pair in ipairs(names) do
    local value = fields[pair[1]]
    if value ~= nil and value ~= "" then
      terms[#terms + 1] = pair[2] .. "=" .. tostring(value)
    end
  end
  return table.concat(terms, ",")
end

local LATEST = "kpt.dev/latest-revision"

--- Checks that a list filter {Key, Lifecycles, Label} matches a revision with these fields exactly
--- when wanted. A filter that the corpus could not record is the label selector which the case's
--- name tells, on the latest revision. Answers as a handler does.
function M.match(case, filter, fields, wanted)
  local kube = require("probe_kube")
  local terms, labels = M.key_fields(filter.Key), ""
  local lifecycles = yaml.given(filter.Lifecycles) or {}
  if case:unresolved("filter") then
    if not case.name:find(LATEST, 1, true) then
      return nil, "the corpus could not record the filter"
    end
    labels = LATEST .. (case.name:find("false", 1, true) and "=false" or "=true")
    fields.labels = { [LATEST] = "true" }
  end
  if #lifecycles > 1 then
    return nil, "a set of lifecycles, which no selector of the API asks for"
  end
  terms.lifecycle = lifecycles[1]
  local selector = M.selector(terms)
  local matches, kind, message = kube.select("porch.kpt.dev/v1alpha1/packagerevisions", labels,
    selector, { yaml.encode(M.revision(fields)) })
  if not matches then
    return false, ("%s: %s"):format(kind, message)
  end
  return matches[1] == wanted, ("'%s' '%s' %s"):format(labels, selector,
    matches[1] and "matches" or "does not match")
end

return M
