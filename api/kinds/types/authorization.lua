-- SPDX-License-Identifier: Apache-2.0
--
-- Structs of the access reviews.

return {
  component = "io.k8s.api.authorization.v1",

  ResourceAttributes = {
    "What is asked about a resource.",
    { "namespace", "string", "Namespace; empty is all, or cluster scope." },
    { "verb", "string", "get, list, watch, create, update, patch, delete … or *." },
    { "group", "string", "API group; * is all." },
    { "version", "string", "API version; * is all." },
    { "resource", "string", "Resource; * is all." },
    { "subresource", "string", "Subresource, if any." },
    { "name", "string", "Name of the object; empty is all." },
    { "fieldSelector", "authorization.FieldSelectorAttributes", "Field selector of the request." },
    { "labelSelector", "authorization.LabelSelectorAttributes", "Label selector of the request." },
  },

  FieldSelectorAttributes = {
    "A field selector, as text or taken apart.",
    { "rawSelector", "string", "The selector as in the query." },
    { "requirements", "list of meta.FieldSelectorRequirement", "The selector taken apart.",
      list = "atomic" },
  },

  LabelSelectorAttributes = {
    "A label selector, as text or taken apart.",
    { "rawSelector", "string", "The selector as in the query." },
    { "requirements", "list of meta.LabelSelectorRequirement", "The selector taken apart.",
      list = "atomic" },
  },

  NonResourceAttributes = {
    "What is asked about a URL path.",
    { "path", "string", "URL path." },
    { "verb", "string", "HTTP method in lower case." },
  },

  SubjectAccessReviewSpec = {
    "Who asks for what; one of the two attribute members is set.",
    { "resourceAttributes", "authorization.ResourceAttributes", "A request for a resource." },
    { "nonResourceAttributes", "authorization.NonResourceAttributes", "A request for a path." },
    { "user", "string", "User name." },
    { "groups", "list of string", "Groups of the user.", list = "atomic" },
    { "extra", "map of string lists", "Further facts about the user." },
    { "uid", "string", "UID of the user." },
  },

  SubjectAccessReviewStatus = {
    "Allowed or not, and why.",
    { "allowed", "boolean", "True when the request is allowed.", required = true,
      always = "false" },
    { "denied", "boolean", "True when a rule forbids the request." },
    { "reason", "string", "Why." },
    { "evaluationError", "string", "What went wrong while deciding." },
  },

  ResourceRule = {
    "Verbs allowed on resources.",
    { "verbs", "list of string", "Allowed verbs.", required = true, list = "atomic" },
    { "apiGroups", "list of string", "API groups.", list = "atomic" },
    { "resources", "list of string", "Resources.", list = "atomic" },
    { "resourceNames", "list of string", "Names that the rule is limited to.", list = "atomic" },
  },

  NonResourceRule = {
    "Verbs allowed on URL paths.",
    { "verbs", "list of string", "Allowed verbs.", required = true, list = "atomic" },
    { "nonResourceURLs", "list of string", "URL paths.", list = "atomic" },
  },
}
