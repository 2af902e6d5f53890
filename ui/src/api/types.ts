// Generated from the OpenAPI document by scripts/types.mjs; `make ui-types` writes it anew.
import type { Json } from './json';

/** Why an execution is ended. */
export type AbortBody = {
  reason?: string;
};

/** The execution is aborted, now or before. */
export type Aborted = {
  execution: string;
  phase: string;
};

/** The id of the new execution; made up if it is empty. The same id again returns the execution that was launched first. */
export type AgainBody = {
  id?: string;
};

/** An answer to a signal. For an approval the value is true or false. */
export type AnswerBody = {
  value: Json;
  comment?: string;
};

/** An accepted answer. The same for a repeated one, for ever. */
export type AnswerReply = {
  execution: string;
  signal: string;
  at: string;
  who: string;
  early: boolean;
};

/** What became of one of many answers: the status, and the reply or the problem. */
export type AnswerResult = {
  execution: string;
  signal: string;
  status: number;
  reply: Json;
  problem: Record<string, Json> | null;
};

/** What became of each answer, in the order in which they came. */
export type AnswerResults = {
  items: Array<AnswerResult>;
};

/** A decision: what, who, when, through what, with what comment. `early`: given before the gate opened. */
export type AnswerView = {
  value: Json;
  who: string;
  via: string;
  at: string;
  comment: string;
  early: boolean;
  by_timeout: boolean;
};

/** Answers to many signals; each is decided for itself. */
export type AnswersBody = {
  answers: Array<InboxAnswer>;
};

/** What one attempt of a task wrote to its standard output and error. */
export type AttemptLog = {
  node: string;
  name: string;
  attempt: number;
  text: string;
};

/** A workflow of a module that cannot be compiled, and why. */
export type BrokenView = {
  name: string;
  error: string;
};

/** Which case of a branch a node belongs to: the branch by id, the case counted from 0. */
export type CaseView = {
  branch: string;
  index: number;
};

/** What is said with an approval or a rejection. */
export type DecisionBody = {
  comment?: string;
};

/** The history of an execution. */
export type EventList = {
  items: Array<EventView>;
};

/** One event of an execution's history: its number, when, what (`TaskSucceeded`), and what it says. */
export type EventView = {
  seq: number;
  at: string;
  kind: string;
  details: Record<string, Json>;
};

/** An execution in a list. `waiting` names what it waits for (the names of its open gates). */
export type ExecutionLine = {
  id: string;
  workflow: string;
  version: string;
  phase: string;
  launched: string;
  changed: string;
  waiting: Array<string>;
  who: string;
  project: string;
  domain: string;
};

/** A page of executions, newest first; `next` asks for the page after it, empty at the end. */
export type ExecutionPage = {
  items: Array<ExecutionLine>;
  next: string;
};

/** An execution, whole. `outputs` is null until it has succeeded, `error` null unless it failed or was aborted. */
export type ExecutionView = {
  id: string;
  workflow: string;
  version: string;
  phase: string;
  inputs: Record<string, Json>;
  outputs: Record<string, Json> | null;
  error: FailureView | null;
  nodes: Array<NodeView>;
  waiting: Array<WaitingView>;
  launched: string;
  changed: string;
  who: string;
  project: string;
  domain: string;
  origin: string;
  created?: boolean;
};

/** Why a node or an execution did not succeed; `node` is the id of the node at fault, `name` its name. */
export type FailureView = {
  code: string;
  message: string;
  node: string;
  name: string;
  trace: string;
};

/** One thing that is wrong with a value: where, as a path of keys and positions, and why. */
export type FaultDocument = {
  path: Array<string | number>;
  reason: string;
};

/** A role (viewer, operator, approver, admin) in projects and domains; in their patterns `*` stands for any characters. */
export type GrantView = {
  role: string;
  project: string;
  domain: string;
};

/** One node of a workflow, before it runs: ids, names and kinds are those of `NodeView`. `target` is the Python function of a task, `cases` are the conditions of a branch in words, the last of them `else`. `schema` and `prompt` are those of a gate; `timeout` is in seconds, as is the `duration` of a sleep. */
export type GraphNodeView = {
  id: string;
  name: string;
  kind: string;
  parent: string;
  upstream: Array<string>;
  case: CaseView | null;
  target: string;
  dynamic: boolean;
  retries: number;
  cases: Array<string>;
  schema: Record<string, Json>;
  prompt: string;
  timeout: number | null;
  duration: number | null;
};

/** Whether the engine works. `version` is empty for who has no token. */
export type Health = {
  status: string;
  version: string;
};

/** One of many answers: to which execution, to which signal (its path, or its name if that is unique), with which idempotency key. */
export type InboxAnswer = {
  execution: string;
  signal: string;
  value: Json;
  comment?: string;
  key?: string;
};

/** A page of what waits, the soonest due first. */
export type InboxPage = {
  items: Array<WaitingView>;
  next: string;
};

/** One input of a workflow. `default` is absent when the input is required. */
export type InputView = {
  name: string;
  schema: Record<string, Json>;
  expects: string;
  default?: Json;
};

/** What to launch. The same `id` again, with the same content, returns the execution that was launched first. */
export type LaunchBody = {
  workflow: string;
  version?: string;
  inputs?: Record<string, Json>;
  id?: string;
  project?: string;
  domain?: string;
};

/** The logs of an execution or of one of its nodes, by node and attempt. */
export type LogList = {
  items: Array<AttemptLog>;
};

/** One node of an execution. `id` is its path (`n2/n0`), `parent` that of the node it unfolds in, `kind` one of task, sleep, input, approve, branch, workflow. `phase` is a name from the contract: QUEUED, RUNNING, WAITING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED, SKIPPED. */
export type NodeView = {
  id: string;
  name: string;
  kind: string;
  phase: string;
  parent: string;
  attempts: number;
  began: string | null;
  ended: string | null;
  due: string | null;
  outputs: Record<string, Json> | null;
  failure: FailureView | null;
  answer: AnswerView | null;
  upstream: Array<string>;
  case: number | null;
  branch: string;
  deck: boolean;
};

/** An error. `code` is stable; `detail` is one line for people; what else is there are facts, such as `faults`, `signals` or `retry_after`. */
export type ProblemDocument = {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  faults?: Array<FaultDocument>;
};

/** Which workflows to register: those of a module of a bundle that is stored, or `only` some of them, by name. */
export type RegisterBody = {
  bundle: string;
  module: string;
  version?: string;
  only?: Array<string>;
};

/** The token that is traded. */
export type SessionBody = {
  token: string;
};

/** Who asks, and what he may. */
export type SessionView = {
  name: string;
  grants: Array<GrantView>;
};

/** The signals of an execution. */
export type SignalList = {
  items: Array<SignalView>;
};

/** One signal of an execution, open or not. `phase` is that of its node; `answer` is there once it is answered, early or not. */
export type SignalView = {
  name: string;
  path: string;
  kind: string;
  phase: string;
  schema: Record<string, Json>;
  expects: string;
  due: string | null;
  answer: AnswerView | null;
};

/** What is stored is found by this digest: its SHA-256, in hexadecimal. */
export type Stored = {
  digest: string;
};

/** One thing an execution waits for, with the whole question. `kind` is input, approve, sleep or retry. `value` is the value under approval; it, like `suggested`, is absent when there is none (null is a value). `schema` is what the answer must be, `expects` the same in words. `path` addresses the signal when its name is not unique. */
export type WaitingView = {
  execution: string;
  workflow: string;
  name: string;
  path: string;
  kind: string;
  opened: string;
  due: string | null;
  schema: Record<string, Json>;
  expects: string;
  prompt: string;
  show: Record<string, Json>;
  value?: Json;
  value_schema: Record<string, Json>;
  suggested?: Json;
  on_timeout?: Json;
};

/** One version of a workflow, with its graph. */
export type WorkflowDetail = {
  workflow: WorkflowView;
  nodes: Array<GraphNodeView>;
};

/** Workflows, the latest version of each; in the reply to a registration also those that could not be registered. */
export type WorkflowList = {
  items: Array<WorkflowView>;
  broken: Array<BrokenView>;
};

/** One version of a workflow: what it takes and gives, and the encoded graph's nodes are under `GET graph`. */
export type WorkflowView = {
  name: string;
  version: string;
  module: string;
  bundle: string;
  registered: string;
  inputs: Array<InputView>;
  outputs: Record<string, Record<string, Json>>;
  doc: string;
  signals: Array<SignalView>;
  dynamic: boolean;
};
