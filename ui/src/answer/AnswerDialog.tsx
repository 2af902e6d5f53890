export function AnswerDialog({ task }: { task: string }) {
  return <p>{task}</p>;
}
