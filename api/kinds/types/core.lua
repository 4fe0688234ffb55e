-- SPDX-License-Identifier: Apache-2.0
--
-- Structs of the core group that more than one kind uses.

return {
  component = "io.k8s.api.core.v1",

  ObjectReference = {
    "Names an object of any kind.",
    atomic = true,
    { "kind", "string", "Kind of the object." },
    { "namespace", "string", "Namespace of the object." },
    { "name", "string", "Name of the object." },
    { "uid", "string", "UID of the object." },
    { "apiVersion", "string", "Group and version of the object." },
    { "resourceVersion", "string", "Version that is meant, if a certain one is." },
    { "fieldPath", "string", "Part of the object that is meant." },
  },

  EventSource = {
    "Who reported an event.",
    { "component", "string", "Name of the program." },
    { "host", "string", "Node it runs on." },
  },

  EventSeries = {
    "Repetitions of an event.",
    { "count", "integer", "How often it happened.", format = "int32" },
    { "lastObservedTime", "time", "When it happened last." },
  },

  NamespaceCondition = {
    "One observed aspect of a namespace.",
    { "type", "string", "Name of the condition.", required = true },
    { "status", "string", "True, False or Unknown.", required = true },
    { "lastTransitionTime", "time", "When the status changed last." },
    { "reason", "string", "Word for programs that says why." },
    { "message", "string", "Text for people." },
  },
}
