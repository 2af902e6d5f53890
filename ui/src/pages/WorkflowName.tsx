/** The dotted name of a workflow: what it is called stands out from where it is. */
export function WorkflowName({ name }: { name: string }) {
  const at = name.lastIndexOf('.') + 1;
  return (
    <>
      {at > 0 && <span className="wf-path">{name.slice(0, at)}</span>}
      <wbr />
      {name.slice(at)}
    </>
  );
}
