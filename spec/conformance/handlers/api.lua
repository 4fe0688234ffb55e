-- SPDX-License-Identifier: Apache-2.0
-- Rules about single objects, and the selectors of the peer's end-to-end tests.
local ask = require("spec.conformance.lib.ask")
local blueprints = require("spec.conformance.lib.blueprints")
local kube = require("probe_kube")
local objects = require("spec.conformance.lib.objects")
local yaml = require("spec.conformance.lib.yaml")

local M = {}

local REVISIONS = "porch.kpt.dev/v1alpha1/packagerevisions"

-- The v1alpha2 table, answered by the rule that both versions share.
M["porch.api.is-ready"] = function(case)
  local object = { spec = { readinessGates = objects.from_go(case:param("gates")) },
    status = { conditions = objects.from_go(case:param("conditions")) } }
  local got = ask.run("ready", yaml.encode { object = object }).answer
  return got == case:param("expected"), "ready is " .. tostring(got)
end

M["porch.api.is-package-creation"] = function()
  return nil, "spec.source of v1alpha2, which is not served in this version"
end

local function text_of(map, separator)
  local terms = {}
  for key, value in pairs(map or {}) do
    terms[#terms + 1] = key .. separator .. tostring(value)
  end
  table.sort(terms)
  return table.concat(terms, ",")
end

-- Number of the blueprints' revisions that match; one of them carries labelKey=foo.
local function count(labels, fields)
  return blueprints.with(function(_, list)
    local data = require("probe_data")
    list[1] = data.set_at(list[1], "metadata.labels", '{"labelKey":"foo"}')
    local matches, kind, message = kube.select(REVISIONS, labels, fields, list)
    if not matches then
      error(("%s: %s"):format(kind, message))
    end
    local n = 0
    for _, match in ipairs(matches) do
      n = n + (match and 1 or 0)
    end
    return n
  end)
end

M["porch.e2e.field-selectors"] = function(case)
  local selector = text_of(case:param("FieldSelector"), "=")
  local n, missing = count("", selector)
  if not n then
    return nil, missing
  end
  return (n > 0) == case:param("ExpectResults"), ("%d revisions for '%s'"):format(n, selector)
end

M["porch.e2e.label-selectors"] = function(case)
  local selector = text_of(case:param("LabelSelector"), "=")
  local n, missing = count(selector, "")
  if not n then
    return nil, missing
  end
  return n == case:param("ExpectedCount"), ("%d revisions for '%s'"):format(n, selector)
end

return M
