-- SPDX-License-Identifier: Apache-2.0
--
-- PackageRevision: one revision of a package, from draft to publication.

return {
  group = "porch.kpt.dev",
  version = "v1alpha1",
  kind = "PackageRevision",
  resource = "packagerevisions",
  singular = "packagerevision",
  description = "One revision of a package, from draft to publication.",
  component = "com.github.nephio-project.porch.api.porch.v1alpha1",
  go = true,
  verbs = { "create", "delete", "get", "list", "patch", "update", "watch" },
  flags = { "namespaced", "workflows" },
  subresources = {
    { "approval", "get", "patch", "update" },
  },
  selectable = {
    "spec.revision", "spec.packageName", "spec.repository", "spec.workspaceName",
    "spec.lifecycle", "spec.packageMetadata.labels[]",
  },
  indexed = { "spec.repository", "spec.packageName" },
  references = {
    "spec.tasks[0].clone.upstreamRef.upstreamRef.name", "spec.tasks[0].upgrade.newUpstreamRef.name",
  },
  columns = {
    { "Name", "string", ".metadata.name", missing = '""' },
    { "Package", "string", ".spec.packageName", missing = '""' },
    { "WorkspaceName", "string", ".spec.workspaceName", missing = '""' },
    { "Revision", "int", ".spec.revision", missing = "0" },
    { "Latest", "boolean", "label:kpt.dev/latest-revision", missing = "false" },
    { "Lifecycle", "string", ".spec.lifecycle", missing = '""' },
    { "Repository", "string", ".spec.repository", missing = '""' },
  },
  fields = {
    { "spec", "object", "What the revision is and where it stands.", name = "PackageRevisionSpec",
      embedded = true,
      fields = {
        { "packageName", "string", "Path of the package in the repository." },
        { "repository", "string", "Name of the Repository." },
        { "workspaceName", "string", "Name that is unique among the revisions of the package." },
        { "revision", "integer", "0 in draft, 1 and up when published, -1 for a branch.",
          format = "int32" },
        { "parent", "porch.ParentReference", "Parent package revision; deprecated." },
        { "lifecycle", "string", "Draft, Proposed, Published or DeletionProposed." },
        { "tasks", "list of porch.Task", "How the content came into being; at most one task." },
        { "readinessGates", "list of porch.ReadinessGate", "Conditions to meet before proposal." },
        { "packageMetadata", "porch.PackageMetadata", "Labels and annotations of the Kptfile." },
      } },
    { "status", "object", "What the server observed.", name = "PackageRevisionStatus",
      embedded = true,
      fields = {
        { "upstreamLock", "porch.Locator", "Where the package was cloned from.", always = "{}" },
        { "selfLock", "porch.Locator", "Where this revision is stored.", always = "{}" },
        { "publishedBy", "string", "Who approved the revision." },
        { "publishTimestamp", "time", "When the revision was approved.", always = "null",
          nullable = true },
        { "deployment", "boolean", "True when the repository holds deployments." },
        { "conditions", "list of porch.Condition", "Conditions of the Kptfile." },
      } },
  },
}
