-- SPDX-License-Identifier: Apache-2.0
--
-- PorchPackage: a package, derived from its revisions. Writing verbs are advertised, as clients
-- expect, and refused with the messages named in `refuse`.

return {
  group = "porch.kpt.dev",
  version = "v1alpha1",
  kind = "PorchPackage",
  resource = "packages",
  singular = "package",
  description = "A package: what its revisions have in common.",
  component = "com.github.nephio-project.porch.api.porch.v1alpha1",
  go = true,
  verbs = { "create", "delete", "get", "list", "patch", "update" },
  flags = { "namespaced", "workflows" },
  refuse = {
    create = "packages-create",
    update = "packages-update",
    delete = "packages-delete",
  },
  selectable = { "spec.packageName", "spec.repository" },
  indexed = { "spec.repository", "spec.packageName" },
  columns = {
    { "Name", "string", ".metadata.name", missing = '""' },
    { "Package", "string", ".spec.packageName", missing = '""' },
    { "Repository", "string", ".spec.repository", missing = '""' },
    { "Latest Revision", "int", ".status.latestRevision", missing = "0" },
  },
  fields = {
    { "spec", "object", "What the package is.", name = "PackageSpec", embedded = true,
      fields = {
        { "packageName", "string", "Path of the package in the repository." },
        { "repository", "string", "Name of the Repository." },
      } },
    { "status", "object", "What the server observed.", name = "PackageStatus", embedded = true,
      fields = {
        { "latestRevision", "integer", "Number of the latest published revision.",
          format = "int32" },
      } },
  },
}
