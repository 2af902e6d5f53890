import { save } from './files';
import { Taking } from './parts';

/** Bytes that stand in the value itself, as base64. */
export function BytesValue({ text }: { text: string }) {
  const content = decode(text);
  if (content === undefined) return <span className="text">{text}</span>;
  return <Taking name="bytes" size={content.length} onTake={() => save(new Blob([content]), 'bytes.bin')} />;
}

function decode(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
  } catch {
    return undefined;
  }
}
