-- SPDX-License-Identifier: Apache-2.0
--
-- Repository: a git repository or OCI registry whose packages the server manages. Order and wording
-- of the checks are those of the CRD that clients know.

return {
  group = "config.porch.kpt.dev",
  version = "v1alpha1",
  kind = "Repository",
  resource = "repositories",
  singular = "repository",
  short_names = { "repo" },
  description = "A git repository or OCI registry that holds packages.",
  component = "dev.kpt.porch.config.v1alpha1",
  crd = true,
  verbs = {
    "delete", "deletecollection", "get", "list", "patch", "create", "update", "watch",
  },
  flags = { "namespaced", "status", "generation" },
  name_rule = "crd_label",
  subresources = {
    { "status", "get", "patch", "update" },
  },
  columns = {
    { "Name", "string", ".metadata.name", format = "name", "Name of the object." },
    { "Type", "string", ".spec.type" },
    { "Content", "string", ".spec.content" },
    { "Sync schedule", "string", ".spec.sync.schedule" },
    { "Deployment", "boolean", ".spec.deployment" },
    { "Ready", "string", "condition:Ready" },
    { "Address", "string", ".spec.git.repo|.spec.oci.registry" },
    { "Branch", "string", ".spec.git.branch" },
    { "Age", "date", "age" },
  },
  fields = {
    { "spec", "object", "Where the packages are and how to reach them.", fields = {
      { "description", "string", "What the repository is for." },
      { "deployment", "boolean", "True when the packages here are ready to deploy." },
      { "type", "string", "git or oci.", immutable = "spec.type is immutable" },
      { "content", "string", "Deprecated; leave it out.", default = "Package",
        values = { "", "Package" },
        values_message = "The 'content' field is deprecated, its only valid value is 'Package'" },
      { "sync", "object", "When to look for changes.", fields = {
        { "schedule", "string", "Cron expression; empty uses the server's interval." },
        { "runOnceAt", "time", "Time of one extra synchronisation." },
      } },
      { "git", "object", "The git repository, for type git.", fields = {
        { "repo", "string", "URL of the repository.", required = true,
          immutable = "spec.git.repo is immutable" },
        { "branch", "string", "Branch that published packages go to.", default = "main",
          min_length = 1, immutable = "spec.git.branch is immutable" },
        { "createBranch", "boolean", "Create the branch when it is missing." },
        { "directory", "string", "Directory that holds the packages; empty is the root.",
          immutable = "spec.git.directory is immutable" },
        { "secretRef", "object", "Secret with the credentials.", fields = {
          { "name", "string", "Name of the Secret, in the same namespace.", required = true },
        } },
        { "author", "string", "Author name of commits." },
        { "email", "string", "Author e-mail of commits." },
      } },
      { "oci", "object", "The OCI registry, for type oci.", fields = {
        { "registry", "string", "Address of the registry.", required = true,
          immutable = "spec.oci.registry is immutable" },
        { "secretRef", "object", "Secret with the credentials.", fields = {
          { "name", "string", "Name of the Secret, in the same namespace.", required = true },
        } },
      } },
    } },
    { "status", "object", "What the server observed.", fields = {
      { "conditions", "list of meta.Condition", "Condition Ready." },
      { "observedGeneration", "integer", "Generation of the last full synchronisation.",
        format = "int64" },
      { "observedRunOnceAt", "time", "The runOnceAt that was carried out last." },
      { "lastFullSyncTime", "time", "When the last full synchronisation ended." },
      { "nextFullSyncTime", "time", "When the next full synchronisation is due." },
      { "packageCount", "integer", "Number of package revisions found." },
      { "gitCommitHash", "string", "Commit of the registered branch." },
    } },
  },
}
