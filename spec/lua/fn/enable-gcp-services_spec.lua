-- SPDX-License-Identifier: Apache-2.0
local functions = require("spec.lua.fn.functions")

local function set(services, more)
  return "apiVersion: blueprints.cloud.google.com/v1alpha1\nkind: ProjectServiceSet\nmetadata:\n"
    .. "  name: ps\n" .. (more or "") .. "spec:\n  services: [" .. services .. "]\n  projectID: p\n"
end

local function service(short)
  return ("apiVersion: serviceusage.cnrm.cloud.google.com/v1beta1\nkind: Service\nmetadata:\n"
    .. "  name: ps-%s\n  annotations:\n    blueprints.cloud.google.com/ownerReference: "
    .. "'blueprints.cloud.google.com/ProjectServiceSet/ps'\nspec:\n"
    .. "  resourceID: %s.googleapis.com\n  projectRef:\n    external: p\n"):format(short, short)
end

local function run(files)
  return functions.run("enable-gcp-services", files)
end

describe("enable-gcp-services", function()
  it("makes services, takes away those no longer wanted, and keeps what is right", function()
    local first = run({ ["d/ps.yaml"] = set("a.googleapis.com, b.googleapis.com") })
    assert.equal(service("a"), first.files["d/service_ps-a.yaml"])
    assert.same({ "generated service", "generated service" },
      { first.results[1].message, first.results[2].message })
    local kept = "# mine\n" .. service("a")
    local second = run({ ["d/ps.yaml"] = set("a.googleapis.com"), ["d/service_ps-a.yaml"] = kept,
      ["d/service_ps-b.yaml"] = service("b") })
    assert.equal(kept, second.files["d/service_ps-a.yaml"])
    assert.is_nil(second.files["d/service_ps-b.yaml"])
    assert.same({ { message = "recreated service", severity = "info",
      file = { path = "d/service_ps-a.yaml" }, resourceRef = { kind = "Service", name = "ps-a",
        apiVersion = "serviceusage.cnrm.cloud.google.com/v1beta1" } } }, second.results)
  end)

  it("leaves services without an owner, and those of sets that are not here", function()
    local other = service("a"):gsub("ProjectServiceSet/ps'", "ProjectServiceSet/other'")
    local files = { ["ps.yaml"] = set(""), ["a.yaml"] = other }
    assert.same(files, run(files).files)
  end)

  it("refuses what is no service", function()
    local got = run({ ["ps.yaml"] = set("agoogleapis.com") })
    assert.is_false(got.ok)
    assert.equal("invalid service specified: agoogleapis.com", got.error)
  end)
end)
