-- SPDX-License-Identifier: Apache-2.0
--
-- PackageRevisionResources: the files of a package revision, under the same name.

return {
  group = "porch.kpt.dev",
  version = "v1alpha1",
  kind = "PackageRevisionResources",
  resource = "packagerevisionresources",
  singular = "packagerevisionresources",
  description = "The files of a package revision.",
  component = "com.github.nephio-project.porch.api.porch.v1alpha1",
  go = true,
  verbs = { "get", "list", "patch", "update" },
  flags = { "namespaced", "workflows" },
  selectable = {
    "spec.revision", "spec.packageName", "spec.repository", "spec.workspaceName",
    "spec.lifecycle", "spec.packageMetadata.labels[]",
  },
  columns = {
    { "Name", "string", ".metadata.name", missing = '""' },
    { "Package", "string", ".spec.packageName", missing = '""' },
    { "WorkspaceName", "string", ".spec.workspaceName", missing = '""' },
    { "Revision", "int", ".spec.revision", missing = "0" },
    { "Repository", "string", ".spec.repository", missing = '""' },
    { "Files", "integer", "count:.spec.resources", missing = "0" },
  },
  fields = {
    { "spec", "object", "The files and what they belong to.",
      name = "PackageRevisionResourcesSpec", embedded = true,
      fields = {
        { "packageName", "string", "Path of the package in the repository." },
        { "workspaceName", "string", "Workspace of the revision." },
        { "revision", "integer", "Number of the revision; 0 in draft.", format = "int32" },
        { "repository", "string", "Name of the Repository." },
        { "resources", "map of string", "Content of each file by its path in the package." },
      } },
    { "status", "object", "What the server observed.", name = "PackageRevisionResourcesStatus",
      embedded = true,
      fields = {
        { "renderStatus", "porch.RenderStatus", "Outcome of the last render.", embedded = true },
      } },
  },
}
