-- SPDX-License-Identifier: Apache-2.0
--
-- SelfSubjectRulesReview: lists what the caller may do in a namespace.

return {
  group = "authorization.k8s.io",
  version = "v1",
  kind = "SelfSubjectRulesReview",
  resource = "selfsubjectrulesreviews",
  singular = "selfsubjectrulesreview",
  description = "Lists what the caller may do in a namespace.",
  component = "io.k8s.api.authorization.v1",
  verbs = { "create" },
  flags = { "virtual" },
  fields = {
    { "spec", "object", "The question.", name = "SelfSubjectRulesReviewSpec", required = true,
      always = "{}",
      fields = {
        { "namespace", "string", "Namespace that is asked about." },
      } },
    { "status", "object", "The rules.", name = "SubjectRulesReviewStatus", fields = {
      { "resourceRules", "list of authorization.ResourceRule", "Rules for resources.",
        required = true, always = "[]", list = "atomic" },
      { "nonResourceRules", "list of authorization.NonResourceRule", "Rules for paths.",
        required = true, always = "[]", list = "atomic" },
      { "incomplete", "boolean", "True when rules may be missing.", required = true,
        always = "false" },
      { "evaluationError", "string", "What went wrong while collecting." },
    } },
  },
}
