/** A sentence of the server, in which names stand between backticks. */
export function Sentence({ text }: { text: string }) {
  return (
    <>
      {text
        .replace(/\.$/, '')
        .split('`')
        .map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part))}
    </>
  );
}
