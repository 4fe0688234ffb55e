-- SPDX-License-Identifier: Apache-2.0
--
-- Secret: credentials and other data that is encrypted at rest.

return {
  group = "",
  version = "v1",
  kind = "Secret",
  resource = "secrets",
  singular = "secret",
  description = "Data that is kept secret.",
  component = "io.k8s.api.core.v1",
  verbs = { "create", "delete", "deletecollection", "get", "list", "patch", "update", "watch" },
  flags = { "namespaced", "sealed", "unconditional" },
  selectable = { "type" },
  columns = {
    { "Name", "string", ".metadata.name", format = "name" },
    { "Type", "string", ".type", missing = '""' },
    { "Data", "string", "count:.data", missing = "0" },
    { "Age", "string", "age" },
  },
  fields = {
    { "data", "map of bytes", "The data, base64." },
    { "immutable", "boolean", "True: the data cannot be changed." },
    { "stringData", "map of string", "Data as plain text; merged into data, never returned." },
    { "type", "string", "What kind of secret it is.", default = "Opaque",
      immutable = "field is immutable" },
  },
}
