-- SPDX-License-Identifier: Apache-2.0
--
-- starlark: a Starlark program that stands in the functionConfig. A helper process runs it
-- (runner/starlark); here is what it is called and how it is explained.

return {
  api = 1,
  name = "starlark",
  versions = {
    "v0.1.4", "v0.2.2", "v0.3.0", "v0.4.3", "v0.5.0", "v0.5.1", "v0.5.2", "v0.5.5",
  },
  images = { "starlark" },
  summary = "Runs a Starlark program over the resources.",
  doc = [[
The program is `source` of a StarlarkRun, or `source` in the data of a ConfigMap. It finds

    ctx.resource_list   the ResourceList as a dict: items, functionConfig
    ctx.environment     environment variables
    ctx.open_api        the kinds of Kubernetes

and changes the items in place, or puts a new list in their place. print() goes to the log, fail()
fails the function. Sets, while, recursion and global variables that change are allowed. It may load
krmfn.star, encoding/base64.star, encoding/csv.star, encoding/json.star, encoding/yaml.star,
hash.star, math.star, re.star, time.star and zipfile.star. bsoup.star, geo.star, html.star,
http.star and xlsx.star can be loaded, but what they export fails.

    apiVersion: fn.kpt.dev/v1alpha1
    kind: StarlarkRun
    metadata:
      name: set-replicas
    source: |
      for resource in ctx.resource_list["items"]:
        if resource["kind"] == "Deployment":
          resource["spec"]["replicas"] = 3
]],
  config = { kind = "StarlarkRun", apiVersion = "fn.kpt.dev/v1alpha1" },
  pure = true,
  program = "starlark",
}
