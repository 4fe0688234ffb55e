-- SPDX-License-Identifier: Apache-2.0
--
-- Structs that every kind shares: metadata, conditions, options, Status.

return {
  component = "io.k8s.apimachinery.pkg.apis.meta.v1",

  ObjectMeta = {
    "Metadata that every stored object has.",
    { "name", "string", "Name, unique within the namespace; cannot be changed." },
    { "generateName", "string", "Prefix of a name that the server completes." },
    { "namespace", "string", "Namespace of the object; empty for cluster-wide kinds." },
    { "uid", "string", "Identity of this object over its whole life; set by the server." },
    { "resourceVersion", "string", "Opaque version, changes with every visible change." },
    { "generation", "integer", "Counts changes of the desired state.", format = "int64" },
    { "creationTimestamp", "time", "When the object was created; set by the server." },
    { "deletionTimestamp", "time", "When deletion was asked for; set by the server." },
    { "deletionGracePeriodSeconds", "integer", "Seconds between request and deletion.",
      format = "int64" },
    { "labels", "map of string", "Short keys and values to select objects by." },
    { "annotations", "map of string", "Free keys and values kept with the object." },
    { "ownerReferences", "list of meta.OwnerReference", "Objects that this one depends on.",
      list = "map", keys = { "uid" }, merge = true },
    { "finalizers", "list of string", "The object stays until this list is empty.",
      list = "set", merge = true },
    { "managedFields", "list of meta.ManagedFieldsEntry", "Which manager set which field.",
      list = "atomic" },
    { "selfLink", "string", "Never set; accepted for old clients." },
  },

  OwnerReference = {
    "Names an owner of an object.",
    atomic = true,
    { "apiVersion", "string", "Group and version of the owner.", required = true },
    { "kind", "string", "Kind of the owner.", required = true },
    { "name", "string", "Name of the owner.", required = true },
    { "uid", "string", "UID of the owner.", required = true },
    { "controller", "boolean", "True for the one owner that manages the object." },
    { "blockOwnerDeletion", "boolean", "Foreground deletion of the owner waits for this object." },
  },

  ManagedFieldsEntry = {
    "The fields that one manager set.",
    { "manager", "string", "Name of the manager." },
    { "operation", "string", "How the fields were set: Apply or Update." },
    { "apiVersion", "string", "Group and version that the field names belong to." },
    { "time", "time", "When the entry last changed." },
    { "fieldsType", "string", "Always FieldsV1." },
    { "fieldsV1", "meta.FieldsV1", "The set of fields." },
    { "subresource", "string", "Subresource that was written; empty for the object itself." },
  },

  FieldsV1 = { "A set of fields as a tree of prefixed names.", open = true },

  ListMeta = {
    "Metadata of a list.",
    { "resourceVersion", "string", "Version of the state that the list shows." },
    { "continue", "string", "Token for the next page; empty on the last one." },
    { "remainingItemCount", "integer", "How many items follow, when known.", format = "int64" },
    { "selfLink", "string", "Never set; accepted for old clients." },
  },

  Condition = {
    "One observed aspect of an object.",
    { "type", "string", "Name of the condition.", required = true, max_length = 316,
      pattern = "^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?"
        .. "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$" },
    { "status", "string", "True, False or Unknown.", required = true,
      values = { "True", "False", "Unknown" } },
    { "observedGeneration", "integer", "Generation that the condition was derived from.",
      format = "int64", not_negative = true },
    { "lastTransitionTime", "time", "When the status changed last.", required = true },
    { "reason", "string", "Word for programs that says why.", required = true, min_length = 1,
      max_length = 1024, pattern = "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$" },
    { "message", "string", "Text for people.", required = true, max_length = 32768 },
  },

  LabelSelector = {
    "Selects objects by their labels; all parts must match.",
    atomic = true,
    { "matchLabels", "map of string", "Labels with exactly these values." },
    { "matchExpressions", "list of meta.LabelSelectorRequirement", "Further requirements.",
      list = "atomic" },
  },

  LabelSelectorRequirement = {
    "A requirement on one label.",
    { "key", "string", "Label key.", required = true },
    { "operator", "string", "In, NotIn, Exists or DoesNotExist.", required = true },
    { "values", "list of string", "Values for In and NotIn.", list = "atomic" },
  },

  FieldSelectorRequirement = {
    "A requirement on one field.",
    { "key", "string", "Field path.", required = true },
    { "operator", "string", "In, NotIn, Exists or DoesNotExist.", required = true },
    { "values", "list of string", "Values for In and NotIn.", list = "atomic" },
  },

  DeleteOptions = {
    "How to delete.",
    { "apiVersion", "string", "Group and version of the options." },
    { "kind", "string", "DeleteOptions." },
    { "gracePeriodSeconds", "integer", "Seconds to wait; 0 deletes at once.", format = "int64" },
    { "preconditions", "meta.Preconditions", "What must hold for the deletion to happen." },
    { "ignoreStoreReadErrorWithClusterBreakingPotential", "boolean",
      "Accepted for clients that send it; without effect." },
    { "orphanDependents", "boolean", "Old form of the propagation policy Orphan." },
    { "propagationPolicy", "string", "Foreground, Background or Orphan." },
    { "dryRun", "list of string", "All: go through the motions, change nothing.",
      list = "atomic" },
  },

  Preconditions = {
    "Guards of a deletion.",
    { "uid", "string", "The object must have this UID." },
    { "resourceVersion", "string", "The object must be at this version." },
  },

  Patch = { "A patch; its form follows from the content type.", open = true },

  APIGroup = {
    "A group of resources and its versions.",
    { "apiVersion", "string", "v1." },
    { "kind", "string", "APIGroup." },
    { "name", "string", "Name of the group.", required = true },
    { "versions", "list of meta.GroupVersionForDiscovery", "The versions, preferred first.",
      required = true, list = "atomic" },
    { "preferredVersion", "meta.GroupVersionForDiscovery", "The version to use by default." },
  },

  GroupVersionForDiscovery = {
    "A version of a group.",
    { "groupVersion", "string", "Group and version as apiVersion has them.", required = true },
    { "version", "string", "The version alone.", required = true },
  },

  APIResourceList = {
    "The resources of a version of a group.",
    { "apiVersion", "string", "v1." },
    { "kind", "string", "APIResourceList." },
    { "groupVersion", "string", "Group and version as apiVersion has them.", required = true },
    { "resources", "list of meta.APIResource", "The resources and subresources.", required = true,
      list = "atomic" },
  },

  APIResource = {
    "A resource or subresource.",
    { "name", "string", "Plural name, with /NAME of a subresource.", required = true },
    { "singularName", "string", "Singular name; empty for subresources.", required = true },
    { "namespaced", "boolean", "True when its objects are in namespaces.", required = true },
    { "kind", "string", "Kind of its objects.", required = true },
    { "verbs", "list of string", "What can be done with it.", required = true },
    { "shortNames", "list of string", "Further names for the command line.", list = "atomic" },
    { "categories", "list of string", "Groups of resources to ask for at once.",
      list = "atomic" },
  },

  WatchEvent = {
    "A change that a watch reports.",
    { "type", "string", "ADDED, MODIFIED, DELETED, BOOKMARK or ERROR.", required = true },
    { "object", "raw", "The object after the change, or a Status.", required = true },
  },

  Status = {
    "Answer that is not an object of the resource: an error, or success without content.",
    { "apiVersion", "string", "v1." },
    { "kind", "string", "Status." },
    { "metadata", "meta.ListMeta", "Empty." },
    { "status", "string", "Success or Failure." },
    { "message", "string", "Text for people." },
    { "reason", "string", "Word for programs that says why." },
    { "details", "meta.StatusDetails", "What the answer is about." },
    { "code", "integer", "HTTP status code.", format = "int32" },
  },

  StatusDetails = {
    "What a Status is about.",
    { "name", "string", "Name of the object." },
    { "group", "string", "API group." },
    { "kind", "string", "Resource or kind." },
    { "uid", "string", "UID of the object." },
    { "causes", "list of meta.StatusCause", "Single problems.", list = "atomic" },
    { "retryAfterSeconds", "integer", "Seconds after which a retry may help.", format = "int32" },
  },

  StatusCause = {
    "A single problem.",
    { "reason", "string", "Word for programs." },
    { "message", "string", "Text for people." },
    { "field", "string", "Path of the field." },
  },
}
