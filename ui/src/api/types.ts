// Generated from the OpenAPI document by scripts/types.mjs; `make ui-types` writes it.
import type { Json } from './json';

/** End an execution. Its open gates are aborted, and leave the inbox at once. */
export type AbortBody = {
  reason?: string;
};

/** The execution has been aborted, now or earlier. */
export type Aborted = {
  execution: string;
  phase: string;
};

/** Answer a signal, by its handle, path or name; for an approval the value is true or false. An invalid value is refused, and the signal stays open. `shown` is the digest of the question that was shown. */
export type AnswerBody = {
  value: Json;
  comment?: string;
  shown?: string;
};

/** An accepted answer. A repeated one gets the same reply, without a time limit. */
export type AnswerReply = {
  execution: string;
  signal: string;
  at: string;
  who: string;
  early: boolean;
};

/** The result of one of many answers: the status, and the reply or the problem. */
export type AnswerResult = {
  execution: string;
  signal: string;
  status: number;
  reply: Json;
  problem: Record<string, Json> | null;
};

/** The result of each answer, in the order of the request. */
export type AnswerResults = {
  items: Array<AnswerResult>;
};

/** A decision: what, who, when, through what, with what comment. `early`: given before the gate opened. `credential` is how the caller was authenticated: `token:ID`, `session:ID` of a browser, or `user:NUMBER` of the operating system. It is empty if none was recorded. `shown` is the digest of the question as it was shown, or `no`. */
export type AnswerView = {
  value: Json;
  who: string;
  via: string;
  at: string;
  comment: string;
  early: boolean;
  by_timeout: boolean;
  credential: string;
  shown: string;
  kept: string;
  kept_by: string;
};

/** Answers to many signals; each is decided separately. */
export type AnswersBody = {
  answers: Array<InboxAnswer>;
};

/** Approve what a signal shows. */
export type ApproveBody = {
  comment?: string;
  shown?: string;
};

/** What one attempt of a task printed to standard output and error. */
export type AttemptLog = {
  node: string;
  name: string;
  attempt: number;
  text: string;
};

/** One line of the audit log. `kind` is decision, abort, sign_in, sign_out, session_ended, token_made, token_rotated, token_revoked or refused. `about` is the signal, the token, the session, or the code of the refusal (`dropped`: refusals that were not recorded because a limit was reached). `count` is how many times it happened in the minute that starts at `at`. */
export type AuditLine = {
  number: number;
  at: string;
  kind: string;
  who: string;
  credential: string;
  via: string;
  address: string;
  execution: string;
  about: string;
  outcome: string;
  shown: string;
  count: number;
};

/** Lines of the audit log, newest first; `next` is the cursor of the next page, which may have lines even if this one has none. */
export type AuditPage = {
  items: Array<AuditLine>;
  next: string;
};

/** What else there is to look at before a decision: the nodes before, the nearest first, and how many inputs the execution has. */
export type BackgroundView = {
  before: Array<BeforeView>;
  inputs: number;
};

/** A node that a question comes after: whether it has a report, and how many bytes of JSON it gave that the question does not show itself. */
export type BeforeView = {
  node: string;
  name: string;
  deck: boolean;
  size: number;
};

/** What the server knows of a blob, independent of what a value claims: its size in bytes, and its media type as detected from its first bytes. */
export type BlobView = {
  digest: string;
  size: number;
  media: string;
};

/** A workflow of a module that cannot be compiled, or one whose graph cannot be read back, and why. */
export type BrokenView = {
  name: string;
  error: string;
};

/** Which case of a branch a node belongs to: the branch by id, the case counted from 0. */
export type CaseView = {
  branch: string;
  index: number;
};

/** Check a value as an answer to a signal, without sending it: nothing is stored. Refused as the answer would be if the signal does not take one. */
export type CheckAnswerBody = {
  value: Json;
};

/** Check the inputs of a launch, without launching: nothing is stored. */
export type CheckInputsBody = {
  inputs: Record<string, Json>;
  version?: string;
};

/** Whether a value would be accepted, and if not, what is wrong with it. Nothing is stored. */
export type CheckView = {
  valid: boolean;
  faults: Array<FaultDocument>;
};

/** The one-time code of a link. */
export type CodeBody = {
  code: string;
};

/** Who would be signed in by a code. */
export type CodeView = {
  name: string;
};

/** The profile of a column, over all rows. Where not `exact`, `distinct` and `median` are estimates. Only numbers have `sum`, `mean`, `median` and `negative`; numbers, dates and instants have `min`, `max` and a histogram. `top` are the most frequent values with their counts. */
export type ColumnProfile = {
  name: string;
  type: string;
  position: number;
  missing: number;
  distinct: number;
  exact: boolean;
  min: Json;
  max: Json;
  sum: Json;
  mean: Json;
  median: Json;
  negative: number | null;
  top: Array<Json[]> | null;
  histogram: HistogramView | null;
};

/** A column: its name, its type (integer, number, boolean, date, instant, text, other), and which one it is, from 0. */
export type ColumnView = {
  name: string;
  type: string;
  position: number;
};

/** How an execution ended: `rejected` by a person, `timed_out` because nobody answered, `failed` by an error, or `aborted`. `message` is one line: the comment of a rejection, the failure, the reason of who aborted it. `who` rejected or aborted it. `node` is the node at fault, `name` its name. */
export type EndView = {
  kind: string;
  message: string;
  who: string;
  node: string;
  name: string;
};

/** The history of an execution. */
export type EventList = {
  items: Array<EventView>;
};

/** One event of an execution's history: its number, its time, its kind (`TaskSucceeded`), and its content. A line that cannot be read is a `Damaged` event; its time is that of the line before it. */
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
  damaged: string;
  held: string;
  end: EndView | null;
};

/** A page of executions, newest first; `next` requests the next page, and is empty only at the end: a long search may find nothing in a page. */
export type ExecutionPage = {
  items: Array<ExecutionLine>;
  next: string;
};

/** An execution at line `seq` of its history. `outputs` is null until it has succeeded, `error` null unless it failed or was aborted. It is complete, unless only the changes after a line were requested: then `nodes` are those that are shown differently since, `waiting` what they wait for, and `inputs`, which never change, are omitted. With `inputs`, or with a smaller `seq` than was requested, it is complete. */
export type ExecutionView = {
  id: string;
  workflow: string;
  version: string;
  phase: string;
  seq: number;
  damaged: string;
  inputs?: Record<string, Json>;
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
  successor: string;
  environment: string;
  differs: string;
  created?: boolean;
  asked_version?: string;
  notes?: Array<string>;
  python?: string;
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

/** A role (viewer, operator, approver, admin) in projects and domains, given as patterns where `*` stands for any characters. */
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

/** The server's health: ok, degraded (only housekeeping is down), stopping, or down. Only authenticated callers get the version and the parts. */
export type Health = {
  status: string;
  version: string;
  parts: Array<PartView>;
};

/** Why a task cannot start, for a reason outside it: `no_room` on the disk, `no_objects` while the object store is away, code or a file is `missing`, a different `environment`, `no_worker`, it requests more than the machine has (`too_large`), or there is `no_cluster` to run it on. It starts once that is fixed. Or what it waits for: all workers are `busy`, or it was `interrupted`, and no process runs the store. */
export type HeldView = {
  code: string;
  message: string;
  since: string;
};

/** How many values lie in each of some intervals of equal width. The first begins with `low`, the least value; the last ends with `high`, the largest. */
export type HistogramView = {
  low: Json;
  high: Json;
  counts: Array<number>;
};

/** One of many answers: its execution, its signal (the handle or path, or the name if it is unique), its idempotency key, and the digest of what was shown. */
export type InboxAnswer = {
  execution: string;
  signal: string;
  value: Json;
  comment?: string;
  key?: string;
  shown?: string;
};

/** A page of what waits, earliest due first; `next` works like that of a page of executions. */
export type InboxPage = {
  items: Array<WaitingView>;
  next: string;
};

/** How many questions wait: those that the caller may answer, and all that they may see. `soonest_due` is when the first of `yours` is due. Each workflow in a project is counted up to `most`; with `bounded`, at least one has more, and the sums are lower bounds. */
export type InboxSummary = {
  yours: number;
  all: number;
  workflows: Array<Tally>;
  projects: Array<Tally>;
  soonest_due: string | null;
  bounded: boolean;
  most: number;
};

/** One input of a workflow. `default` is absent when the input is required. */
export type InputView = {
  name: string;
  schema: Record<string, Json>;
  expects: string;
  default?: Json;
};

/** Launch an execution. Idempotent by its `id`: the same id with the same content returns the execution that was launched first. */
export type LaunchBody = {
  workflow: string;
  version?: string;
  inputs?: Record<string, Json>;
  id?: string;
  project?: string;
  domain?: string;
  launched_from?: string;
  environment?: string;
};

/** What a decision leads to. `decision` is approve, reject, answer or timeout; `next` are the nodes that begin. `ends` is `fails` or `succeeds` if the execution ends by it, `continues` if other nodes are still under way, and empty if something begins. `text` says it in a sentence, as of now: "`deploy` runs next". */
export type LeadView = {
  decision: string;
  next: Array<NextNode>;
  ends: string;
  text: string;
};

/** What a door accepts at most: bytes, depth and digits of a value; characters of a short text, of a comment, of an idempotency key and of an id; bytes of a file sent in one piece and of one sent in parts; answers in one request. */
export type LimitsView = {
  value_bytes: number;
  value_depth: number;
  number_digits: number;
  text_characters: number;
  comment_characters: number;
  key_characters: number;
  id_characters: number;
  blob_bytes: number;
  upload_bytes: number;
  answers: number;
};

/** The logs of an execution or of one of its nodes, by node and attempt. */
export type LogList = {
  items: Array<AttemptLog>;
  next: string;
  missing: string;
};

/** A node that begins after a decision. */
export type NextNode = {
  node: string;
  name: string;
  kind: string;
};

/** One node of an execution. `id` is its path (`n2/n0`), `parent` that of the node that contains it, `kind` one of task, sleep, input, approve, branch, workflow. `phase` is one of QUEUED, RUNNING, WAITING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED, SKIPPED. `round` is that of a loop: of a dynamic task that calls itself. Its contents (`n2~3/n0` in the third round) are those of this round; earlier ones are removed. */
export type NodeView = {
  id: string;
  name: string;
  kind: string;
  phase: string;
  reason: string;
  parent: string;
  round: number;
  attempts: number;
  began: string | null;
  ended: string | null;
  due: string | null;
  inputs: Record<string, Json>;
  preview: Record<string, PreviewView>;
  outputs: Record<string, Json> | null;
  failure: FailureView | null;
  answer: AnswerView | null;
  upstream: Array<string>;
  case: number | null;
  branch: string;
  deck: boolean;
  held: HeldView | null;
};

/** A background part of the server. `why` is empty while it is up; if one that only `tidies` up is down, no request is refused for it. */
export type PartView = {
  name: string;
  up: boolean;
  why: string;
  since: string;
  restarts: number;
  tidies: boolean;
};

/** The beginning of a value that is too large for a list: for a text the text itself, else its JSON. `size` is the full JSON in bytes. */
export type PreviewView = {
  text: string;
  size: number;
};

/** An error. `code` is stable; `detail` is one line for people; further members are facts, such as `faults`, `signals` or `retry_after`. */
export type ProblemDocument = {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  faults?: Array<FaultDocument>;
};

/** The profiles of some columns, and how many rows they are over. */
export type ProfileView = {
  columns: Array<ColumnProfile>;
  total: number;
  digest: string;
};

/** The id of a token, and 32 random bytes in hexadecimal. */
export type ProofBody = {
  token: string;
  nonce: string;
};

/** An HMAC-SHA-256 in hexadecimal: of `tidegate-proof-1`, a zero byte and the nonce, under the SHA-256 of the token's secret. */
export type ProofView = {
  proof: string;
};

/** Continue an execution that failed or was aborted in a new one, its successor, which keeps what has succeeded: results of tasks, and answers. After a failure approvals are kept, recorded with who gave them; after an abort they are asked for again. An execution has one successor: if that has failed, the successor is recovered instead. With another `version` of the code, what is unchanged is kept, and approvals are asked for again unless `keep_approvals`. What `rerun` names runs again, or is asked again, in any case. */
export type RecoverBody = {
  id?: string;
  version?: string;
  rerun?: Array<string>;
  keep_approvals?: boolean;
};

/** What a recovery does with one node. `node` is its id in the execution that is recovered; empty for one that is new. `becomes`: `kept`; `runs` (again, or for the first time); `asked`; `compared`: it is kept if what it takes comes out as it was, once its turn comes; `unused`: the new code has no such node. `why` says why it is not kept. `who` gave the answer. `changed`: it is kept or compared though its source has changed, or the text of its question. */
export type RecoveryNode = {
  node: string;
  name: string;
  kind: string;
  becomes: string;
  why: string;
  changed: boolean;
  who: string;
};

/** What a recovery would do. `execution` is what is recovered, in `phase`: the last that came of the one that was named. `version` is that of its code, `new_version` that of the code with which it would go on; `same_code` whether that is the same. */
export type RecoveryView = {
  execution: string;
  phase: string;
  workflow: string;
  version: string;
  new_version: string;
  same_code: boolean;
  nodes: Array<RecoveryNode>;
  notes: Array<string>;
};

/** Register the workflows of a module of a stored bundle, or `only` some of them, by name. Registering the same again changes nothing. */
export type RegisterBody = {
  bundle: string;
  module: string;
  version?: string;
  only?: Array<string>;
  terminal?: string;
};

/** Reject what a signal shows; its node fails. */
export type RejectBody = {
  comment?: string;
  shown?: string;
};

/** Launch an execution again, with the same version and inputs, or with others: `inputs` replace those of the same name. The same new id again returns the execution that was launched first. */
export type RelaunchBody = {
  id?: string;
  version?: string;
  inputs?: Record<string, Json>;
};

/** The servers that share the store, by name; none if it is a file, which has one owner. */
export type ReplicaList = {
  items: Array<ReplicaView>;
};

/** A server that shares the store. `shards` are those of the store's 64 shards in which it decides, the newest of them since `newest`; one that is `leaving` takes no more. `here` marks the one that replies. It renewed its lease `lease_age` seconds ago; after 10 it does not count as alive. */
export type ReplicaView = {
  name: string;
  address: string;
  version: string;
  since: string;
  leaving: boolean;
  shards: Array<number>;
  newest: string | null;
  here: boolean;
  lease_age: number;
};

/** The rounds of a loop in order; `next` is what to pass as `after` for more, null at the end. A loop has `most` rounds at most. */
export type RoundList = {
  items: Array<RoundView>;
  next: number | null;
  most: number;
};

/** The nodes of one round of a loop, as they are or were when it ended. */
export type RoundNodes = {
  round: number;
  items: Array<NodeView>;
};

/** One round of a loop: of a dynamic task that calls itself. `outputs` are small values that came out of its tasks and questions, those of the last first, at most six. */
export type RoundView = {
  round: number;
  phase: string;
  began: string | null;
  ended: string | null;
  outputs: Record<string, Json>;
};

/** A page of rows. `columns` are the chosen ones of `wide` in all. Each of `rows` has a cell for each of them; `numbers` are the numbers of the rows in the table, from 0. Cells that are longer than asked for are shortened; `cut` lists them, as row and column of this page. `total` counts all rows, `matching` those that meet the filter. `digest` is that of the value, not of the page. */
export type RowsView = {
  columns: Array<ColumnView>;
  wide: number;
  rows: Array<Json[]>;
  numbers: Array<number>;
  cut: Array<Array<number>>;
  offset: number;
  total: number;
  matching: number;
  digest: string;
};

/** The credential to trade: a token, or the one-time code of a link. */
export type SessionBody = {
  token?: string;
  code?: string;
};

/** A signed-in browser. `token` is the id of the token that it traded, `agent` its User-Agent, `current` whether it sends this request. */
export type SessionLine = {
  id: string;
  name: string;
  token: string;
  agent: string;
  created: string;
  used: string;
  expires: string;
  current: boolean;
};

/** Sessions, oldest first. */
export type SessionList = {
  items: Array<SessionLine>;
};

/** The caller, their rights, and when they must sign in again at the latest; null if that is never. */
export type SessionView = {
  name: string;
  grants: Array<GrantView>;
  expires: string | null;
};

/** The signals of an execution. */
export type SignalList = {
  items: Array<SignalView>;
};

/** One signal of an execution, open or not. `phase` is that of its node; `answer` is present once it is answered, early or not. */
export type SignalView = {
  name: string;
  path: string;
  kind: string;
  phase: string;
  schema: Record<string, Json>;
  expects: string;
  handle: string;
  due: string | null;
  answer: AnswerView | null;
};

/** The digest of stored content: its SHA-256, in hexadecimal. */
export type Stored = {
  digest: string;
};

/** How many questions there are with this workflow or project, and how many of them the caller may answer. */
export type Tally = {
  name: string;
  count: number;
  yours: number;
};

/** An upload: how many of its bytes have arrived; once all have, the digest and the media type of the blob that it has become. */
export type UploadView = {
  id: string;
  size: number;
  offset: number;
  digest: string;
  media: string;
};

/** One thing an execution waits for. `kind` is input, approve, sleep or retry. `value` is the value under approval; it, like `suggested`, is absent when there is none (null is a value). `schema` is what the answer must be, `expects` the same in words. `path` addresses the signal when its name is not unique; `node` is the id of its node. `handle` identifies this question permanently, `digest` is that of what it shows: an answer that carries it is refused if that has changed. Both are empty for waits that need no answer. In a list, values that are too large are in `preview` instead, under `value`, `suggested`, or `show.` and their name; the full question is at `executions/{id}/signals/{path}`. */
export type WaitingView = {
  execution: string;
  workflow: string;
  name: string;
  path: string;
  kind: string;
  opened: string;
  due: string | null;
  node: string;
  title: string;
  figures: Record<string, Json>;
  may: boolean;
  who_may: string;
  launched_by: string;
  leads: Array<LeadView>;
  background: BackgroundView | null;
  phase: string;
  ended: string | null;
  answer: AnswerView | null;
  schema: Record<string, Json>;
  expects: string;
  prompt: string;
  show: Record<string, Json>;
  value?: Json;
  value_schema: Record<string, Json>;
  suggested?: Json;
  on_timeout?: Json;
  preview: Record<string, PreviewView>;
  files: Record<string, BlobView>;
  handle: string;
  form: number;
  digest: string;
  damaged: string;
};

/** One version of a workflow, with its graph. */
export type WorkflowDetail = {
  workflow: WorkflowView;
  nodes: Array<GraphNodeView>;
};

/** Workflows, the latest version of each; `broken` are those that could not be registered, or whose graph is damaged. `last` has the newest execution that the caller may see of each of the first hundred, by the workflow's name. */
export type WorkflowList = {
  items: Array<WorkflowView>;
  broken: Array<BrokenView>;
  last: Record<string, ExecutionLine>;
};

/** One version of a workflow: its inputs and outputs; the nodes of its graph are at `GET graph`. */
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
  notes: Array<string>;
  environment: string;
};
