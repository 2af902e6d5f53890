/** The inputs of a workflow as one form. */
import { isObject, type Json, type JsonObject } from '../../api/json';
import type { WorkflowView } from '../../api/types';

/** Return the schema of all inputs together; what their schemas define stands where references look for it. */
export function schemaOf(workflow: WorkflowView): JsonObject {
  const defs: JsonObject = {};
  const properties: JsonObject = {};
  for (const input of workflow.inputs) {
    const { $defs, ...own } = input.schema;
    if (isObject($defs)) Object.assign(defs, $defs);
    properties[input.name] = input.default === undefined ? own : { ...own, default: input.default };
  }
  return {
    type: 'object',
    properties,
    required: workflow.inputs.filter((each) => each.default === undefined).map((each) => each.name),
    additionalProperties: false,
    ...(Object.keys(defs).length > 0 ? { $defs: defs } : {}),
  };
}

/** Return those of the inputs of an earlier execution that this version still takes, and for the others their defaults. */
export function fitting(workflow: WorkflowView, inputs: Record<string, Json>): JsonObject {
  const found: JsonObject = {};
  for (const { name, default: without } of workflow.inputs) {
    const value = Object.hasOwn(inputs, name) ? inputs[name] : without;
    if (value !== undefined) found[name] = value;
  }
  return found;
}
