-- SPDX-License-Identifier: Apache-2.0
--
-- CustomResourceDefinition: read-only. The generator writes one object for each kind that is a CRD
-- elsewhere, so that installers which look for it find it.

return {
  group = "apiextensions.k8s.io",
  version = "v1",
  kind = "CustomResourceDefinition",
  resource = "customresourcedefinitions",
  singular = "customresourcedefinition",
  short_names = { "crd", "crds" },
  categories = { "api-extensions" },
  description = "Describes a kind that this server serves.",
  component = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1",
  verbs = { "get", "list", "watch" },
  flags = { "generation" },
  columns = {
    { "Name", "string", ".metadata.name", format = "name" },
    { "Created At", "date", ".metadata.creationTimestamp" },
  },
  fields = {
    { "spec", "raw", "Names, scope and versions of the kind.", required = true },
    { "status", "raw", "Conditions Established and NamesAccepted." },
  },
}
