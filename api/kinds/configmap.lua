-- SPDX-License-Identifier: Apache-2.0
--
-- ConfigMap: plain configuration data.

return {
  group = "",
  version = "v1",
  kind = "ConfigMap",
  resource = "configmaps",
  singular = "configmap",
  short_names = { "cm" },
  description = "Configuration data.",
  component = "io.k8s.api.core.v1",
  verbs = { "create", "delete", "deletecollection", "get", "list", "patch", "update", "watch" },
  flags = { "namespaced", "unconditional" },
  columns = {
    { "Name", "string", ".metadata.name", format = "name" },
    { "Data", "string", "count:.data+.binaryData", missing = "0" },
    { "Age", "string", "age" },
  },
  fields = {
    { "data", "map of string", "The data." },
    { "binaryData", "map of bytes", "Data that is not text, base64." },
    { "immutable", "boolean", "True: the data cannot be changed." },
  },
}
