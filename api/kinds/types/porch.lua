-- SPDX-License-Identifier: Apache-2.0
--
-- Structs of porch.kpt.dev/v1alpha1. `go` marks types whose JSON comes from Go structs: required
-- scalars are always written, and the documents show their zero values as defaults.

return {
  component = "com.github.nephio-project.porch.api.porch.v1alpha1",
  go = true,

  Condition = {
    "A condition of the package, kept in its Kptfile.",
    { "type", "string", "Name of the condition.", required = true },
    { "status", "string", "True, False or Unknown.", required = true },
    { "reason", "string", "Word for programs that says why." },
    { "message", "string", "Text for people." },
  },

  ReadinessGate = {
    "A condition that must be True before the package is proposed.",
    { "conditionType", "string", "Name of the condition." },
  },

  PackageMetadata = {
    "Metadata that the package itself carries.",
    { "labels", "map of string", "Labels of the package." },
    { "annotations", "map of string", "Annotations of the package." },
  },

  ParentReference = {
    "Names a parent package revision; deprecated.",
    { "name", "string", "Name of the PackageRevision.", required = true },
  },

  PackageRevisionRef = {
    "Names a package revision in the same namespace.",
    { "name", "string", "Name of the PackageRevision.", required = true },
  },

  SecretRef = {
    "Names a Secret in the same namespace.",
    { "name", "string", "Name of the Secret.", required = true },
  },

  Task = {
    "A step in the making of a package revision; one member says more about its type.",
    { "type", "string", "init, clone, edit or upgrade.", required = true },
    { "init", "porch.PackageInitTaskSpec", "Parameters of a new package." },
    { "clone", "porch.PackageCloneTaskSpec", "Parameters of a clone of another package." },
    { "edit", "porch.PackageEditTaskSpec", "Parameters of a copy within the package." },
    { "upgrade", "porch.PackageUpgradeTaskSpec", "Parameters of an upgrade." },
  },

  PackageInitTaskSpec = {
    "What the Kptfile of a new package says.",
    { "subpackage", "string", "Directory of a subpackage to create instead of the package." },
    { "description", "string", "What the package is for." },
    { "keywords", "list of string", "Words to find the package by." },
    { "site", "string", "Page about the package." },
  },

  PackageCloneTaskSpec = {
    "Names the package to clone.",
    { "upstreamRef", "porch.UpstreamPackage", "Where to clone from.", embedded = true },
    { "subpackageDir", "string", "Directory of the draft to clone into, as a package of its own." },
  },

  PackageEditTaskSpec = {
    "Names the revision to copy.",
    { "sourceRef", "porch.PackageRevisionRef", "The published revision to start from." },
  },

  PackageUpgradeTaskSpec = {
    "Local changes since the old upstream go on top of the new one.",
    { "oldUpstreamRef", "porch.PackageRevisionRef", "Upstream that the local revision is based on.",
      embedded = true },
    { "newUpstreamRef", "porch.PackageRevisionRef", "Upstream to move to.", embedded = true },
    { "localPackageRevisionRef", "porch.PackageRevisionRef", "Revision with the local changes.",
      embedded = true },
    { "strategy", "string",
      "resource-merge (default), fast-forward, force-delete-replace or copy-merge." },
    { "subpackageDir", "string", "Directory of the draft whose package is upgraded." },
  },

  UpstreamPackage = {
    "Where to clone from: a git repository, an OCI image or a registered package revision.",
    { "type", "string", "git or oci; empty when upstreamRef is set." },
    { "git", "porch.GitPackage", "Package in a git repository." },
    { "oci", "porch.OciPackage", "Package in an OCI image." },
    { "upstreamRef", "porch.PackageRevisionRef", "Package revision of a registered repository." },
  },

  GitPackage = {
    "A package in a git repository.",
    { "repo", "string", "URL of the repository.", required = true },
    { "ref", "string", "Branch, tag or commit.", required = true },
    { "directory", "string", "Directory of the package in the repository.", required = true },
    { "secretRef", "porch.SecretRef", "Credentials for the repository.", embedded = true },
  },

  OciPackage = {
    "A package in an OCI image.",
    { "image", "string", "Image name.", required = true },
  },

  Locator = {
    "Exact place of a package.",
    { "type", "string", "git." },
    { "git", "porch.GitLock", "Place in a git repository." },
  },

  GitLock = {
    "Exact place of a package in a git repository.",
    { "repo", "string", "URL of the repository." },
    { "directory", "string", "Directory of the package." },
    { "ref", "string", "Branch or tag that was read." },
    { "commit", "string", "Commit id." },
  },

  RenderStatus = {
    "Results of the functions, and the error that ended the render.",
    { "result", "porch.ResultList", "What each function reported.", embedded = true },
    { "error", "string", "Error text; empty when the render succeeded.", required = true },
  },

  ResultList = {
    "Results of all functions of a render.",
    { "kind", "string", "FunctionResultList." },
    { "apiVersion", "string", "Group and version of the list." },
    { "metadata", "meta.ObjectMeta", "Metadata of the list.", embedded = true },
    { "exitCode", "integer", "0 when every function succeeded.", required = true,
      format = "int32" },
    { "items", "list of porch.Result", "One entry for each function.", pointers = true },
  },

  Result = {
    "What one function reported.",
    { "image", "string", "Image of the function." },
    { "exec", "string", "Command of the function." },
    { "stderr", "string", "What the function wrote to standard error." },
    { "exitCode", "integer", "Exit code of the function.", required = true, format = "int32" },
    { "results", "list of porch.ResultItem", "Structured messages." },
  },

  ResultItem = {
    "One message of a function.",
    { "message", "string", "Text for people." },
    { "severity", "string", "error, warning or info." },
    { "resourceRef", "porch.ResourceIdentifier", "Resource that it is about." },
    { "field", "porch.Field", "Field that it is about." },
    { "file", "porch.File", "File that it is about." },
    { "tags", "map of string", "Free keys and values." },
  },

  ResourceIdentifier = {
    "Names a resource of a package.",
    { "apiVersion", "string", "Group and version." },
    { "kind", "string", "Kind." },
    { "name", "string", "Name." },
    { "namespace", "string", "Namespace." },
  },

  Field = {
    "A field of a resource.",
    { "path", "string", "Path of the field." },
    { "currentValue", "string", "Value that the field has." },
    { "proposedValue", "string", "Value that the function suggests." },
  },

  File = {
    "A file of a package.",
    { "path", "string", "Path relative to the package." },
    { "index", "integer", "Number of the document in the file.", format = "int32" },
  },
}
